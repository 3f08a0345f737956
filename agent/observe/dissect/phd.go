package dissect

import "encoding/binary"

// PHD is a message of a personal health device (ISO/IEEE 11073-20601) to its
// manager: an association, or what the device says of itself.
//
// phi: never read: scan reports and stores of measurements, persons, and every
// attribute that is not named below.
type PHD struct {
	Kind PHDKind

	Manager  bool // the sender of an association is the manager
	SystemID EUI64
	Config   uint16 // id of the device's configuration

	Manufacturer, Model, Serial, Firmware Text
	Profiles                              [4]uint16 // MDC_DEV_SPEC_PROFILE_*, such as 4100 for a pulse oximeter
	ProfilesLen                           uint8

	// Next is where in the stream the bytes after this APDU begin, once Done.
	Next int
}

// PHDKind is the kind of a message.
type PHDKind uint8

// Kinds. The zero value is none of them.
const (
	_             PHDKind = iota
	PHDRequest            // association request
	PHDResponse           // association response
	PHDAttributes         // answer to a get of the device
	PHDReport             // measurements came
	PHDOther              // other data
)

// Choices of an APDU, and layout, offsets in bytes.
const (
	phdAARQ = 0xe200
	phdAARE = 0xe300
	phdPRST = 0xe700

	phdHeader   = 4
	phdProtocol = 0x5079
	phdWindow   = 1 << 10

	phdOctets = 4
	phdChoice = 8
	phdHandle = 12 // of a get response: object, count, length, attributes
	phdValues = 14
	phdGet    = 0x0203
	phdEvent  = 0x0100
	phdCEvent = 0x0101

	phdEventType   = 18   // of an event report: object, time, type
	phdFirstReport = 3357 // MDC_NOTI_SCAN_REPORT_FIXED
	phdLastReport  = 3373 // MDC_NOTI_BUF_SCAN_REPORT_MP_GROUPED

	phdSysType  = 14 // within the protocol's part
	phdSysID    = 18
	phdConfigID = 28
	phdPartLen  = 30
)

// isPHD looks at what follows the first bytes, as far as it goes: the length of
// an association fits what an association holds, that of data both its lengths.
func isPHD(b []byte) bool {
	if len(b) < phdHeader {
		return true
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	u16 := func(at int) (v int, ok bool) {
		if len(b) < at+2 {
			return 0, false
		}
		return int(binary.BigEndian.Uint16(b[at:])), true
	}
	is := func(at, want int) bool { v, ok := u16(at); return !ok || v == want }
	switch binary.BigEndian.Uint16(b) {
	case phdAARQ: // version 1, then the list of protocols
		list, ok := u16(10)
		return n >= 8 && n < phdWindow && is(4, 0x8000) && is(6, 0) && (!ok || list == n-8)
	case phdAARE: // result, then one protocol
		result, ok := u16(4)
		size, sized := u16(8)
		return n >= 6 && n < phdWindow && (!ok || result <= 8) && is(6, phdProtocol) && (!sized || size == n-6)
	case phdPRST:
		choice, ok := u16(phdChoice)
		return n >= 8 && is(phdOctets, n-2) && is(10, n-8) && (!ok || choice>>8 >= 1 && choice>>8 <= 4 && choice&0xff <= 7)
	}
	return false
}

// DecodeStream reads the APDU at the start of b. Release and abort say nothing
// and are too short to be told by their shape.
func (m *PHD) DecodeStream(b []byte) Progress {
	if len(b) < phdHeader {
		return NeedMore
	}
	if !isPHD(b) {
		return No
	}
	n := phdHeader + int(binary.BigEndian.Uint16(b[2:]))
	if len(b) < min(n, phdWindow) {
		return NeedMore
	}
	*m = PHD{Next: n}
	b = b[:min(n, len(b))]
	switch binary.BigEndian.Uint16(b) {
	case phdAARQ:
		m.Kind = PHDRequest
		for rest := b[12:]; ; {
			id, v, after, ok := cutAttribute(rest)
			switch {
			case !ok:
				return No
			case id == phdProtocol:
				m.protocol(v)
				return Done
			}
			rest = after
		}
	case phdAARE:
		m.Kind = PHDResponse
		m.protocol(b[10:])
	case phdPRST:
		if len(b) < phdHandle {
			return No
		}
		switch binary.BigEndian.Uint16(b[phdChoice:]) {
		case phdGet:
			m.Kind = PHDAttributes
			m.get(b)
		case phdEvent, phdCEvent:
			m.Kind = eventKind(b)
		default:
			m.Kind = PHDOther
		}
	}
	return Done
}

// protocol reads what an association says of its sender.
func (m *PHD) protocol(b []byte) {
	if len(b) < phdPartLen {
		return
	}
	m.Manager = b[phdSysType] == 0x80
	if binary.BigEndian.Uint16(b[phdSysID:]) == 8 {
		m.SystemID = EUI64(b[phdSysID+2:])
		m.Config = binary.BigEndian.Uint16(b[phdConfigID:])
	}
}

// eventKind tells reports of measurements, now or from the store, from what else
// a device reports, as a configuration that its manager does not know.
func eventKind(b []byte) PHDKind {
	if len(b) < phdEventType+2 {
		return PHDOther
	}
	if event := binary.BigEndian.Uint16(b[phdEventType:]); event < phdFirstReport || event > phdLastReport {
		return PHDOther
	}
	return PHDReport
}

// get reads the attributes of the device, object 0. Where a length lies none is
// what it seems, and of a list that goes on behind the window nobody can tell.
func (m *PHD) get(b []byte) {
	if len(b) < phdValues+4 || m.Next > phdWindow || binary.BigEndian.Uint16(b[phdHandle:]) != 0 {
		return
	}
	if !eachAttribute(b[phdValues:], m.attribute) {
		*m = PHD{Kind: m.Kind, Next: m.Next}
	}
}

// Attributes, with the numbers of ISO/IEEE 11073-10101.
const (
	phdAttrModel      = 2344
	phdAttrProduction = 2349
	phdAttrSystem     = 2436
	phdAttrConfig     = 2628
	phdAttrProfiles   = 2650
	phdSpecSerial     = 1
	phdSpecFirmware   = 5
)

// attribute reads a value, and reports whether the lengths in it fit.
func (m *PHD) attribute(id uint16, v []byte) bool {
	switch {
	case id == phdAttrModel:
		maker, rest := variableLabel(v)
		model, rest := variableLabel(rest)
		m.Manufacturer.set(maker)
		m.Model.set(model)
		return rest != nil && len(rest) == 0
	case id == phdAttrSystem && len(v) == 10 && v[0] == 0 && v[1] == 8:
		m.SystemID = EUI64(v[2:])
	case id == phdAttrConfig && len(v) == 2:
		m.Config = binary.BigEndian.Uint16(v)
	case id == phdAttrProduction && len(v) >= 4:
		for v = v[4:]; len(v) >= 6; {
			spec := binary.BigEndian.Uint16(v)
			var label []byte
			if label, v = variableLabel(v[4:]); v == nil {
				return false
			}
			switch spec {
			case phdSpecSerial:
				m.Serial.setOnce(label)
			case phdSpecFirmware:
				m.Firmware.setOnce(label)
			}
		}
		return len(v) == 0
	case id == phdAttrProfiles && len(v) >= 4:
		for v = v[4:]; len(v) >= 4 && int(m.ProfilesLen) < len(m.Profiles); v = v[4:] {
			m.Profiles[m.ProfilesLen] = binary.BigEndian.Uint16(v)
			m.ProfilesLen++
		}
	}
	return true
}
