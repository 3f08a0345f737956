package extract

import (
	"strconv"

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
	scu  [128]bool // the caller is known to be the user of the service: it stores, it asks
}

// context finds a context by its number.
func (p *proposal) context(id uint8) (i int, ok bool) {
	for i, have := range p.ids[:p.n] {
		if have == id {
			return i, true
		}
	}
	return 0, false
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
		a.ids[a.n], a.uids[a.n], a.scu[a.n] = c.ID, c.Abstract, c.SCU && m.UserInfo
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

// dicomCommand is the longest P-DATA that is waited for, bytes: a command, with
// a dataset behind it.
const dicomCommand = 512

// readDICOM reads PDUs one after the other, as far as they are there. Of a
// dataset that goes on behind the bytes nothing more is wanted.
// An association that ends early still gives what stood in it.
func (x *Extractor) readDICOM(c *flows.Conn, b []byte, final bool) (used int, p dissect.Progress) {
	m := &x.decoders.dicom
	for range maxFrames {
		if used == len(b) {
			break
		}
		if p = m.DecodeStream(b[used:]); p != dissect.Done {
			if p == dissect.NeedMore && final && (m.PDU == dissect.DICOMAssociateRQ || m.PDU == dissect.DICOMAssociateAC) {
				x.pdu(c, m)
			}
			return used, p
		}
		x.pdu(c, m)
		size := 6 + int(m.Length) // header and what it counts
		if size > len(b)-used {
			if m.PDU == dissect.DICOMData && size <= dicomCommand {
				return used, dissect.NeedMore
			}
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
			if !m.UserInfo {
				break // the roles are not known
			}
			context := &m.Contexts[i]
			if context.SCU {
				x.uid(w, fact.DICOMProposes, &context.Abstract)
			}
			if context.SCP {
				x.uid(w, fact.DICOMReceives, &context.Abstract)
			}
		}
	case dissect.DICOMAssociateAC:
		if asked := proposals.of(c.ID); asked != nil {
			for _, answer := range m.Contexts[:m.ContextsLen] {
				if i, ok := asked.context(answer.ID); ok && answer.Result == 0 && asked.scu[i] {
					x.uid(w, fact.DICOMAccepts, &asked.uids[i])
				}
			}
		}
	case dissect.DICOMData:
		// Else its association has been seen. Without one only lengths that
		// agree tell it from what happens to begin like it.
		if !c.Opened && m.Alone {
			x.yes(w, fact.DICOMTransfers)
		}
		x.dataset(c, m)
		return
	case dissect.DICOMAssociateRJ:
		if proposals.of(c.ID) != nil {
			x.text = strconv.AppendUint(x.text[:0], uint64(m.Result), 10)
			x.text = strconv.AppendUint(append(x.text, '/'), uint64(m.Source), 10)
			x.text = strconv.AppendUint(append(x.text, '/'), uint64(m.Reason), 10)
			x.state(w, fact.DICOMRejects, x.text)
		}
		return
	case dissect.DICOMReleaseRQ, dissect.DICOMReleaseRP, dissect.DICOMAbort:
		return
	}
	x.uid(w, fact.DICOMImplUID, &m.ImplClassUID)
	x.say(w, fact.DICOMImplVer, &m.ImplVersion)
}

// The root of the storage service classes (PS3.4 annex B.5), and the class of
// modality performed procedure steps (annex F).
const (
	dicomStorage = "1.2.840.10008.5.1.4.1.1"
	dicomStep    = "1.2.840.10008.3.1.2.3.3"
)

// dataset states which class of object a device sends, and that a modality tells
// of a procedure, for which it sends N-CREATE and N-SET and nothing else; all by the
// context that the header of the data names. What is in it is not looked at.
func (x *Extractor) dataset(c *flows.Conn, m *dissect.DICOM) {
	asked := x.decoders.proposals.of(c.ID)
	if asked == nil {
		return
	}
	i, ok := asked.context(m.Context)
	switch {
	case !ok:
	case m.Dataset && asked.uids[i].HasPrefix(dicomStorage):
		x.uid(sender(c), fact.DICOMStores, &asked.uids[i])
	case !c.FromServer && asked.scu[i] && asked.uids[i].HasPrefix(dicomStep):
		x.yes(sender(c), fact.DICOMPerforms)
	}
}

func (x *Extractor) uid(w who, kind fact.Kind, u *dissect.UID) {
	x.text = u.AppendTo(x.text[:0])
	x.state(w, kind, x.text)
}
