package platform

import (
	"cmp"
	"slices"
)

// Canonical returns a deep copy in canonical order: sets and chains by name,
// elements by key, values sorted, nothing empty but nil. Two tables that mean
// the same and were built in another order are then deeply equal.
func (t Table) Canonical() Table {
	t.Sets = copySorted(t.Sets, Set.canonical, func(a, b Set) int { return cmp.Compare(a.Name, b.Name) })
	t.Chains = copySorted(t.Chains, Chain.canonical, func(a, b Chain) int { return cmp.Compare(a.Name, b.Name) })
	return t
}

// Static is Canonical without what changes by itself: counters, and what is
// left of timeouts. It is what to compare a table that was read back by.
func (t Table) Static() Table {
	t = t.Canonical()
	for i := range t.Sets {
		for j := range t.Sets[i].Elements {
			e := &t.Sets[i].Elements[j]
			e.Expires, e.Packets, e.Bytes = 0, 0, 0
		}
	}
	for i := range t.Chains {
		for j := range t.Chains[i].Rules {
			r := &t.Chains[i].Rules[j]
			r.Packets, r.Bytes = 0, 0
		}
	}
	return t
}

// canonical returns a deep copy of the set with its elements in order.
func (s Set) canonical() Set {
	s.Key = cloneSlice(s.Key)
	s.Elements = copySorted(s.Elements, same[Element], func(a, b Element) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.KeyEnd, b.KeyEnd))
	})
	for i := range s.Elements {
		if e := &s.Elements[i]; e.KeyEnd == e.Key {
			e.KeyEnd = "" // a range of one key
		}
	}
	return s
}

func (c Chain) canonical() Chain {
	c.Hook = clonePointer(c.Hook)
	c.Rules = copySorted(c.Rules, Rule.canonical, nil)
	return c
}

func (r Rule) canonical() Rule {
	r.Matches = copySorted(r.Matches, Match.canonical, nil)
	r.Limit, r.Log = clonePointer(r.Limit), clonePointer(r.Log)
	if r.VMap = clonePointer(r.VMap); r.VMap != nil {
		r.VMap.Fields = cloneSlice(r.VMap.Fields)
	}
	return r
}

func (m Match) canonical() Match {
	m.Fields = cloneSlice(m.Fields)
	m.Values = copySorted(m.Values, same[string], cmp.Compare[string])
	return m
}

// copySorted copies the elements through deep; a nil order keeps theirs.
func copySorted[T any](in []T, deep func(T) T, order func(a, b T) int) []T {
	if len(in) == 0 {
		return nil
	}
	out := make([]T, len(in))
	for i, v := range in {
		out[i] = deep(v)
	}
	if order != nil {
		slices.SortStableFunc(out, order)
	}
	return out
}

func cloneSlice[T any](in []T) []T { return copySorted(in, same[T], nil) }

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func same[T any](v T) T { return v }
