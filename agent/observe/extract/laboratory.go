package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// readASTM states what laboratory equipment says of itself, and what class of
// records it sends.
func (x *Extractor) readASTM(c *flows.Conn, b []byte) (used int, p dissect.Progress) {
	return eachFrame(b, func(b []byte) (int, dissect.Progress) {
		m := &x.decoders.astm
		p := m.DecodeStream(b)
		if p != dissect.Done {
			return 0, p
		}
		w := sender(c)
		x.say(w, fact.ASTMSender, &m.Sender)
		x.say(w, fact.ASTMVersion, &m.Version)
		x.say(w, fact.ASTMSerial, &m.Serial)
		x.say(w, fact.ASTMStandard, &m.Standard)
		switch m.Record {
		case 'R':
			x.word(w, fact.ASTMSends, "results")
		case 'Q':
			x.word(w, fact.ASTMSends, "queries")
		case 'O':
			x.word(w, fact.ASTMSends, "orders")
		}
		return m.Next, p
	})
}

// readPOCT1A states what a point-of-care device says of itself.
func (x *Extractor) readPOCT1A(c *flows.Conn, b []byte, final bool) dissect.Progress {
	m := &x.decoders.poct1a
	p := m.DecodeStream(b)
	if p == dissect.No || p == dissect.NeedMore && (!final || m.Message == 0) {
		return p
	}
	w := sender(c)
	x.word(w, fact.POCTSends, m.Message.String())
	x.word(w, fact.POCTState, m.State.String())
	x.say(w, fact.POCTVendor, &m.Vendor)
	x.say(w, fact.POCTModel, &m.Model)
	x.say(w, fact.POCTSerial, &m.Serial)
	x.say(w, fact.POCTDeviceID, &m.DeviceID)
	x.say(w, fact.POCTMaker, &m.Maker)
	x.say(w, fact.POCTHardware, &m.Hardware)
	x.say(w, fact.POCTSoftware, &m.Software)
	x.say(w, fact.POCTName, &m.Name)
	return dissect.Done
}
