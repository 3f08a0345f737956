package dissect

const serialWindow = 256 // bytes of a line that are looked at

// SerialASCII is one line of a device whose serial port was put on the network:
// four protocols of which little may be read.
//
// phi: never read: everything but the named serial numbers and versions, above
// all the infusion, the settings and the vital signs in the same lines.
type SerialASCII struct {
	Line    SerialLine
	Serial  Text
	Version Text

	// Next is where in the stream the bytes after what was read begin, once Done.
	Next int
}

// SerialLine is the kind of a line.
type SerialLine uint8

// The kinds. The zero value is none.
const (
	_             SerialLine = iota
	AsenaCommand             // a question to an Alaris Asena syringe pump, or an answer that is not read
	AsenaIdentity            // the answer with the serial number
	AsenaProtocol            // the answer with the protocol's version
	AS50Command              // a question to a Baxter AS50 syringe pump
	AS50Ack                  // what may be an answer to it
	PB840Report              // Puritan Bennett 840 or 980, with the ventilator's number
	MasimoReport             // Masimo Radical, with the oximeter's number
)

// serialShape is a pattern of a line's beginning: 9 stands for a digit, every
// other character for itself.
func serialShape(b []byte, shape string) bool {
	for i := range min(len(b), len(shape)) {
		if c := shape[i]; c != b[i] && (c != '9' || b[i] < '0' || b[i] > '9') {
			return false
		}
	}
	return true
}

// Beginnings of the lines.
const (
	as50Device = "[DEV?]"
	as50Status = "[STATUS?]"
	as50Ack    = "[ACK]"
	pb840Short = "MISCA,"
	pb840Long  = "MISCF,"
	masimoLine = "99/99/99 99:99:99 SN="
)

// isSerialASCII reports whether b begins, as far as it goes, with a line of
// one of the protocols.
func isSerialASCII(b []byte) bool {
	if len(b) > 1 && b[0] == '!' {
		return b[1] >= 'A' && b[1] <= 'Z'
	}
	for _, shape := range []string{"!", as50Device, as50Status, as50Ack, pb840Short, pb840Long, masimoLine} {
		if serialShape(b, shape) {
			return true
		}
	}
	return false
}

// DecodeStream reads one line at the start of b, as far as it may be read.
func (m *SerialASCII) DecodeStream(b []byte) Progress {
	if !isSerialASCII(b) {
		return No
	}
	*m = SerialASCII{}
	window := b[:min(len(b), serialWindow)]
	p := NeedMore
	if len(b) > 0 {
		switch b[0] {
		case '!':
			p = m.asena(window)
		case '[':
			p = m.as50(window)
		case 'M':
			p = m.pb840(window)
		default:
			p = m.masimo(window)
		}
	}
	if p == NeedMore && len(window) == serialWindow {
		p = No
	}
	if p != Done {
		*m = SerialASCII{}
	}
	return p
}

// asena reads !COMMAND^value|CRC and CR.
func (m *SerialASCII) asena(b []byte) Progress {
	line, _, ended := cutByte(b, '\r')
	for _, c := range line {
		if c < ' ' || c >= 0x7f {
			return No
		}
	}
	if !ended {
		return NeedMore
	}
	const tail = len("|457D")
	if len(line) < 1+1+tail || line[len(line)-tail] != '|' {
		return No
	}
	text, sum := line[1:len(line)-tail], uint16(0)
	for _, c := range line[len(line)-tail+1:] {
		d := hexDigit(c)
		if d > 15 {
			return No
		}
		sum = sum<<4 | uint16(d)
	}
	if crc16(text) != sum {
		return No
	}
	m.Line, m.Next = AsenaCommand, len(line)+1
	command, value, ok := cutByte(text, '^')
	switch {
	case !ok || len(value) == 0:
	case string(command) == "INST_SERIALNO":
		m.Line = AsenaIdentity
		m.Serial.set(value)
	case string(command) == "COMMS_PROTOCOL":
		m.Line = AsenaProtocol
		m.Version.set(value)
	}
	return Done
}

// crc16 is CRC-16/IBM-3740 (polynomial 1021, from FFFF), which gives the
// checksums of the published commands of Asena.
func crc16(b []byte) uint16 {
	crc := uint16(0xffff)
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			if carry := crc&0x8000 != 0; carry {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// as50 knows the question for a device and for its state, and that there was
// an answer.
func (m *SerialASCII) as50(b []byte) Progress {
	for _, word := range []string{as50Device, as50Status, as50Ack} {
		if len(b) >= len(word) && string(b[:len(word)]) == word {
			m.Line, m.Next = AS50Command, len(word)
			if word == as50Ack {
				m.Line = AS50Ack
			}
			return Done
		}
	}
	return NeedMore
}

// pb840 reads MISCA,bytes,fields,STX,time,ventilator and nothing behind it.
func (m *SerialASCII) pb840(b []byte) Progress {
	const pb840ID = 18 // characters of a ventilator's number
	rest, field := b, []byte(nil)
	for n, more := 1, false; n <= 6; n++ {
		if field, rest, more = cutByte(rest, ','); !more {
			return NeedMore
		}
		switch n {
		case 2, 3:
			if len(field) == 0 || len(field) > 5 || digitsValue(trim(field)) < 0 {
				return No
			}
		case 4:
			if len(field) != 1 || field[0] != 0x02 {
				return No
			}
		}
	}
	id := trim(field)
	if len(id) == 0 || len(field) > pb840ID {
		return No
	}
	for _, c := range id {
		if !isAlnum(c) && c != ' ' && c != '-' {
			return No
		}
	}
	m.Line, m.Next = PB840Report, len(b)-len(rest)
	m.Serial.set(id)
	return Done
}

// masimo reads the number behind SN= where an oxygen saturation follows, and
// nothing of that.
func (m *SerialASCII) masimo(b []byte) Progress {
	const next = "SPO2="
	if len(b) <= len(masimoLine) {
		return NeedMore
	}
	number, rest, more := cutByte(b[len(masimoLine):], ' ')
	if len(number) > 16 || len(leadingDigits(number)) != len(number) {
		return No
	}
	switch {
	case !serialShape(rest, next):
		return No
	case !more || len(rest) < len(next):
		return NeedMore
	}
	m.Line, m.Next = MasimoReport, len(b)-len(rest)
	m.Serial.set(number)
	return Done
}
