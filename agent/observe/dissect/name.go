package dissect

// nameSize is the longest domain name in its dotted form (RFC 1035 §2.3.4:
// 255 bytes on the wire, of which two are the first length and the root).
const nameSize = 253

// Name is a domain name as a device asked for it or said it: labels joined by
// dots, no dot at the end, sanitised like Text. It is longer than a Text
// because its end, the registered domain, is the part that matters.
type Name struct {
	n uint8
	b [nameSize]byte
}

// String returns the name. It allocates.
func (n Name) String() string { return string(n.b[:n.n]) }

// Len returns the length in bytes.
func (n *Name) Len() int { return int(n.n) }

// IsZero reports whether nothing was read.
func (n *Name) IsZero() bool { return n.n == 0 }

// AppendTo appends the name to dst without another allocation.
func (n *Name) AppendTo(dst []byte) []byte { return append(dst, n.b[:n.n]...) }

// HasSuffix reports whether the name ends in s, an ASCII string in lower
// case, without regard to case (RFC 4343).
func (n *Name) HasSuffix(s string) bool {
	if len(s) > int(n.n) {
		return false
	}
	return foldEqual(n.b[int(n.n)-len(s):n.n], s)
}

// set replaces the name by a sanitised copy of a dotted name.
func (n *Name) set(src []byte) {
	*n = Name{}
	src = trim(src)
	for len(src) > 0 && src[len(src)-1] == '.' {
		src = src[:len(src)-1]
	}
	n.n = uint8(sanitise(n.b[:], src))
}

// addLabel appends one label as it stands on the wire. A dot inside a label
// would look like two labels, so it becomes an underscore. It reports whether
// there was room.
func (n *Name) addLabel(label []byte) bool {
	at := int(n.n)
	if at > 0 {
		at++
	}
	if at+len(label) > nameSize {
		return false
	}
	if n.n > 0 {
		n.b[n.n] = '.'
	}
	end := at + sanitise(n.b[at:at+len(label)], label)
	for i := at; i < end; i++ {
		if n.b[i] == '.' {
			n.b[i] = '_'
		}
	}
	n.n = uint8(end)
	return true
}

// foldEqual reports whether b is lower, an ASCII string in lower case,
// without regard to the case of b.
func foldEqual(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range b {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
