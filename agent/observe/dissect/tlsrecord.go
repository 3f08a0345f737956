package dissect

// TLS record and handshake framing (RFC 8446 §5.1, §4).
const (
	tlsChangeCipherSpec = 20
	tlsAlert            = 21
	tlsHandshake        = 22
	tlsRecordHeader     = 5
	tlsMaxRecord        = 1<<14 + 256
	tlsMaxHello         = 1 << 15 // longer hellos are refused
)

// helloReader reads one handshake message from a stream of records, without
// copying it: a hello may be cut into records anywhere. Reading past the end
// gives zeros and sets bad, so callers check once.
type helloReader struct {
	b    []byte // the rest of the stream
	rec  int    // bytes left in the current record
	pos  int    // bytes of the handshake message read
	size int    // bytes of the handshake message, header included
	bad  bool
}

// begin finds the handshake message of type want at the start of b and checks
// that it is there in full.
func (r *helloReader) begin(b []byte, want uint8) Progress {
	b = skipShortRecord(b)
	if len(b) > 0 && b[0] != tlsHandshake || len(b) > 1 && b[1] != 3 || len(b) > tlsRecordHeader && b[tlsRecordHeader] != want {
		return No
	}
	var header [4]byte // handshake type and 24-bit length
	have := 0
	for rest := b; ; {
		if len(rest) < tlsRecordHeader {
			return NeedMore
		}
		n := int(rest[3])<<8 | int(rest[4])
		if rest[0] != tlsHandshake || rest[1] != 3 || n == 0 || n > tlsMaxRecord {
			return No
		}
		rest = rest[tlsRecordHeader:]
		for i := 0; have+i < len(header) && i < min(n, len(rest)); i++ {
			header[have+i] = rest[i]
		}
		have += min(n, len(rest))
		if have >= len(header) {
			r.size = 4 + int(header[1])<<16 + int(header[2])<<8 + int(header[3])
			if header[0] != want || r.size > tlsMaxHello {
				return No
			}
			if have >= r.size {
				break
			}
		}
		if n > len(rest) {
			return NeedMore
		}
		rest = rest[n:]
	}
	r.b = b
	r.skip(4)
	return Done
}

// skipShortRecord passes over a record that may stand in front of a hello: a
// client changes the cipher spec before its second one (RFC 8446 §D.4), and a
// server that does not know the name warns with an alert (RFC 6066 §3).
func skipShortRecord(b []byte) []byte {
	if len(b) < tlsRecordHeader || b[1] != 3 || b[3] != 0 {
		return b
	}
	n := tlsRecordHeader + int(b[4])
	short := b[0] == tlsChangeCipherSpec && b[4] == 1 || b[0] == tlsAlert && b[4] == 2
	if !short || len(b) < n {
		return b
	}
	return b[n:]
}

// fill loads the next record header when the current record is used up.
func (r *helloReader) fill() bool {
	if r.pos >= r.size || r.bad {
		r.bad = true
		return false
	}
	if r.rec == 0 {
		// begin has seen every header up to the end of the message.
		if len(r.b) < tlsRecordHeader {
			r.bad = true
			return false
		}
		r.rec = int(r.b[3])<<8 | int(r.b[4])
		r.b = r.b[tlsRecordHeader:]
	}
	if len(r.b) == 0 {
		r.bad = true
	}
	return !r.bad
}

// u8 reads one byte.
func (r *helloReader) u8() uint8 {
	if !r.fill() {
		return 0
	}
	c := r.b[0]
	r.b, r.rec, r.pos = r.b[1:], r.rec-1, r.pos+1
	return c
}

// u16 reads two bytes.
func (r *helloReader) u16() uint16 {
	hi := r.u8()
	return uint16(hi)<<8 | uint16(r.u8())
}

// skip passes over n bytes.
func (r *helloReader) skip(n int) {
	for n > 0 && r.fill() {
		k := min(n, r.rec, len(r.b))
		r.b, r.rec, r.pos = r.b[k:], r.rec-k, r.pos+k
		n -= k
	}
}

// read fills dst.
func (r *helloReader) read(dst []byte) {
	for i := range dst {
		dst[i] = r.u8()
	}
}

// list reads the length of a list and returns where it ends. A list that
// reaches past limit is malformed.
func (r *helloReader) list(n, limit int) (end int) {
	if r.pos+n > limit {
		r.bad = true
		return r.pos
	}
	return r.pos + n
}

// isGREASE reports whether v is one of the reserved values that clients mix
// in to keep servers tolerant (RFC 8701 §2).
func isGREASE(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }
