package dissect

import (
	"bytes"
	"encoding/binary"
)

// IntelliVue is what a datagram of the Philips IntelliVue data export
// protocol says of its sender.
//
// phi: never read: bed label (091E), patient demographics (object 002A and
// attributes 0956, 0958–0962, 09D8–09DF, F001, F129, F12A), of which only the
// state 0957 is compared with two codes; values and alarm texts, which are
// skipped by their lengths; every attribute not named.
type IntelliVue struct {
	Kind IntelliVueKind

	SystemID     EUI64  // attribute 0984
	TypeCode     uint16 // 0986
	Manufacturer Text   // 0928
	Model        Text   // 0928
	Serial       Text   // 092D, of the product
	Software     Text   // 092D, revision of the application

	Mode    IntelliVueMode    // 0946, of an MDS create event or a poll of the MDS; 0 is none
	Sends   IntelliVueContent // of the result of a poll
	Patient IntelliVuePatient // 0957, of the result of a poll

	RemoteOp uint16 // of a data message: 1 invoke, 2 result, 3 error, 5 linked result
	Command  uint16 // 0 event, 1 confirmed event, 3 get, 4 set, 5 confirmed set, 7 action; not of linked results
}

// IntelliVueKind is the kind of a datagram.
type IntelliVueKind uint8

// The kinds and who sends them. The zero value is none of them.
const (
	_                          IntelliVueKind = iota
	IntelliVueConnect                         // connect indication: the monitor
	IntelliVueAssociateRequest                // the collecting computer
	IntelliVueAssociateAccept                 // the monitor
	IntelliVueAssociateRefuse                 // the monitor
	IntelliVueRelease                         // the collecting computer
	IntelliVueReleased                        // the monitor
	IntelliVueAbort                           // either
	IntelliVueDataRequest                     // get, set, action, or receipt of an event: the collecting computer
	IntelliVueDataResponse                    // an answer or an event: the monitor
	IntelliVueCreate                          // MDS create event, with the attributes of an indication: the monitor
)

// IntelliVueMode is the operating mode (MODE_OP), the bits that say more first.
type IntelliVueMode uint8

// Modes. The zero value is none of them.
const (
	_ IntelliVueMode = iota
	IntelliVueDemo
	IntelliVueService
	IntelliVueStandby
	IntelliVueConfig
	IntelliVueMonitoring
)

// String names the mode; "" for none.
func (m IntelliVueMode) String() string {
	switch m {
	case IntelliVueDemo:
		return "demo"
	case IntelliVueService:
		return "service"
	case IntelliVueStandby:
		return "standby"
	case IntelliVueConfig:
		return "config"
	case IntelliVueMonitoring:
		return "monitoring"
	}
	return ""
}

// Attribute ids of a connect indication, and of the production specification
// its types and components.
const (
	ivSystemID    = 0x0984
	ivSystemType  = 0x0986
	ivModel       = 0x0928
	ivProduction  = 0x092d
	ivMode        = 0x0946
	ivSpecSerial  = 1
	ivSpecSW      = 4
	ivProduct     = 0x0008
	ivApplication = 0x0058
)

// Decode reads a UDP payload.
func (m *IntelliVue) Decode(b []byte) bool {
	switch {
	case isConnectIndication(b):
		*m = IntelliVue{}
		if !eachAttribute(b[28:], m.attribute) {
			*m = IntelliVue{} // a length lies, so nothing is what it seems
		}
		m.Kind = IntelliVueConnect
		return true
	case isMDSCreate(b):
		*m = IntelliVue{}
		if !eachAttribute(b[ivCreateList:], m.attribute) {
			*m = IntelliVue{}
		}
		m.Kind, m.RemoteOp, m.Command = IntelliVueCreate, 1, 1
		return true
	case len(b) >= 12 && binary.BigEndian.Uint32(b) == 0xe1000002:
		return m.dataMessage(b)
	}
	*m = IntelliVue{}
	m.Kind = associationKind(b)
	return m.Kind != 0
}

// isConnectIndication recognises an event report (command 0) of type 0D17,
// invoked on an MDS object (0021 plain, 0023 composite, 0025 simple), whose
// lengths fit the datagram.
func isConnectIndication(b []byte) bool {
	if len(b) < 32 || b[0] != 0 || b[1] != 0 {
		return false
	}
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	class := u16(14)
	return u16(4) == 1 && u16(6) <= len(b)-8 && u16(10) == 0 && u16(12) <= len(b)-14 &&
		(class == 0x21 || class == 0x23 || class == 0x25) && u16(24) == 0x0d17
}

// ivCreateList is where the attributes of an MDS create event begin.
const ivCreateList = 34

// isMDSCreate recognises a confirmed event report (command 1) of type 0D06,
// invoked on an MDS object, whose lengths fit the datagram.
func isMDSCreate(b []byte) bool {
	if len(b) < ivCreateList+4 || binary.BigEndian.Uint32(b) != 0xe1000002 {
		return false
	}
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	class := u16(14)
	return u16(4) == 1 && u16(6) <= len(b)-8 && u16(10) == 1 && u16(12) <= len(b)-14 &&
		(class == 0x21 || class == 0x23 || class == 0x25) && u16(24) == 0x0d06 && u16(26) <= len(b)-28
}

// modeOf tells the mode by its bits.
func modeOf(bits uint16) IntelliVueMode {
	switch {
	case bits&0x2000 != 0:
		return IntelliVueDemo
	case bits&0x1000 != 0:
		return IntelliVueService
	case bits&0x0002 != 0:
		return IntelliVueStandby
	case bits&0x0001 != 0:
		return IntelliVueConfig
	case bits&0x4000 != 0:
		return IntelliVueMonitoring
	}
	return 0
}

// eachAttribute calls f with the id and the value of each attribute of a list of
// ISO/IEEE 11073: count, length, then the attributes. It reports whether all
// lengths agree and f was content with each.
func eachAttribute(b []byte, f func(id uint16, v []byte) bool) bool {
	count, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
	b = b[4:]
	ok := size == len(b)
	for ; count > 0; count-- {
		id, v, rest, whole := cutAttribute(b)
		if !whole {
			return false
		}
		ok = f(id, v) && ok
		b = rest
	}
	return ok && len(b) == 0
}

// cutAttribute reads the id, length and value at the start of b, and what follows
// them.
func cutAttribute(b []byte) (id uint16, v, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, nil, false
	}
	n := 4 + int(binary.BigEndian.Uint16(b[2:]))
	if len(b) < n {
		return 0, nil, nil, false
	}
	return binary.BigEndian.Uint16(b), b[4:n], b[n:], true
}

// attribute keeps one attribute if it is on the allow-list. It reports whether
// the lengths in it agree.
func (m *IntelliVue) attribute(id uint16, v []byte) bool {
	switch {
	case id == ivSystemID && len(v) >= 10 && v[0] == 0 && v[1] == 8:
		m.SystemID = EUI64(v[2:])
	case id == ivSystemType && len(v) >= 4:
		m.TypeCode = binary.BigEndian.Uint16(v[2:])
	case id == ivMode && len(v) == 2:
		m.Mode = modeOf(binary.BigEndian.Uint16(v))
	case id == ivModel:
		maker, rest := variableLabel(v)
		model, rest := variableLabel(rest)
		m.Manufacturer.set(maker)
		m.Model.set(model)
		return rest != nil && len(rest) == 0
	case id == ivProduction && len(v) >= 4:
		return m.production(v[4:]) && int(binary.BigEndian.Uint16(v[2:])) == len(v)-4
	}
	return true
}

// production reads the production specification: entries of type, component
// and label. It reports whether they fill v.
func (m *IntelliVue) production(v []byte) bool {
	for len(v) >= 6 {
		spec, component := binary.BigEndian.Uint16(v), binary.BigEndian.Uint16(v[2:])
		var label []byte
		if label, v = variableLabel(v[4:]); v == nil {
			return false
		}
		switch {
		case spec == ivSpecSerial && component == ivProduct:
			m.Serial.setOnce(label)
		case spec == ivSpecSW && component == ivApplication:
			m.Software.setOnce(label)
		}
	}
	return len(v) == 0
}

// variableLabel returns the label at the start of v, a 16-bit length and that
// many bytes, up to its first NUL, and what follows it. Dashes alone mean that
// it was never set. Where it goes past the end, the rest is nil.
func variableLabel(v []byte) (label, rest []byte) {
	if len(v) < 2 || len(v) < 2+int(binary.BigEndian.Uint16(v)) {
		return nil, nil
	}
	n := 2 + int(binary.BigEndian.Uint16(v))
	label, rest = v[2:n], v[n:]
	if i := bytes.IndexByte(label, 0); i >= 0 {
		label = label[:i]
	}
	if len(bytes.Trim(label, "-")) == 0 {
		label = nil
	}
	return label, rest
}

// dataMessage reads the header of a data message: remote operation, length,
// and for all but linked results invoke id and command.
func (m *IntelliVue) dataMessage(b []byte) bool {
	*m = IntelliVue{}
	op := binary.BigEndian.Uint16(b[4:])
	if int(binary.BigEndian.Uint16(b[6:])) != len(b)-8 {
		return false
	}
	switch op {
	case 1, 2:
		m.Command = binary.BigEndian.Uint16(b[10:])
	case 3, 5:
	default:
		return false
	}
	m.RemoteOp, m.Kind = op, IntelliVueDataResponse
	if op == 1 && m.Command > 1 || op == 2 && m.Command == 1 {
		m.Kind = IntelliVueDataRequest
	}
	if m.Kind == IntelliVueDataResponse && (op == 2 && m.Command == ivAction || op == 5) {
		m.result(b[8:])
	}
	return true
}

// associationKind recognises an association message by its session header
// (ITU-T X.225): type, a length that fits, and, where an association is
// opened, the object identifier of the IEEE 1073 ACSE.
func associationKind(b []byte) IntelliVueKind {
	if len(b) < 4 {
		return 0
	}
	at, n := 2, int(b[1])
	if n == 0xff {
		at, n = 4, int(binary.BigEndian.Uint16(b[2:]))
	}
	if n < 4 || n != len(b)-at {
		return 0
	}
	body := b[at:min(len(b), 512)]
	opens := bytes.Contains(body, []byte{0x2a, 0x86, 0x48, 0xce, 0x14, 0x02, 0x01})
	presentation := body[0] == 0xc1 || len(body) > 3 && body[3] == 0xc1 // after the abort's reason
	switch {
	case b[0] == 0x0d && opens:
		return IntelliVueAssociateRequest
	case b[0] == 0x0e && opens:
		return IntelliVueAssociateAccept
	case b[0] == 0x0c && opens:
		return IntelliVueAssociateRefuse
	case b[0] == 0x09 && presentation:
		return IntelliVueRelease
	case b[0] == 0x0a && presentation:
		return IntelliVueReleased
	case b[0] == 0x19 && presentation:
		return IntelliVueAbort
	}
	return 0
}
