package dissect

// Bytes of a BCC frame (B. Braun "BCC" computer interface of Space):
// SOH, five digits of length, STX, bed>info, ETX or ETB, five digits of
// checksum, EOT.
const (
	bccSOH  = 0x01
	bccSTX  = 0x02
	bccETX  = 0x03 // the last block
	bccEOT  = 0x04
	bccACK  = 0x06
	bccNAK  = 0x15
	bccETB  = 0x17 // more blocks follow
	bccRS   = 0x1e // between records
	bccHead = 7    // SOH to STX
	bccTail = 7    // ETX to EOT

	bccWindow  = 1 << 10 // of a frame as it is on the wire
	bccMaxBed  = 64
	maxBCCPump = 8
)

// BCC is what one frame says of a rack of infusion pumps and of the computer in
// it. On the wire D, E, d and e are written as two characters, unless a rack is
// set to do without; length and checksum count the text without that.
//
// phi: never read: the bed in front of the text, every parameter but the ones
// below, above all patient, nurse, drug, order, rate, dose and volume.
type BCC struct {
	Request  BCCRequest
	Version  Text // of the rack's computer, V and digits
	Pumps    [maxBCCPump]BCCPump
	PumpsLen uint8
	cut      bool // it has pumps that are not here

	// Next is where in the stream the bytes after this frame begin, once Done.
	Next int
}

// BCCRequest is what a host asks for.
type BCCRequest uint8

// The requests; zero is none of them, as in an answer.
const (
	_ BCCRequest = iota
	BCCAlive
	BCCVersion
	BCCValues // MEM:GET… all values, or those of a slot
)

// BCCPump is one pump of the rack, by its slot.
type BCCPump struct {
	Slot       [2]byte // pillar and position, characters
	Model      Text    // GNMODEL or GNNEW, a type such as 688F030006
	Number     Text    // INNR
	TypeNumber Text    // INDTNR
	Serial     Text    // INSERNUM
	State      BCCState
}

// BCCState is whether a pump works, in the order of what counts more.
type BCCState uint8

// The states; zero is not said.
const (
	_ BCCState = iota
	BCCOff
	BCCOn
	BCCReady
	BCCStandby
	BCCKeepOpen // delivers just enough to keep the vein open
	BCCActive
)

// String names the state.
func (s BCCState) String() string {
	return [...]string{"", "off", "on", "ready", "standby", "kvo", "active"}[min(s, BCCActive)]
}

// isBCC reports whether b begins, as far as it goes, with a frame, perhaps
// behind the acknowledgement of another.
func isBCC(b []byte) bool {
	if len(b) > 0 && (b[0] == bccACK || b[0] == bccNAK) {
		b = b[1:]
	}
	for i := range min(len(b), bccHead) {
		switch c := b[i]; {
		case i == 0 && c != bccSOH, i == bccHead-1 && c != bccSTX, i > 0 && i < bccHead-1 && (c < '0' || c > '9'):
			return false
		}
	}
	return true
}

// DecodeStream reads one frame at the start of b. Of a frame that is longer
// than the window what stands there is read, which no checksum proves.
func (m *BCC) DecodeStream(b []byte) Progress {
	if !isBCC(b) {
		return No
	}
	*m = BCC{}
	skip := 0
	if len(b) > 0 && b[0] != bccSOH {
		skip = 1
	}
	frame := b[skip:]
	if len(frame) < bccHead {
		return NeedMore
	}
	end := bccHead
	for end < len(frame) && end < bccWindow && frame[end] != bccEOT {
		if frame[end] == bccSOH {
			return No
		}
		end++
	}
	whole := end < len(frame) && frame[end] == bccEOT
	if !whole && end < bccWindow {
		return NeedMore
	}
	if whole {
		end++
	}
	var text [bccWindow]byte
	n, ok := destuff(text[:], frame[:end])
	if ok = ok && (!whole || bccIsSound(text[:n])); ok {
		ok = m.text(text[bccHead:n], whole)
	} else if whole && bccIsSound(frame[:end]) { // a rack that is set to write no character twice
		ok = m.text(frame[bccHead:end], whole)
	}
	clear(text[:]) // it may hold a patient
	if !ok {
		*m = BCC{}
		return No
	}
	m.Next = skip + end
	return Done
}

// destuff undoes the doubling of D, E, d and e and returns how long the text
// is. What cannot have been written so is no BCC.
func destuff(dst, src []byte) (n int, ok bool) {
	for i := 0; i < len(src); i, n = i+1, n+1 {
		c := src[i]
		if c == 'E' || c == 'e' {
			if i++; i == len(src) {
				break // the second character is behind the window
			}
			switch c2 := src[i]; {
			case c2 == c:
			case c2 == c+'X'-'E': // EX and ex
				c--
			default:
				return 0, false
			}
		}
		dst[n] = c
	}
	return n, true
}

// bccIsSound reports whether length and checksum of a whole frame are right:
// all bytes are counted, and those from SOH to ETX are added.
func bccIsSound(t []byte) bool {
	if len(t) < bccHead+bccTail || digitsValue(t[1:bccHead-1]) != len(t) {
		return false
	}
	end := len(t) - bccTail
	if t[end] != bccETX && t[end] != bccETB {
		return false
	}
	sum := 0
	for _, c := range t[:end+1] {
		sum += int(c)
	}
	return digitsValue(t[end+1:end+6]) == sum&0xff
}

// digitsValue reads decimal digits, up to some nine of them, or returns -1.
func digitsValue(b []byte) (n int) {
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<26 {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// text reads bed>info. It reports false where that is not what stands there.
func (m *BCC) text(t []byte, whole bool) bool {
	if whole {
		t = t[:len(t)-bccTail]
	}
	bed, info, ok := cutByte(t, '>')
	if !ok || len(bed) > bccMaxBed {
		return false
	}
	switch string(info) {
	case "ADMIN:ALIVE":
		m.Request = BCCAlive
	case "ADMIN:VERSION":
		m.Request = BCCVersion
	}
	if memory := "MEM:"; len(info) > len(memory) && string(info[:len(memory)]) == memory {
		m.Request = BCCValues
	}
	for more := m.Request == 0; more; {
		var record []byte
		record, info, more = cutByte(info, bccRS)
		if more || whole { // else it may go on behind the window
			m.record(record)
		}
	}
	if m.cut || !whole { // of the pumps that were not read each may infuse
		for i := range m.Pumps {
			if p := &m.Pumps[i]; p.State < BCCKeepOpen {
				p.State = 0
			}
		}
	}
	return true
}

// record reads time,slot,PARAMETER,value.
func (m *BCC) record(r []byte) {
	_, rest, _ := cutByte(r, ',')
	slot, rest, _ := cutByte(rest, ',')
	name, value, ok := cutByte(rest, ',')
	if !ok {
		if isBCCVersion(r) {
			m.Version.setOnce(r)
		}
		return
	}
	if isBCCVersion(value) && (string(name) == "VERSION" || string(name) == "ADMIN") {
		m.Version.setOnce(value)
		return
	}
	const rack = "501"
	if len(slot) != 5 || string(slot[:3]) != rack || !isAlnum(slot[3]) || !isAlnum(slot[4]) || len(value) == 0 {
		return
	}
	var p BCCPump
	switch string(name) {
	case "GNMODEL", "GNNEW":
		p.Model.set(value)
	case "INNR":
		p.Number.set(value)
	case "INDTNR":
		p.TypeNumber.set(value)
	case "INSERNUM":
		p.Serial.set(value)
	default:
		p.State = bccState(name, value)
	}
	if p != (BCCPump{}) {
		m.merge([2]byte{slot[3], slot[4]}, &p)
	}
}

// merge adds what a record says to the pump of its slot.
func (m *BCC) merge(slot [2]byte, p *BCCPump) {
	i := 0
	for i < int(m.PumpsLen) && m.Pumps[i].Slot != slot {
		i++
	}
	if i == len(m.Pumps) {
		m.cut = true
		return
	}
	m.PumpsLen = max(m.PumpsLen, uint8(i+1))
	have := &m.Pumps[i]
	have.Slot = slot
	for _, f := range []struct{ to, from *Text }{{&have.Model, &p.Model}, {&have.Number, &p.Number}, {&have.TypeNumber, &p.TypeNumber}, {&have.Serial, &p.Serial}} {
		if f.to.IsZero() {
			*f.to = *f.from
		}
	}
	have.State = max(have.State, p.State)
}

// bccState compares a parameter with those that say whether a pump works.
func bccState(name, value []byte) BCCState {
	on := digitsValue(value) == 1
	switch string(name) {
	case "INM3":
		return when(on, BCCActive)
	case "INM10":
		return when(on, BCCKeepOpen)
	case "INM6":
		return when(on, BCCStandby)
	case "INM1":
		return when(on, BCCReady)
	case "RUNSTATE": // bit 0 stopped, bit 1 runs, bit 2 alarm
		return when(digitsValue(value) > 0 && digitsValue(value)&2 != 0, BCCActive)
	case "DSSTATUS":
		switch string(value) {
		case "00050":
			return BCCOff
		case "00051":
			return BCCOn
		}
	}
	return 0
}

func when(yes bool, s BCCState) BCCState {
	if yes {
		return s
	}
	return 0
}

// isBCCVersion reports V and a number, such as V3.30.
func isBCCVersion(v []byte) bool {
	if len(v) < 2 || len(v) > 12 || v[0] != 'V' {
		return false
	}
	for _, c := range v[1:] {
		if c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
