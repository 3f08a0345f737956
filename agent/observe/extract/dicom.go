package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// proposals are the contexts of the last associations that were asked for: the
// answer names them by number only.
type proposals struct {
	asked []proposal
	next  int
}

type proposal struct {
	conn uint64 // flows.Conn.ID
	n    int
	ids  [128]uint8
	uids [128]dissect.UID
}

// maxProposals is how many associations may be between question and answer.
const maxProposals = 16

// note keeps the contexts of a request.
func (p *proposals) note(conn uint64, m *dissect.DICOM) {
	if len(p.asked) < maxProposals {
		p.asked = append(p.asked, proposal{})
		p.next = len(p.asked) - 1
	}
	a := &p.asked[p.next]
	p.next = (p.next + 1) % maxProposals
	a.conn, a.n = conn, 0
	for _, c := range m.Contexts[:m.ContextsLen] {
		a.ids[a.n], a.uids[a.n] = c.ID, c.Abstract
		a.n++
	}
}

// of finds the request of a connection.
func (p *proposals) of(conn uint64) *proposal {
	for i := range p.asked {
		if p.asked[i].conn == conn {
			return &p.asked[i]
		}
	}
	return nil
}

// readDICOM reads PDUs one after the other, as long as they are associations.
func (x *Extractor) readDICOM(c *flows.Conn, b []byte) (used int, p dissect.Progress) {
	m := &x.decoders.dicom
	for used < len(b) {
		if p = m.DecodeStream(b[used:]); p != dissect.Done {
			return used, p
		}
		x.pdu(c, m)
		size := 6 + int(m.Length) // header and what it counts
		if m.PDU == dissect.DICOMData || size > len(b)-used {
			break
		}
		used += size
	}
	return used, dissect.Done
}

// pdu states what an association says of both ends.
func (x *Extractor) pdu(c *flows.Conn, m *dissect.DICOM) {
	w := sender(c)
	proposals := &x.decoders.proposals
	switch m.PDU {
	case dissect.DICOMAssociateRQ:
		proposals.note(c.ID, m)
		x.say(w, fact.DICOMAETitle, &m.CallingAE)
		x.say(receiver(c), fact.DICOMCalledAs, &m.CalledAE)
		for i := range m.Contexts[:m.ContextsLen] {
			x.uid(w, fact.DICOMProposes, &m.Contexts[i].Abstract)
		}
	case dissect.DICOMAssociateAC:
		if asked := proposals.of(c.ID); asked != nil {
			for _, answer := range m.Contexts[:m.ContextsLen] {
				for i, id := range asked.ids[:asked.n] {
					if id == answer.ID && answer.Result == 0 {
						x.uid(w, fact.DICOMAccepts, &asked.uids[i])
					}
				}
			}
		}
	case dissect.DICOMData:
		if !c.Opened { // else its association has been seen
			x.yes(w, fact.DICOMTransfers)
		}
		return
	}
	x.uid(w, fact.DICOMImplUID, &m.ImplClassUID)
	x.say(w, fact.DICOMImplVer, &m.ImplVersion)
}

func (x *Extractor) uid(w who, kind fact.Kind, u *dissect.UID) {
	x.text = u.AppendTo(x.text[:0])
	x.state(w, kind, x.text)
}
