package dissect

// Bytes of a frame of laboratory equipment (ASTM E1381, CLSI LIS1-A): STX, a
// digit from 0 to 7, records, ETX or ETB, a checksum of two hexadecimal
// digits, CR, LF.
const (
	astmENQ = 0x05
	astmSTX = 0x02
	astmETX = 0x03
	astmETB = 0x17

	astmWindow = 1 << 10
	astmTail   = 5 // ETX to LF
)

// ASTM is one frame, and what its header record says of the sender (ASTM E1394,
// CLSI LIS2-A2).
//
// phi: never read: every record but the header; in that the password (4), all
// names but the sender's (5), addresses, telephone and time.
type ASTM struct {
	Record   byte // the letter of the first record, one of HPORCQLMS
	Sender   Text // H-5, component 1
	Version  Text // component 2
	Serial   Text // component 3
	Standard Text // H-13, such as LIS2-A2

	// Next is where in the stream the bytes after this frame begin, once Done.
	Next int
}

// isASTM reports whether b begins, as far as it goes, with a frame, perhaps
// behind the ENQ that asks for the line.
func isASTM(b []byte) bool {
	if len(b) > 0 && b[0] == astmENQ {
		b = b[1:]
	}
	return (len(b) < 1 || b[0] == astmSTX) && (len(b) < 2 || b[1] >= '0' && b[1] <= '7') && (len(b) < 3 || isASTMRecord(b[2])) && (len(b) < 4 || b[3] == '|')
}

// isASTMRecord reports the letter of a record.
func isASTMRecord(c byte) bool {
	switch c {
	case 'H', 'P', 'O', 'R', 'C', 'Q', 'L', 'M', 'S':
		return true
	}
	return false
}

// DecodeStream reads one frame at the start of b. With Done, go on at b[m.Next:].
func (m *ASTM) DecodeStream(b []byte) Progress {
	if !isASTM(b) {
		return No
	}
	*m = ASTM{}
	skip := 0
	if len(b) > 0 && b[0] == astmENQ {
		skip = 1
	}
	frame := b[skip:min(len(b), skip+astmWindow)]
	end, sum := 1, byte(0)
	for end < len(frame) && frame[end] != astmETX && frame[end] != astmETB {
		if frame[end] == astmSTX {
			return No
		}
		sum += frame[end]
		end++
	}
	if end+astmTail > len(frame) {
		if len(frame) < astmWindow {
			return NeedMore
		}
		return m.long(frame, skip)
	}
	sum += frame[end]
	if hexDigit(frame[end+1]) != sum>>4 || hexDigit(frame[end+2]) != sum&15 || frame[end+3] != '\r' || frame[end+4] != '\n' {
		return No
	}
	if end < 4 {
		return No
	}
	m.Record = frame[2]
	if m.Record == 'H' {
		m.header(frame[2:end])
	}
	m.Next = skip + end + astmTail
	return Done
}

// long reads a frame that is longer than the window: some put all records into
// one. Without a checksum only a header with the usual delimiters is believed.
func (m *ASTM) long(frame []byte, skip int) Progress {
	const header = `H|\^&|`
	if string(frame[2:2+len(header)]) != header {
		return No
	}
	m.Record = 'H'
	m.header(frame[2:])
	m.Next = skip + len(frame)
	return Done
}

// header reads the fields of H, each if it ends within b. Those that do not
// begin with delimiters are no header: a frame may end within a record, and the
// next one begin with the end of a name.
func (m *ASTM) header(b []byte) {
	record, _, ended := cutByte(b, '\r')
	component := byte('^')
	for n, more := 1, true; more && n <= 13; n++ {
		var v []byte
		if v, record, more = cutByte(record, '|'); !more && !ended {
			return // it may go on in the next frame
		}
		switch n {
		case 2: // repetition, component, escape
			if !isDelimiters(v) {
				return
			}
			component = v[1]
		case 5:
			m.sender(v, component)
		case 13:
			m.Standard.set(firstPart(v, component))
		}
	}
}

// isDelimiters reports two to four characters that can be delimiters.
func isDelimiters(v []byte) bool {
	for _, c := range v {
		if !isPunct(c) {
			return false
		}
	}
	return len(v) >= 2 && len(v) <= 4
}

func (m *ASTM) sender(v []byte, component byte) {
	name, v, _ := cutByte(v, component)
	version, v, _ := cutByte(v, component)
	m.Sender.set(name)
	m.Version.set(version)
	m.Serial.set(firstPart(v, component))
}
