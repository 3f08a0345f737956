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
// reported is that it was left out. A control character in a label is not of a
// name: its length took in what stands behind it.
func (l *labels) name(b []byte, dst *Name) (instance bool) {
	*dst = Name{}
	first := l.service(b)
	for i := first; i < l.n; i++ {
		label := l.label(b, i)
		if textEnd(label) < len(label) {
			*dst = Name{}
			break
		}
		dst.addLabel(label)
	}
	return first > 0
}

// service returns the first label of the service in a DNS-SD name: the one in
// front of _tcp or _udp (RFC 6763 §7), with its subtype (§7.1) or the word for
// the list of all services (§9). An instance may begin with '_' too. Of other
// names it is the first label with a '_', or 0.
func (l *labels) service(b []byte) int {
	is := func(i int, lower string) bool { return i >= 0 && foldEqual(l.label(b, i), lower) }
	for i := 1; i < l.n; i++ {
		if !is(i, "_tcp") && !is(i, "_udp") {
			continue
		}
		switch {
		case is(i-2, "_services"):
			return i - 2
		case is(i-2, "_sub") && i >= 3 && isServiceLabel(l.label(b, i-3)):
			return i - 3
		case is(i-2, "_sub"):
			return i - 2
		case !isServiceLabel(l.label(b, i-1)):
			return i
		}
		return i - 1
	}
	for i := range l.n {
		if l.label(b, i)[0] == '_' {
			return i
		}
	}
	return 0
}

// isServiceLabel reports a '_' and what service names are made of (RFC 6335 §5.1).
func isServiceLabel(s []byte) bool {
	for _, c := range s[1:] {
		if !isAlnum(c) && c != '-' && c != '_' {
			return false
		}
	}
	return s[0] == '_'
}

// label returns the i-th label, which has at least one byte.
func (l *labels) label(b []byte, i int) []byte {
	at := int(l.at[i])
	return b[at+1 : at+1+int(b[at])]
}
