package dissect

// maxContexts is how many presentation contexts an association can have
// (PS3.8 §7.1.1.13: odd numbers up to 255).
const maxContexts = 128

// DICOM is one PDU of the DICOM upper layer (PS3.8 §9.3): what an association
// says of the two sides. Of data only the header is looked at.
//
// phi: never read: everything in P-DATA behind the 6-byte header and the
// 6-byte header of the first value, user identity (items 58, 59), extended
// negotiation (56, 57).
type DICOM struct {
	PDU          DICOMPDU
	CalledAE     Text // in an AC only an echo
	CallingAE    Text // in an AC only an echo
	ImplClassUID UID
	ImplVersion  Text
	MaxPDU       uint32 // bytes, 0 unlimited
	Contexts     [maxContexts]DICOMContext
	ContextsLen  uint8
}

// DICOMPDU is the type of a PDU.
type DICOMPDU uint8

// The PDUs that are recognised, numbered as on the wire.
const (
	DICOMAssociateRQ DICOMPDU = 1
	DICOMAssociateAC DICOMPDU = 2
	DICOMData        DICOMPDU = 4
)

// DICOMContext is one presentation context.
type DICOMContext struct {
	ID       uint8
	Abstract UID // proposed, RQ only
	// Result of the acceptor, AC only: 0 accepted, 1 user rejection, 2 no
	// reason, 3 abstract syntax and 4 transfer syntax not supported.
	Result uint8
	// SCU and SCP are the roles that the proposer takes (item 54); without
	// negotiation the proposer is the SCU.
	SCU, SCP bool
}

// uidSize is the longest UID (PS3.5 §9.1).
const uidSize = 64

// UID is a DICOM unique identifier: digits and dots only.
type UID struct {
	n uint8
	b [uidSize]byte
}
