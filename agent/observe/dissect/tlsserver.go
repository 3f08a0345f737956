package dissect

// ServerHello is the answer to a ClientHello: the version, the cipher and the
// application protocol that were chosen. TLS 1.3 hides the last one among
// encrypted extensions (RFC 8446 §4.1.3, RFC 5246 §7.4.1.3).
//
// phi: never read: random, session id, key share, cookie, and every message
// behind the hello.
type ServerHello struct {
	Version       uint16 // legacy_version
	Selected      uint16 // supported_versions, 0 if absent
	Cipher        uint16
	ALPN          Text
	Extensions    [maxExtensions]uint16 // in wire order
	ExtensionsLen uint16

	overflow bool
}

// DecodeStream reads the bytes of one direction of a connection, from its
// beginning or from the beginning of a segment. m is empty unless Done.
func (m *ServerHello) DecodeStream(b []byte) Progress {
	var r helloReader
	p := r.begin(b, 2)
	if p == No {
		return No
	}
	*m = ServerHello{}
	if p == NeedMore {
		return NeedMore
	}
	m.Version = r.u16()
	r.skip(32)          // random
	r.skip(int(r.u8())) // session id
	m.Cipher = r.u16()
	r.skip(1) // compression method
	if r.pos < r.size && !r.bad {
		for end := r.list(int(r.u16()), r.size); r.pos < end && !r.bad; {
			m.extension(&r, end)
		}
	}
	if r.bad {
		*m = ServerHello{}
		return No
	}
	return Done
}

// extension reads one extension of a list that ends at limit.
func (m *ServerHello) extension(r *helloReader, limit int) {
	kind := r.u16()
	end := r.list(int(r.u16()), limit)
	if int(m.ExtensionsLen) == len(m.Extensions) {
		m.overflow = true
	} else {
		m.Extensions[m.ExtensionsLen] = kind
		m.ExtensionsLen++
	}
	switch {
	case kind == extSupportedVersions && end-r.pos == 2:
		m.Selected = r.u16()
	case kind == extALPN && end-r.pos >= 3:
		r.skip(2) // the list holds one name
		var buf [255]byte
		v := buf[:r.u8()]
		if r.list(len(v), end); !r.bad {
			r.read(v)
			m.ALPN.set(v)
		}
	}
	r.skip(end - r.pos)
}
