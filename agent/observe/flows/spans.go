package flows

// span is a part [from, to) of a stream or datagram.
type span struct{ from, to uint32 }

// maxSpans is how many separate parts are kept of one; more disorder than that
// is loss or an attack.
const maxSpans = 8

// spans are the parts that arrived, in order and apart from each other.
type spans struct {
	n int
	s [maxSpans]span
}

// prefix is how much is there from the beginning on.
func (p *spans) prefix() uint32 {
	if p.n == 0 || p.s[0].from != 0 {
		return 0
	}
	return p.s[0].to
}

// gap finds the first part of [from, to) that is missing.
func (p *spans) gap(from, to uint32) (g span, ok bool) {
	for _, s := range p.s[:p.n] {
		if s.from > from {
			to = min(to, s.from)
			break
		}
		from = max(from, s.to)
	}
	return span{from, to}, from < to
}

// add notes a part; it reports false where there is no room for one more.
func (p *spans) add(a span) bool {
	i := 0
	for i < p.n && p.s[i].to < a.from {
		i++
	}
	j := i // the parts i to j-1 touch a
	for j < p.n && p.s[j].from <= a.to {
		a.from, a.to = min(a.from, p.s[j].from), max(a.to, p.s[j].to)
		j++
	}
	if i == j && p.n == maxSpans {
		return false
	}
	n := p.n - (j - i) + 1
	copy(p.s[i+1:n], p.s[j:p.n])
	p.s[i], p.n = a, n
	return true
}
