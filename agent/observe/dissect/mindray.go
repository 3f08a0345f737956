package dissect

import "bytes"

// Mindray is the indication by which Mindray monitors and anaesthesia machines
// tell the network that they are there: an HL7 message (ADT) with the patient
// in it, broadcast by UDP.
//
// phi: never read: everything behind the MSH segment, and of it the fields that
// HL7 never reads.
type Mindray struct {
	App, Facility Text // MSH-3, MSH-4
	MessageType   Text // MSH-9
	Version       Text // MSH-12
}

// mindrayHead is how far into a datagram the header may begin, bytes.
const mindrayHead = 16

// Decode reads a UDP payload: its MSH segment, and nothing else.
func (m *Mindray) Decode(b []byte) bool {
	*m = Mindray{}
	at := bytes.Index(b[:min(len(b), mindrayHead+4)], []byte("MSH|"))
	if at < 0 {
		return false
	}
	end := bytes.IndexAny(b[at:], "\r\n")
	if end < 0 {
		return false
	}
	var header HL7
	if header.DecodeBare(b[at:at+end+1]) != Done {
		return false
	}
	*m = Mindray{App: header.SendingApp, Facility: header.SendingFacility, MessageType: header.MessageType, Version: header.Version}
	return !m.MessageType.IsZero()
}

// MindrayClass is the class of a message that a Mindray monitor and its collector
// send each other by HL7 (protocols.md §2.10).
type MindrayClass uint8

// The classes; zero is none of them.
const (
	_                MindrayClass = iota
	MindrayHeartbeat              // of either side
	MindrayValues                 // periodic
	MindrayPressure               // non-invasive, when it was measured
	MindrayWaves
)

// String names the class.
func (c MindrayClass) String() string {
	return [...]string{"", "heartbeat", "values", "pressure", "waves"}[min(c, MindrayWaves)]
}

// MindrayClassOf tells the class of an HL7 message, in its frame or without, by the
// control id that Mindray uses for it. Only where the header has nothing else in it,
// neither sender nor time, is MSH-10 compared: other senders count there, or write a
// record number.
func MindrayClassOf(b []byte) MindrayClass {
	const head = `MSH|^~\&|||||||ORU^R01|`
	b = bytes.TrimLeft(b[:min(len(b), 64)], "\r\n\x0b")
	if !bytes.HasPrefix(b, []byte(head)) {
		return 0
	}
	for c, id := range [...]string{MindrayHeartbeat: "106", MindrayValues: "204", MindrayPressure: "503", MindrayWaves: "157"} {
		if id != "" && bytes.HasPrefix(b[len(head):], []byte(id+"|P|2.3.1")) {
			return MindrayClass(c)
		}
	}
	return 0
}
