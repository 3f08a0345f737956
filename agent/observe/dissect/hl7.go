package dissect

// Limits of what is kept of one HL7 frame.
const (
	maxHL7Codes   = 16
	maxHL7Devices = 4
	maxHL7Parts   = 4
)

// HL7 is what the header and the device segments of one HL7 v2 message say of
// the devices and systems that take part.
//
// phi: never read: every segment but MSH, OBX and PRT; in MSH fields 7, 8
// (may hold a token) and 10 (may hold a record number); in OBX all but 3 (a
// number), 4 (its depth) and 18, above all 5 (the value) and 16 (a nurse's
// id); in PRT all but 10, 16–20 and 22, above all 5 (a person), 9 (a place).
type HL7 struct {
	// Empty is a frame without content, a bare server's answer.
	Empty bool

	SendingApp        Text  // MSH-3, the whole field
	SendingFacility   Text  // MSH-4
	ReceivingApp      Text  // MSH-5
	ReceivingFacility Text  // MSH-6
	MessageType       Text  // MSH-9, such as ORU_R01_ORU_R01
	ProcessingID      Text  // MSH-11: P, D or T
	Version           Text  // MSH-12
	Profile           Text  // MSH-21, first repetition
	AppEUI            EUI64 // from MSH-3
	FacilityEUI       EUI64 // from MSH-4

	Codes      [maxHL7Codes]HL7Code // distinct device codes of OBX-3
	CodesLen   uint8
	Devices    [maxHL7Devices]HL7Device // distinct equipment instances of OBX-18
	DevicesLen uint8
	Parts      [maxHL7Parts]HL7Participation
	PartsLen   uint8

	// Next is where in the stream the bytes after this frame begin, once Done.
	Next int
}

// HL7Code is a device code of OBX-3 (ISO/IEEE 11073-10101, partition 1).
type HL7Code struct {
	Code  uint32 // 65536 + the term code, such as 69985 for an infusion pump
	Depth uint8  // by OBX-4: 1 the device (MDS), 2 VMD, 3 channel, 4 metric; 0 not said
}

// HL7Device is an entity identifier (EI) of a piece of equipment.
type HL7Device struct {
	Field Text  // the whole field, first component first
	ID    Text  // component 1
	EUI   EUI64 // from component 1 or 3
}

// HL7Participation is the device part of one PRT segment (HL7 2.7 §7.4.4, UDI
// fields of 2.8.2).
type HL7Participation struct {
	Device     HL7Device // PRT-10
	UDI        Text      // PRT-16, device identifier
	Made       Text      // PRT-17
	Expires    Text      // PRT-18
	Lot        Text      // PRT-19
	Serial     Text      // PRT-20
	DeviceType Text      // PRT-22, the whole field
}
