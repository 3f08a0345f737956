package dissect

import "encoding/binary"

const (
	dicomHeader    = 6
	dicomVersion   = 6
	dicomCalled    = 10
	dicomCalling   = 26
	dicomItems     = 74
	dicomMinLength = 68
	dicomMaxLength = 1 << 20  // of an association
	dicomMaxData   = 16 << 20 // of P-DATA
	dicomWindow    = 16 << 10 // of an association that is looked at

	// dicomContext is the item every association begins with: the DICOM
	// application context (PS3.7 annex A.2.1).
	dicomContext = "1.2.840.10008.3.1.1.1"

	dicomFirstItem = "\x10\x00\x00\x15" + dicomContext

	// maxContexts is how many presentation contexts an association can have:
	// the odd numbers up to 255 (PS3.8 §9.3.2.2).
	maxContexts = 128
)

// DICOM is one PDU of the DICOM upper layer (PS3.8 §9.3): what an association
// says of the two sides. Of data only the headers are looked at.
//
// phi: never read: everything in P-DATA behind the PDU header and the header
// of its first value (length, context, control), user identity (items 58, 59), extended negotiation (56,
// 57), transfer syntaxes. An AE title may hold the name of a room.
type DICOM struct {
	PDU          DICOMPDU
	Length       uint32 // of the PDU behind its header, bytes
	CalledAE     Text   // in an AC only an echo
	CallingAE    Text   // in an AC only an echo
	ImplClassUID UID
	ImplVersion  Text
	Contexts     [maxContexts]DICOMContext
	ContextsLen  uint8
	// UserInfo: the user information was seen, which stands behind the contexts
	// and says which side takes which role in them.
	UserInfo bool

	// Context is the presentation context of the first value of P-DATA, and
	// Dataset that the value is part of a dataset and not of a command.
	Context uint8
	Dataset bool
	Alone   bool // no other value is in the PDU
	// Result, Source and Reason are those of a rejection, and the last two of an
	// abort (PS3.8 §9.3.4, §9.3.8).
	Result, Source, Reason uint8

	roles int // role selections applied
}

// DICOMPDU is the type of a PDU.
type DICOMPDU uint8

// The PDUs that are recognised, numbered as on the wire.
const (
	DICOMAssociateRQ DICOMPDU = 1
	DICOMAssociateAC DICOMPDU = 2
	DICOMAssociateRJ DICOMPDU = 3
	DICOMData        DICOMPDU = 4
	DICOMReleaseRQ   DICOMPDU = 5
	DICOMReleaseRP   DICOMPDU = 6
	DICOMAbort       DICOMPDU = 7
)

// DICOMContext is one presentation context.
type DICOMContext struct {
	ID       uint8
	Abstract UID // proposed, RQ only
	// Result of the acceptor, AC only: 0 accepted, 1 user rejection, 2 no
	// reason, 3 abstract syntax and 4 transfer syntax not supported.
	Result uint8
	// SCU and SCP are the roles that the proposer takes, RQ only: those of
	// item 54, or SCU alone when there is none (PS3.7 annex D.3.3.4).
	SCU, SCP bool
}

// DecodeStream reads the first PDU of b, which begins a direction of a
// connection or a segment of it.
func (m *DICOM) DecodeStream(b []byte) Progress {
	if len(b) == 0 {
		return NeedMore
	}
	kind := DICOMPDU(b[0])
	if kind < DICOMAssociateRQ || kind > DICOMAbort || len(b) > 1 && b[1] != 0 {
		return No
	}
	if len(b) < dicomHeader {
		*m = DICOM{}
		return NeedMore
	}
	length := binary.BigEndian.Uint32(b[2:])
	switch kind {
	case DICOMData:
		return m.data(b, length)
	case DICOMAssociateRJ, DICOMReleaseRQ, DICOMReleaseRP, DICOMAbort:
		return m.short(b, length)
	}
	if length < dicomMinLength || length > dicomMaxLength || !isAssociation(b) {
		return No
	}
	*m = DICOM{PDU: kind, Length: length}
	size := min(dicomHeader+int(length), dicomWindow)
	whole := len(b) >= size
	b = b[:min(len(b), size)]
	if len(b) >= dicomItems+len(dicomFirstItem) { // titles alone are any text
		m.CalledAE.set(b[dicomCalled : dicomCalled+16])
		m.CallingAE.set(b[dicomCalling : dicomCalling+16])
		if !m.items(b[dicomItems:]) && whole && size < dicomWindow {
			// A length lies, so no item is what it seems; the titles stand in front.
			*m = DICOM{PDU: kind, Length: length, CalledAE: m.CalledAE, CallingAE: m.CallingAE}
		}
	}
	if !whole {
		return NeedMore
	}
	return Done
}

// isAssociation reports whether b, as far as it goes, has the protocol
// version and the application context of an association.
func isAssociation(b []byte) bool {
	if len(b) > dicomVersion+1 && b[dicomVersion+1]&1 == 0 {
		return false
	}
	if len(b) <= dicomItems {
		return true
	}
	n := min(len(b)-dicomItems, len(dicomFirstItem))
	for i := range n {
		// The length may count a NUL that pads the UID to an even length.
		if i != 3 && b[dicomItems+i] != dicomFirstItem[i] || i == 3 && b[dicomItems+i]|3 != 0x17 {
			return false
		}
	}
	return true
}

// data recognises a P-DATA PDU by its header and that of its first value: a
// length within the PDU, an odd context id, and two bits of control.
func (m *DICOM) data(b []byte, length uint32) Progress {
	if length < 6 || length > dicomMaxData {
		return No
	}
	if len(b) < dicomHeader+6 {
		*m = DICOM{}
		return NeedMore
	}
	value := binary.BigEndian.Uint32(b[6:])
	if value < 2 || value > length-4 || b[10]&1 == 0 || b[11] > 3 {
		return No
	}
	*m = DICOM{PDU: DICOMData, Length: length, Context: b[10], Dataset: b[11]&1 == 0, Alone: value == length-4}
	return Done
}

// short reads a PDU of four bytes: a rejection, a release or an abort.
func (m *DICOM) short(b []byte, length uint32) Progress {
	const rest = 4
	if length != rest {
		return No
	}
	if len(b) < dicomHeader+rest {
		*m = DICOM{}
		return NeedMore
	}
	v := b[dicomHeader : dicomHeader+rest]
	*m = DICOM{PDU: DICOMPDU(b[0]), Length: length, Result: v[1], Source: v[2], Reason: v[3]}
	ok := v[0] == 0
	switch m.PDU {
	case DICOMAssociateRJ:
		ok = ok && (v[1] == 1 || v[1] == 2) && v[2] >= 1 && v[2] <= 3 && v[3] >= 1 && v[3] <= 10
	case DICOMAbort:
		ok = ok && v[1] == 0 && (v[2] == 0 || v[2] == 2) && v[3] <= 6
	default:
		ok = ok && v[1] == 0 && v[2] == 0 && v[3] == 0
	}
	if !ok {
		return No
	}
	return Done
}

// eachItem calls f with the type and body of every complete item of b: type,
// a zero, and a 16-bit length. It reports whether f was content with each and
// they fill b.
func eachItem(b []byte, f func(kind uint8, body []byte) bool) bool {
	ok := true
	for len(b) >= 4 {
		n := int(binary.BigEndian.Uint16(b[2:]))
		if len(b) < 4+n {
			return false
		}
		ok = f(b[0], b[4:4+n]) && ok
		b = b[4+n:]
	}
	return ok && len(b) == 0
}

// items reads the variable items of an association, and reports whether all
// their lengths fit.
func (m *DICOM) items(b []byte) bool {
	return eachItem(b, func(kind uint8, body []byte) bool {
		switch {
		case kind == 0x20 && m.PDU == DICOMAssociateRQ, kind == 0x21 && m.PDU == DICOMAssociateAC:
			return m.context(body)
		case kind == 0x50:
			m.UserInfo = true
			return eachItem(body, m.userItem)
		}
		return kind != 0x30 && kind != 0x40 && kind < 0x51 // those stand in others: one of a length that lies
	})
}

// context reads a presentation context (PS3.8 §9.3.2.2, §9.3.3.2).
func (m *DICOM) context(body []byte) bool {
	if len(body) < 4 || int(m.ContextsLen) == len(m.Contexts) {
		return len(body) >= 4
	}
	c := &m.Contexts[m.ContextsLen]
	m.ContextsLen++
	c.ID = body[0]
	if m.PDU == DICOMAssociateAC {
		c.Result = body[2]
		return true
	}
	c.SCU = true
	return eachItem(body[4:], func(kind uint8, v []byte) bool {
		if kind == 0x30 {
			c.Abstract.set(v)
		}
		return true
	})
}

// userItem reads one item of the user information (PS3.7 annex D.3.3).
func (m *DICOM) userItem(kind uint8, v []byte) bool {
	switch kind {
	case 0x52:
		m.ImplClassUID.set(v)
	case 0x54:
		return m.role(v)
	case 0x55:
		m.ImplVersion.setOnce(v)
	}
	return kind > 0x50 // others stand beside it
}

// role applies a role selection to the contexts of its abstract syntax: UID
// with its length, then SCU and SCP.
func (m *DICOM) role(v []byte) bool {
	if len(v) < 4 || len(v) != 2+int(binary.BigEndian.Uint16(v))+2 {
		return false
	}
	if m.PDU != DICOMAssociateRQ || m.roles == maxContexts {
		return true
	}
	m.roles++
	n := int(binary.BigEndian.Uint16(v))
	var uid UID
	uid.set(v[2 : 2+n])
	for i := range m.Contexts[:m.ContextsLen] {
		if c := &m.Contexts[i]; c.Abstract == uid {
			c.SCU, c.SCP = v[2+n] == 1, v[3+n] == 1
		}
	}
	return true
}
