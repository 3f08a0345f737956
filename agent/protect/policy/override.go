package policy

import "slices"

// Digest names what a policy says, whatever its version's file looks like.
func (p *Policy) Digest() string { return hash(p) }

// WithModes is the policy with other modes of some segments, by name.
func (p *Policy) WithModes(modes map[string]Mode) *Policy {
	q := *p
	q.Segments = slices.Clone(p.Segments)
	for i := range q.Segments {
		if m, ok := modes[q.Segments[i].Name]; ok {
			q.Segments[i].Mode = m
		}
	}
	return &q
}

// Within is the placement with no member treated more sternly than its segment
// is by the policy.
func (p Placement) Within(q *Policy) Placement {
	p.Members = slices.Clone(p.Members)
	for i := range p.Members {
		m := &p.Members[i]
		if s := q.Segment(m.Segment); s != nil {
			m.Mode = min(m.Mode, s.Mode)
		}
	}
	return p
}
