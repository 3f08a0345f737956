package dissect

// Bytes of a MEDIBUS frame (Dräger MEDIBUS protocol definition): ESC for a
// command or SOH for its answer, a code, arguments, a checksum of two
// hexadecimal digits, CR. Bytes with the highest bit set are data in real time
// that may stand anywhere in between.
const (
	medibusESC = 0x1b
	medibusSOH = 0x01
	medibusETX = 0x03
	medibusEnd = '\r'

	medibusWindow = 1 << 10
	medibusTail   = 3  // checksum and CR
	medibusName   = 32 // longest name of a device
)

// Medibus is one command or answer between a ventilator or anaesthesia machine
// and who collects from it.
//
// phi: never read: measured values, limits, alarms, settings, trends, times,
// texts, and data in real time. Of texts only the code of two is compared.
type Medibus struct {
	Code    byte // as on the wire, one of the list below
	Answer  bool
	ID      Text // number of the device type
	Model   Text // name of the device
	Version Text // of the device
	HasData bool // an answer that holds data or texts; who collects is asked too, and has none but the time
	Texts   bool // an answer about texts that holds some
	Standby bool // with one that says that the device is in standby

	// Next is where in the stream the bytes after this frame begin, once Done.
	Next int
}

// Codes of MEDIBUS. That they are printable is chance.
const (
	MedibusNAK        = 0x15
	MedibusValues     = 0x24
	MedibusTime       = 0x28
	MedibusTexts      = 0x2a
	MedibusNOP        = 0x30
	MedibusInitialise = 0x51
	MedibusIdentity   = 0x52
	MedibusStop       = 0x55
)

// isMedibusCode reports a code of the protocol.
func isMedibusCode(c byte) bool {
	switch {
	case c == MedibusNAK, c >= 0x24 && c <= 0x2e, c == MedibusNOP, c == 0x49, c == 0x4a, c >= 0x51 && c <= 0x56:
		return true
	}
	return false
}

// Collects reports a command by which somebody asks for data.
func (m *Medibus) Collects() bool {
	return !m.Answer && (isMedibusData(m.Code) || m.Code == 0x53)
}

// isMedibusData reports the code of data or texts, which are of a device; the time
// of day anybody has.
func isMedibusData(code byte) bool {
	return code >= MedibusValues && code <= 0x2e && code != MedibusTime
}

// isBareMedibus reports the code of a command that has no arguments.
func isBareMedibus(code byte) bool {
	return code >= MedibusValues && code <= 0x2e || code == MedibusNOP || code >= MedibusInitialise && code <= 0x53
}

// isMedibus reports whether b begins, as far as it goes, with a frame.
func isMedibus(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if b[0] != medibusESC && b[0] != medibusSOH {
		return false
	}
	for _, c := range b[1:] {
		if c < 0x80 {
			return isMedibusCode(c)
		}
	}
	return true
}

// DecodeStream reads one frame at the start of b. With Done, go on at b[m.Next:].
func (m *Medibus) DecodeStream(b []byte) Progress {
	if !isMedibus(b) {
		return No
	}
	*m = Medibus{}
	var frame [medibusWindow]byte // without what comes in real time
	n, end := 0, 0
	for end < len(b) && end < medibusWindow && (n == 0 || frame[n-1] != medibusEnd) {
		if c := b[end]; c < 0x80 {
			frame[n] = c
			n++
		}
		end++
	}
	p := m.frame(frame[:n])
	clear(frame[:n]) // it may hold what was measured
	switch {
	case p == NeedMore && end == medibusWindow:
		return No
	case p == Done:
		for end < len(b) && b[end] >= 0x80 {
			end++
		}
		m.Next = end
	}
	return p
}

// frame reads a frame up to its CR.
func (m *Medibus) frame(f []byte) Progress {
	if len(f) == 0 || f[len(f)-1] != medibusEnd {
		for _, c := range f[min(2, len(f)):] {
			if !isMedibusText(c) {
				return No
			}
		}
		return NeedMore
	}
	if len(f) < 2+medibusTail {
		return No
	}
	body := f[:len(f)-medibusTail]
	sum := byte(0)
	for i, c := range body {
		if i > 1 && !isMedibusText(c) {
			return No
		}
		sum += c
	}
	const upper = "0123456789ABCDEF"
	if f[len(body)] != upper[sum>>4] || f[len(body)+1] != upper[sum&15] {
		return No
	}
	m.Answer, m.Code = f[0] == medibusSOH, f[1]
	m.HasData = m.Answer && isMedibusData(m.Code) && len(body) > 2
	if !m.Answer && isBareMedibus(m.Code) && len(body) > 2 {
		return No // one line of text in 256 has the checksum by chance
	}
	switch {
	case m.Answer && m.Code == MedibusIdentity:
		m.identity(body[2:])
	case m.Answer && m.Code == MedibusTexts:
		m.texts(body[2:])
	}
	return Done
}

// isMedibusText reports what may stand in arguments: printable ASCII, and what
// ends a text.
func isMedibusText(c byte) bool { return c >= ' ' && c < 0x7f || c == medibusETX }

// identity reads four characters, 'name', and device:protocol revision. What is
// not of this form is not read.
func (m *Medibus) identity(v []byte) {
	const id, revision = 4, len("DD.DD:MM.MM")
	if len(v) < id+2+revision || v[id] != '\'' {
		return
	}
	name, rest, ok := cutByte(v[id+1:], '\'')
	if !ok || len(name) == 0 || len(name) > medibusName || len(rest) != revision || rest[5] != ':' {
		return
	}
	for i, c := range rest {
		if i != 5 && c != '.' && c != ' ' && (c < '0' || c > '9') {
			return
		}
	}
	m.ID.set(v[:id])
	m.Model.set(name)
	m.Version.set(rest[:5])
}

// texts looks for the codes of the texts that say standby: each text begins
// with two hexadecimal digits and ends in ETX.
func (m *Medibus) texts(v []byte) {
	m.Texts = len(v) > 0
	for more := len(v) > 0; more; {
		var text []byte
		text, v, more = cutByte(v, medibusETX)
		if len(text) < 2 {
			continue
		}
		switch string(text[:2]) {
		case "1E", "54": // the ventilator, the device
			m.Standby = true
		}
	}
}
