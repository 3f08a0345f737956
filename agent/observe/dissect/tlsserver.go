package dissect

// ServerHello is the answer to a ClientHello: the application protocol that was
// chosen (RFC 5246 §7.4.1.3). TLS 1.3 hides it among encrypted extensions (RFC
// 8446 §4.1.3).
//
// phi: never read: random, session id, key share, cookie, and every message
// behind the hello.
type ServerHello struct {
	ALPN Text
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
	r.skip(2 + 32)      // version, random
	r.skip(int(r.u8())) // session id
	r.skip(2 + 1)       // cipher, compression method
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
	if kind == extALPN && end-r.pos >= 3 {
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
