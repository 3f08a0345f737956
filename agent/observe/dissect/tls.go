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

// Extension types that are looked into (IANA TLS ExtensionType values).
const (
	extServerName        = 0
	extSupportedGroups   = 10
	extECPointFormats    = 11
	extSignatureAlgs     = 13
	extALPN              = 16
	extSupportedVersions = 43
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
	SigAlgsLen    uint16
	Versions      [maxVersions]uint16 // supported_versions
	VersionsLen   uint16

	alpnEnds [2]byte // first and last byte of the first ALPN value, for JA4
	hasALPN  bool
	hasSNI   bool
	overflow bool // a list did not fit
}

// DecodeStream reads the bytes of one direction of a connection, from its
// beginning or from the beginning of a segment. m is empty unless Done.
func (m *ClientHello) DecodeStream(b []byte) Progress {
	var r helloReader
	p := r.begin(b, 1)
	if p == No {
		return No
	}
	*m = ClientHello{}
	if p == NeedMore {
		return NeedMore
	}
	m.Version = r.u16()
	r.skip(32)          // random
	r.skip(int(r.u8())) // session id
	m.CiphersLen = m.numbers(&r, m.Ciphers[:], r.list(int(r.u16()), r.size))
	r.skip(int(r.u8())) // compression methods
	if r.pos < r.size && !r.bad {
		for end := r.list(int(r.u16()), r.size); r.pos < end && !r.bad; {
			m.extension(&r, end)
		}
	}
	if r.bad {
		*m = ClientHello{}
		return No
	}
	return Done
}

// extension reads one extension of a list that ends at limit.
func (m *ClientHello) extension(r *helloReader, limit int) {
	kind := r.u16()
	end := r.list(int(r.u16()), limit)
	if !isGREASE(kind) {
		if int(m.ExtensionsLen) == len(m.Extensions) {
			m.overflow = true
		} else {
			m.Extensions[m.ExtensionsLen] = kind
			m.ExtensionsLen++
		}
	}
	if r.pos == end {
		m.hasSNI = m.hasSNI || kind == extServerName
		return
	}
	switch kind {
	case extServerName:
		m.serverName(r, end)
	case extALPN:
		m.alpn(r, end)
	case extSupportedGroups:
		m.GroupsLen = m.numbers(r, m.Groups[:], r.list(int(r.u16()), end))
	case extSignatureAlgs:
		m.SigAlgsLen = m.numbers(r, m.SigAlgs[:], r.list(int(r.u16()), end))
	case extSupportedVersions:
		m.VersionsLen = m.numbers(r, m.Versions[:], r.list(int(r.u8()), end))
	case extECPointFormats:
		m.points(r, end)
	}
	r.skip(end - r.pos)
}

// numbers reads 16-bit numbers up to end, leaves GREASE out, and returns how
// many it kept in dst.
func (m *ClientHello) numbers(r *helloReader, dst []uint16, end int) (n uint16) {
	for r.pos+2 <= end && !r.bad {
		switch v := r.u16(); {
		case isGREASE(v):
		case int(n) == len(dst):
			m.overflow = true
		default:
			dst[n] = v
			n++
		}
	}
	r.skip(end - r.pos)
	return n
}

// points reads the point formats (RFC 8422 §5.1.2).
func (m *ClientHello) points(r *helloReader, end int) {
	m.PointsLen = 0
	for stop := r.list(int(r.u8()), end); r.pos < stop && !r.bad; {
		v := r.u8()
		if int(m.PointsLen) == len(m.Points) {
			m.overflow = true
			continue
		}
		m.Points[m.PointsLen] = v
		m.PointsLen++
	}
}

// serverName reads the first host name (RFC 6066 §3).
func (m *ClientHello) serverName(r *helloReader, end int) {
	m.hasSNI = true
	for stop := r.list(int(r.u16()), end); r.pos < stop && !r.bad; {
		kind := r.u8()
		n := int(r.u16())
		if r.list(n, stop); r.bad {
			return
		}
		if kind != 0 || m.SNI.n > 0 || n > nameSize {
			r.skip(n)
			continue
		}
		var buf [nameSize]byte
		r.read(buf[:n])
		m.SNI.set(buf[:n])
	}
}

// alpn reads the protocol names (RFC 7301 §3.1).
func (m *ClientHello) alpn(r *helloReader, end int) {
	for stop := r.list(int(r.u16()), end); r.pos < stop && !r.bad; {
		var buf [255]byte
		v := buf[:r.u8()]
		if r.list(len(v), stop); r.bad {
			return
		}
		r.read(v)
		if !m.hasALPN && len(v) > 0 {
			m.alpnEnds = [2]byte{v[0], v[len(v)-1]}
		}
		m.hasALPN = m.hasALPN || len(v) > 0
		if int(m.ALPNLen) < len(m.ALPN) && len(v) > 0 {
			m.ALPN[m.ALPNLen].set(v)
			m.ALPNLen++
		}
	}
}
