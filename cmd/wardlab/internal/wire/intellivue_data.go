package wire

import "encoding/binary"

// Object identifiers of IEEE 1073's association control (1.2.840.10004.1.…,
// BER): presentation syntax, and MDSE user information.
func mdseOID(arcs ...byte) []byte {
	oid := append([]byte{0x2A, 0x86, 0x48, 0xCE, 0x14, 0x02, 0x01, 0, 0, 0}, arcs...)
	return ber(0x06, oid)
}

// ber is one BER element of definite length below 64 KiB.
func ber(tag byte, content ...[]byte) []byte {
	var body be
	for _, c := range content {
		body = body.bytes(c)
	}
	switch n := len(body); {
	case n < 0x80:
		return be(nil).u8(tag, byte(n)).bytes(body)
	case n < 0x100:
		return be(nil).u8(tag, 0x81, byte(n)).bytes(body)
	default:
		return be(nil).u8(tag, 0x82).u16(uint16(n)).bytes(body)
	}
}

// li is a session length indicator (ISO 8327 8.2.5): one octet below 255.
func li(n int) []byte {
	if n < 255 {
		return []byte{byte(n)}
	}
	return be(nil).u8(255).u16(uint16(n))
}

// Session SPDU types of an association (ISO 8327).
const (
	SessionConnect    = 0x0D
	SessionAccept     = 0x0E
	SessionFinish     = 0x09
	SessionDisconnect = 0x0A
)

// association is a session connect or accept: session header, presentation
// header, and the ACSE request with the IEEE 1073 object identifiers around the
// MDSE user information.
func association(spdu byte, systemType, startup uint32) []byte {
	user := be(nil).u32(0x80000000). // MDDL version 1
						u32(0x40000000). // nomenclature version
						u32(0).          // functional units
						u32(systemType).
						u32(startup).
						u32(0).u32(0) // option list, supported profiles: none
	external := ber(0x28, mdseOID(1, 1), ber(0x02, []byte{2}), ber(0x81, user))
	acse := byte(0x60) // AARQ
	if spdu == SessionAccept {
		acse = 0x61 // AARE
	}
	apdu := ber(acse, ber(0xA1, mdseOID(3, 1)), ber(0xBE, external))
	contexts := ber(0xA4,
		ber(0x30, ber(0x02, []byte{1}), ber(0x06, []byte{0x52, 1, 0, 1}), ber(0x30, ber(0x06, []byte{0x51, 1}))),
		ber(0x30, ber(0x02, []byte{2}), mdseOID(1, 1), ber(0x30, mdseOID(2, 1))))
	data := ber(0x61, ber(0x30, ber(0x02, []byte{1}), ber(0xA0, apdu)))
	presentation := ber(0x31, ber(0xA0, ber(0x80, []byte{1})), ber(0xA2, contexts, data))

	session := []byte{5, 8, 0x13, 1, 0, 0x16, 1, 2, 0x80, 0, 0x14, 2, 0, 2}
	rest := append(append(append([]byte{}, session...), 0xC1), li(len(presentation))...)
	rest = append(rest, presentation...)
	return append(append([]byte{spdu}, li(len(rest))...), rest...)
}

// AssociationRequest is a central station's request (system type client, warm
// start).
func AssociationRequest() []byte { return association(SessionConnect, 0x80000000, 0x40000000) }

// AssociationAccept is the monitor's answer (system type server, hot start).
func AssociationAccept() []byte { return association(SessionAccept, 0x00800000, 0x20000000) }

// Remote operation types of a data message.
const (
	roInvoke = 1
	roResult = 2
)

// pollHeader is common to request and reply: session data prefix, remote
// operation, invoke id, command 7 (confirmed action), managed object MDS, action
// type 0x0C16 (single poll).
func pollMessage(ro, invoke uint16, tail []byte) []byte {
	action := be(nil).u16(0x0021).u16(0).u16(0)
	if ro == roInvoke {
		action = action.u32(0) // scope
	}
	action = action.u16(0x0C16).len16(tail)
	command := be(nil).u16(invoke).u16(7).len16(action)
	return be(nil).u8(0xE1, 0, 0, 2).u16(ro).len16(command)
}

// PollRequest asks for the numerics (partition 1, object 6: metric numeric).
func PollRequest(invoke uint16) []byte {
	return pollMessage(roInvoke, invoke, be(nil).u16(invoke).u16(1).u16(6).u16(0))
}

// PollReply carries n numerics which stand for a patient's values: NU_OBS_VAL
// (0x0950) of heart rate and so on. Nobody but the central station may keep them.
func PollReply(invoke uint16, relative uint32, values []uint16) []byte {
	var polls be
	for i, v := range values {
		// FLOAT-Type: exponent 0, mantissa v.
		numeric := be(nil).u16(0x4182 + uint16(i)).u16(0).u16(0x0AA0).u32(uint32(v))
		observation := attributes(attribute(0x0950, numeric))
		polls = polls.u16(uint16(i + 1)).bytes(observation)
	}
	context := be(nil).u16(0).u16(uint16(len(values))).len16(polls)
	info := be(nil).u16(1).len16(context)
	tail := be(nil).u16(invoke).u32(relative).
		u32(0xFFFFFFFF).u32(0xFFFFFFFF). // no absolute time
		u16(1).u16(6).u16(0).bytes(info)
	return pollMessage(roResult, invoke, tail)
}

// PollInvoke is the invoke id of a poll request or reply, and whether it is one.
func PollInvoke(b []byte) (uint16, bool) {
	if len(b) < 10 || binary.BigEndian.Uint32(b) != 0xE1000002 {
		return 0, false
	}
	return binary.BigEndian.Uint16(b[8:]), true
}
