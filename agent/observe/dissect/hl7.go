package dissect

import "bytes"

// Bytes of MLLP framing (HL7 v2 Implementation Guide appendix C) and the
// window of a frame that is looked at.
const (
	mllpStart = 0x0b
	mllpEnd   = 0x1c
	hl7Window = 4 << 10
)

// Limits of what is kept of one HL7 frame.
const (
	maxHL7Codes   = 16
	maxHL7Devices = 4
	maxHL7Parts   = 4
	maxHL7Soft    = 2
)

// HL7 is what the header and the device segments of one HL7 v2 message say of
// the devices and systems that take part.
//
// phi: never read: every segment but MSH, SFT, EQU, MSA, OBX and PRT; in MSH
// all but 3, 4, 9, 12 and 21, above all 8 (may hold a token) and 10 (may hold a
// record number); in SFT 5; in MSA all but 1; in EQU all but 1 and 3; in OBX all
// but 3 (a number), 4 (its depth) and 18, above all 16 (a nurse's id) and 5, the
// value, which is compared with the words of three device states and never kept;
// in PRT all but 10, 16, 19, 20 and 22, above all 5 (a person) and 9 (a place), and
// PRT in any message but a report, or beside the patient and the visit in one: there
// it may be what is implanted in the patient.
type HL7 struct {
	// Empty is a frame without content, a bare server's answer.
	Empty bool
	// Batch is a file or batch of messages (FHS, BHS), of which the header is
	// the first one's.
	Batch bool

	SendingApp      Text // MSH-3, the whole field
	SendingFacility Text // MSH-4
	MessageType     Text // MSH-9, such as ORU_R01_ORU_R01
	Version         Text // MSH-12
	Profile         Text // MSH-21, first repetition

	Codes      [maxHL7Codes]HL7Code // distinct device codes of OBX-3
	CodesLen   uint8
	Devices    [maxHL7Devices]Text // distinct equipment instances of OBX-18
	DevicesLen uint8
	Parts      [maxHL7Parts]HL7Participation
	PartsLen   uint8

	Software    [maxHL7Soft]HL7Software
	SoftwareLen uint8
	PCD         HL7PCD       // from MSH-21 and MSH-9
	Ack         HL7Ack       // MSA-1
	Equipment   HL7Equipment // EQU-3
	Pump        HL7Pump
	Alarm       bool // an alarm of the device is active

	// Next is where in the stream the bytes after this frame begin, once Done.
	Next int
}

// HL7Code is a device code of OBX-3 (ISO/IEEE 11073-10101, partition 1).
type HL7Code struct {
	Code  uint32 // 65536 + the term code, such as 69985 for an infusion pump
	Depth uint8  // by OBX-4: 1 the device (MDS), 2 VMD, 3 channel, 4 metric; 0 not said
}

// HL7Participation is the device part of one PRT segment (HL7 2.8.2 §7.4.4).
type HL7Participation struct {
	Device     Text // PRT-10, the whole field
	UDI        Text // PRT-16, device identifier
	Lot        Text // PRT-19
	Serial     Text // PRT-20
	DeviceType Text // PRT-22, the whole field
}

// DecodeStream reads one MLLP frame at the start of b; the line ends that a
// sender may have left behind the frame before it are passed over. Of a long
// frame the first 4 KiB are read. With Done, go on at b[m.Next:].
func (m *HL7) DecodeStream(b []byte) Progress {
	skip := 0
	for skip < len(b) && skip < 2 && (b[skip] == '\r' || b[skip] == '\n') {
		skip++
	}
	frame := b[skip:]
	if len(frame) > 0 && frame[0] != mllpStart {
		return No
	}
	if len(frame) > 1 && frame[1] != mllpEnd && !isHL7Start(frame[1:]) {
		return No
	}
	*m = HL7{}
	if len(frame) < 2 {
		return NeedMore
	}
	end := 1
	for end < len(frame) && frame[end] != mllpEnd {
		end++
	}
	ended := end < len(frame)
	m.Empty = ended && end == 1
	whole := ended && end <= hl7Window
	m.segments(frame[1:min(end, hl7Window)], whole)
	if !whole {
		m.cut()
	}
	if !ended && len(frame) < hl7Window {
		return NeedMore
	}
	m.Next = skip + end
	if ended {
		m.Next++
		if m.Next < len(b) && b[m.Next] == '\r' {
			m.Next++
		}
	}
	return Done
}

// DecodeBare reads a message without MLLP framing, as some senders put it on
// UDP, raw TCP or into HTTP: it is Done once the MSH segment is complete.
func (m *HL7) DecodeBare(b []byte) Progress {
	if !isHL7Start(b) {
		return No
	}
	*m = HL7{}
	window := b[:min(len(b), hl7Window)]
	start := 0
	for i, c := range window {
		switch c {
		case '\r', '\n', mllpEnd:
			line := window[start:i]
			start = i + 1
			switch {
			case len(line) == 0: // between CR and LF
			case len(line) < 4 || !isHL7Start(line):
				return No
			case line[0] == 'M':
				m.segments(window, false)
				m.cut() // nothing tells where it ends
				m.Next = len(b)
				return Done
			}
		case mllpStart:
			return No
		}
	}
	if len(b) >= hl7Window {
		return No
	}
	return NeedMore
}

// resyncHL7 finds the first MLLP frame of b that begins behind the end of
// another, for a stream of which the beginning was not seen, and returns where
// it begins; 0 for nowhere.
func resyncHL7(b []byte) int {
	const start = "\x0bMSH"
	for at := 0; ; at++ {
		next := bytes.Index(b[at:], []byte(start))
		if at += next; next < 0 || len(b)-at <= len(start) {
			return 0
		}
		if at > 0 && (b[at-1] == mllpEnd || b[at-1] == '\r' || b[at-1] == '\n') && isPunct(b[at+len(start)]) {
			return at
		}
	}
}

// isHL7Start reports whether b begins, as far as it goes, with a segment that
// can open a message: header of a message, a batch or a file, a separator that
// is punctuation, and nothing else up to the next one or the end of the segment:
// other text may begin with these letters ("MSH-2.0-x" is what a bit makes of the
// banner of SSH).
func isHL7Start(b []byte) bool {
	const msh, bhs, fhs = "MSH", "BHS", "FHS"
	n := min(len(b), 3)
	if s := string(b[:n]); s != msh[:n] && s != bhs[:n] && s != fhs[:n] {
		return false
	}
	if len(b) < 4 {
		return true
	}
	for _, c := range b[4:min(len(b), 9)] { // at most five delimiters
		if c == b[3] || c == '\r' || c == '\n' {
			break
		}
		if !isPunct(c) {
			return false
		}
	}
	return isPunct(b[3])
}

// isPunct reports whether c is printable ASCII, no space, letter or digit.
func isPunct(c byte) bool { return c > ' ' && c < 0x7f && !isAlnum(c) }

// segments reads the segments of b. The last one has no end of its own: it
// is read only if it is complete.
func (m *HL7) segments(b []byte, complete bool) {
	var sep hl7Separators
	var kind []byte  // of the message that the segment is in
	seen := false    // the first MSH; in a batch more follow
	patient := false // the segments are about the patient or the visit
	for start, i := 0, 0; i <= len(b); i++ {
		if i < len(b) && b[i] != '\r' && b[i] != '\n' && b[i] != mllpEnd {
			continue
		}
		if i == len(b) && !complete {
			return
		}
		seg := b[start:i]
		start = i + 1
		if len(seg) < 4 {
			continue
		}
		switch string(seg[:3]) {
		case "FHS", "BHS":
			m.Batch = m.Batch || !seen
		case "MSH":
			if seen && !m.Batch || !sep.read(seg) {
				return
			}
			if !seen {
				m.msh(seg, sep)
			}
			seen, patient, kind = true, false, messageCode(seg, sep)
		case "PID", "PV1":
			patient = true
		case "ORC", "OBR":
			patient = false
		case "SFT":
			if seen && seg[3] == sep.field {
				m.sft(seg, sep)
			}
		case "EQU":
			if seen && seg[3] == sep.field && !isCommand(kind) {
				m.equ(seg, sep)
			}
		case "MSA":
			if seen && seg[3] == sep.field {
				m.msa(seg, sep)
			}
		case "OBX":
			patient = false
			if seen && seg[3] == sep.field && !isCommand(kind) {
				m.obx(seg, sep)
			}
		case "PRT":
			if seen && seg[3] == sep.field && !patient && isReport(kind) {
				m.prt(seg, sep)
			}
		}
	}
}
