package dissect

// IntelliVue is what a datagram of the Philips IntelliVue data export
// protocol says of its sender.
//
// phi: never read: bed label (091E), patient demographics (object 002A and
// attributes 0956–0962, 09D8–09DF, F001, F129, F12A), values and alarm texts,
// everything behind the header of a data message, every attribute not named.
type IntelliVue struct {
	Kind IntelliVueKind

	SystemID      EUI64  // attribute 0984
	TypePartition uint16 // 0986
	TypeCode      uint16
	Manufacturer  Text    // 0928
	Model         Text    // 0928
	MAC           [6]byte // F100
	IP            [4]byte // F100
	Serial        Text    // 092D, product
	PartNumber    Text
	Hardware      Text // revision
	SoftwarePart  Text
	Software      Text // revision

	Attributes    [32]uint16 // ids in the order sent, a fingerprint of the software
	AttributesLen uint8

	RemoteOp uint16 // of a data message: 1 invoke, 2 result, 3 error, 5 linked result
	Command  uint16 // 0 event, 1 confirmed event, 3 get, 4 set, 5 confirmed set, 7 action
}

// IntelliVueKind is the kind of a datagram.
type IntelliVueKind uint8

// The kinds and who sends them. The zero value is none of them.
const (
	_                          IntelliVueKind = iota
	IntelliVueConnect                         // connect indication: the monitor
	IntelliVueAssociateRequest                // the collecting computer
	IntelliVueAssociateAccept                 // the monitor
	IntelliVueAssociateRefuse
	IntelliVueRelease
	IntelliVueReleased
	IntelliVueAbort
	IntelliVueDataRequest  // a data message with a request: the collecting computer
	IntelliVueDataResponse // a data message with an answer or an event: the monitor
)
