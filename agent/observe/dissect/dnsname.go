package dissect

// Bounds of a name (RFC 1035 §2.3.4, §4.1.4). The wire has room for 127
// labels; a chain of pointers longer than maxPointers is an attack.
const (
	maxLabels   = 127
	maxPointers = 16
)

// labels are the places of a name's labels in a message.
type labels struct {
	at [maxLabels]uint16 // of the length byte
	n  int
}

// parse finds the labels of the name at off and returns the offset behind the
// name where it stands, or 0 when it is malformed. A pointer must point to
// before the place where the run of labels began that it ends, so no chain
// can turn back on itself.
func (l *labels) parse(b []byte, off int) (end int) {
	l.n = 0
	size := 0
	for start, hops := off, 0; off < len(b); {
		c := b[off]
		switch {
		case c == 0:
			if hops == 0 {
				end = off + 1
			}
			return end
		case c >= 0xc0:
			if off+1 >= len(b) || hops == maxPointers {
				return 0
			}
			if hops == 0 {
				end = off + 2
			}
			hops++
			to := int(c&0x3f)<<8 | int(b[off+1])
			if to >= start || to < dnsHeader {
				return 0
			}
			start, off = to, to
		case c > 63 || off+1+int(c) > len(b) || l.n == maxLabels || off > 0xffff:
			return 0
		default:
			if size += 1 + int(c); size > nameSize+1 {
				return 0
			}
			l.at[l.n] = uint16(off)
			l.n++
			off += 1 + int(c)
		}
	}
	return 0
}

// name writes the labels to dst. Of a DNS-SD service instance only the
// service is written: the instance is what people call the thing, and
// reported is that it was left out.
func (l *labels) name(b []byte, dst *Name) (instance bool) {
	*dst = Name{}
	first := 0
	for i := range l.n {
		if l.label(b, i)[0] == '_' {
			first = i
			break
		}
	}
	for i := first; i < l.n; i++ {
		dst.addLabel(l.label(b, i))
	}
	return first > 0
}

// label returns the i-th label, which has at least one byte.
func (l *labels) label(b []byte, i int) []byte {
	at := int(l.at[i])
	return b[at+1 : at+1+int(b[at])]
}
