package fake

import (
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// set is a set in the kernel; Set.Elements stays empty.
type set struct {
	platform.Set
	elements map[string]*element // by key, and the first key of a range
}

// element is an element in the kernel. Counters are shared between the copies
// of a transaction.
type element struct {
	platform.Element
	ends time.Duration // on the clock's Mono, 0: never
}

func (e *element) expired(now time.Duration) bool { return e.ends != 0 && now >= e.ends }

func newSet(shape platform.Set) *set {
	shape.Elements = nil
	shape.Key = slices.Clone(shape.Key)
	return &set{Set: shape, elements: map[string]*element{}}
}

// clone copies the set without what has expired.
func (s *set) clone(now time.Duration) *set {
	c := newSet(s.Set)
	for key, e := range s.elements {
		if !e.expired(now) {
			c.elements[key] = e
		}
	}
	return c
}

// like reports whether adding the shape again is harmless.
func (s *set) like(shape platform.Set) bool {
	return slices.Equal(s.Key, shape.Key) && s.Map == shape.Map && s.Interval == shape.Interval && s.Timeout == shape.Timeout
}

func (s *set) read(now time.Duration) platform.Set {
	out := s.Set
	for _, e := range s.elements {
		if e.expired(now) {
			continue
		}
		read := e.Element
		if e.ends != 0 {
			read.Expires = (e.ends - now).Milliseconds()
		}
		out.Elements = append(out.Elements, read)
	}
	return out
}

// add inserts the element. One that is there already stays as it is, with its
// old timeout, unless its verdict is another.
func (s *set) add(e platform.Element, now time.Duration) error {
	if e.KeyEnd == e.Key {
		e.KeyEnd = ""
	}
	if have, exists := s.elements[e.Key]; exists && have.KeyEnd == e.KeyEnd {
		if have.Verdict != e.Verdict {
			return eexist
		}
		return nil
	}
	if s.Interval {
		for _, have := range s.elements {
			if s.overlap(have.Element, e) {
				return eexist
			}
		}
	}
	if s.Size != 0 && len(s.elements) >= int(s.Size) {
		return enfile
	}
	fresh := &element{Element: e}
	fresh.Packets, fresh.Bytes, fresh.Expires = 0, 0, 0
	if e.Timeout > 0 {
		fresh.ends = now + time.Duration(e.Timeout)*time.Millisecond
	}
	s.elements[e.Key] = fresh
	return nil
}

func (s *set) delete(e platform.Element, _ time.Duration) error {
	if e.KeyEnd == e.Key {
		e.KeyEnd = ""
	}
	if have, exists := s.elements[e.Key]; !exists || have.KeyEnd != e.KeyEnd {
		return enoent
	}
	delete(s.elements, e.Key)
	return nil
}

// renew is add, delete, add.
func (s *set) renew(e platform.Element, now time.Duration) error {
	for _, do := range []func(platform.Element, time.Duration) error{s.add, s.delete, s.add} {
		if err := do(e, now); err != nil {
			return err
		}
	}
	return nil
}

// overlap reports whether two boxes share a key: all their fields must overlap.
func (s *set) overlap(a, b platform.Element) bool {
	at := 0
	for _, k := range s.Key {
		end := at + k.Len()
		if last(a)[at:end] < b.Key[at:end] || last(b)[at:end] < a.Key[at:end] {
			return false
		}
		at = end
	}
	return true
}

func last(e platform.Element) string {
	if e.KeyEnd == "" {
		return e.Key
	}
	return e.KeyEnd
}

// lookup finds the element that holds the key, and counts the packet on it.
func (s *set) lookup(key string, size int, now time.Duration) (*element, bool) {
	found, exists := s.elements[key]
	if s.Interval {
		exists = false
		for _, e := range s.elements {
			if !e.expired(now) && s.overlap(e.Element, platform.Element{Key: key}) {
				found, exists = e, true
				break
			}
		}
	}
	if !exists || found.expired(now) {
		return nil, false
	}
	if s.Counter {
		found.Packets++
		found.Bytes += uint64(size)
	}
	return found, true
}
