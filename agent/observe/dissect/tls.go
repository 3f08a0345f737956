package dissect

// Limits of what is kept of a hello. A hello beyond them is still read, but
// has no JA3 and no JA4, since these would be wrong.
const (
	maxCiphers    = 256
	maxExtensions = 128
	maxGroups     = 128
	maxPoints     = 16
	maxSigAlgs    = 64
	maxVersions   = 16
	maxALPN       = 16
)

// ClientHello is the first message of a TLS client (RFC 8446 §4.1.2, RFC 5246
// §7.4.1.2), over any number of records.
//
// phi: never read: random, session id, session tickets, pre-shared key
// identities, key shares, cookies; nothing encrypted is touched.
type ClientHello struct {
	Version uint16 // legacy_version
	SNI     Name   // server_name, whole
	ALPN    [maxALPN]Text
	ALPNLen uint8
	// Ciphers, Extensions, Groups, Points, SigAlgs and Versions are in wire
	// order and without GREASE (RFC 8701).
	Ciphers       [maxCiphers]uint16
	CiphersLen    uint16
	Extensions    [maxExtensions]uint16
	ExtensionsLen uint16
	Groups        [maxGroups]uint16
	GroupsLen     uint16
	Points        [maxPoints]uint8
	PointsLen     uint8
	SigAlgs       [maxSigAlgs]uint16
	SigAlgsLen    uint8
	Versions      [maxVersions]uint16 // supported_versions
	VersionsLen   uint8

	alpnEnds [2]byte // first and last byte of the first ALPN value, for JA4
	hasALPN  bool
	hasSNI   bool
	overflow bool // a list did not fit
}

// ServerHello is the answer: the version, cipher and application protocol
// that were chosen (TLS 1.3 hides the last in encrypted extensions).
type ServerHello struct {
	Version uint16 // supported_versions if present, else legacy_version
	Cipher  uint16
	ALPN    Text
}
