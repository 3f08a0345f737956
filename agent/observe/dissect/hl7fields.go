package dissect

// hl7Separators are the delimiters that a message declares in MSH-1 and MSH-2
// (HL7 2.5 §2.5.4).
type hl7Separators struct {
	field, component, repetition byte
}

// read takes the delimiters from an MSH segment and reports whether they can
// be ones. Where MSH-2 is short the recommended ones stand in.
func (s *hl7Separators) read(seg []byte) bool {
	*s = hl7Separators{field: seg[3], component: '^', repetition: '~'}
	if !isPunct(s.field) {
		return false
	}
	chars := seg[4:]
	if len(chars) > 0 && isPunct(chars[0]) && chars[0] != s.field {
		s.component = chars[0]
		if len(chars) > 1 && isPunct(chars[1]) && chars[1] != s.field {
			s.repetition = chars[1]
		}
	}
	return true
}

// cutByte returns the part of b before the first sep, and what follows it.
func cutByte(b []byte, sep byte) (part, rest []byte, more bool) {
	for i, c := range b {
		if c == sep {
			return b[:i], b[i+1:], true
		}
	}
	return b, nil, false
}

// msh reads the message header. MSH-1 is the separator itself, so the part
// with the index n, counted from 0 at "MSH", is MSH-(n+1).
func (m *HL7) msh(seg []byte, sep hl7Separators) {
	var kind []byte
	for n, more := 1, true; more && n <= 21; n++ {
		var v []byte
		v, seg, more = cutByte(seg, sep.field)
		switch n {
		case 3:
			m.SendingApp.set(v)
		case 4:
			m.SendingFacility.set(v)
		case 9:
			m.MessageType.set(v)
			kind = v
		case 12:
			m.Version.set(firstPart(v, sep.component))
		case 21:
			m.Profile.set(firstPart(v, sep.repetition))
			for again := len(v) > 0; again; {
				var one []byte
				if one, v, again = cutByte(v, sep.repetition); isPCD(one, sep) {
					m.PCD = pcdTransaction(kind, sep)
				}
			}
		}
	}
}

// obx reads what an observation says of the device that made it.
func (m *HL7) obx(seg []byte, sep hl7Separators) {
	var code HL7Code
	var what []byte
	for n, more := 0, true; more && n <= 18; n++ {
		var v []byte
		v, seg, more = cutByte(seg, sep.field)
		switch n {
		case 3:
			code.Code = mdcDeviceCode(v, sep)
			what = v
		case 4:
			code.Depth = containmentDepth(v)
		case 5:
			m.status(what, v, sep)
		case 18:
			for again := true; again && len(v) > 0; {
				var one []byte
				one, v, again = cutByte(v, sep.repetition)
				m.addDevice(one)
			}
		}
	}
	if code.Code != 0 {
		m.addCode(code)
	}
}

// prt reads the device that takes part; a segment about a person has none.
func (m *HL7) prt(seg []byte, sep hl7Separators) {
	if int(m.PartsLen) == len(m.Parts) {
		return
	}
	p := &m.Parts[m.PartsLen]
	for n, more := 0, true; more && n <= 22; n++ {
		var v []byte
		v, seg, more = cutByte(seg, sep.field)
		switch n {
		case 10:
			p.Device.set(firstPart(v, sep.repetition))
		case 16:
			p.UDI.set(v)
		case 19:
			p.Lot.set(v)
		case 20:
			p.Serial.set(v)
		case 22:
			p.DeviceType.set(v)
		}
	}
	if *p != (HL7Participation{}) {
		m.PartsLen++
	}
}

// firstPart returns v up to the first sep.
func firstPart(v []byte, sep byte) []byte {
	part, _, _ := cutByte(v, sep)
	return part
}

// addDevice keeps an equipment instance unless it is known or there is no room.
func (m *HL7) addDevice(v []byte) {
	if int(m.DevicesLen) == len(m.Devices) {
		return
	}
	d := &m.Devices[m.DevicesLen]
	d.set(v)
	for i := range m.Devices[:m.DevicesLen] {
		if m.Devices[i] == *d {
			*d = Text{}
			return
		}
	}
	if !d.IsZero() {
		m.DevicesLen++
	}
}

// addCode keeps a device code unless it is known or there is no room.
func (m *HL7) addCode(c HL7Code) {
	for _, have := range m.Codes[:m.CodesLen] {
		if have == c {
			return
		}
	}
	if int(m.CodesLen) < len(m.Codes) {
		m.Codes[m.CodesLen] = c
		m.CodesLen++
	}
}

// mdcDeviceCode returns the code of OBX-3 (code^text^system) if it is an MDC
// code that names a device or a part of one, and else 0: term codes 4096 to
// 8191 and the private ones from 61440 of partition 1. The others there are
// attributes, those of other partitions say what was measured.
func mdcDeviceCode(v []byte, sep hl7Separators) uint32 {
	number, rest, _ := cutByte(v, sep.component)
	_, system, _ := cutByte(rest, sep.component)
	if !foldEqual(firstPart(system, sep.component), "mdc") || len(number) == 0 || len(number) > 6 {
		return 0
	}
	code := uint32(0)
	for _, c := range number {
		if c < '0' || c > '9' {
			return 0
		}
		code = code*10 + uint32(c-'0')
	}
	term := code & 0xffff
	if code>>16 != 1 || term < 4096 || term >= 8192 && term < 61440 {
		return 0
	}
	return code
}

// containmentDepth returns how many of the numbers of OBX-4, mds.vmd.channel.metric,
// are not zero before the first that is (IHE PCD TF-2 appendix B.8), or 0 for
// another notation.
func containmentDepth(v []byte) uint8 {
	depth, open := uint8(0), true
	for more := len(v) > 0; more; {
		var part []byte
		part, v, more = cutByte(v, '.')
		zero := true
		for _, c := range part {
			if c < '0' || c > '9' {
				return 0
			}
			zero = zero && c == '0'
		}
		if open = open && !zero; open && depth < 4 {
			depth++
		}
	}
	return depth
}
