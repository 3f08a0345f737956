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
