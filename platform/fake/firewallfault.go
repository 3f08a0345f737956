package fake

import (
	"slices"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Fault is something that a kernel was seen to do.
type Fault uint8

// Faults of Apply, and then of Read.
const (
	// LostAck: the change is committed, and the error is ErrStateUnknown.
	LostAck Fault = iota + 1
	// LostRequest: nothing is committed, and the error is ErrStateUnknown.
	LostRequest
	// Refused: nothing is committed, and the error proves it.
	Refused
	// TooLarge: nothing is committed, and the error is ErrTooLarge.
	TooLarge
	// Truncated: the change is committed without the second half of each list of
	// more than one element, and there is no error.
	Truncated
	// OverlapLost: as kernel 6.1 does, elements that overlap others in a set of
	// ranges over several fields are not stored, and there is no error.
	OverlapLost
	// ForeignFlush: right after the change was committed without an error, a
	// stranger removes all tables.
	ForeignFlush
	// FailedRead: the read returns an error.
	FailedRead
	// StaleRead: the read returns the first half of all elements and rules, and
	// no error.
	StaleRead
)

// Inject lets the fault happen to the next call that it can happen to, once.
// Several are taken in their order.
func (f *Firewall) Inject(faults ...Fault) {
	f.kernel.mu.Lock()
	defer f.kernel.mu.Unlock()
	f.kernel.faults = append(f.kernel.faults, faults...)
}

// Pending returns the injected faults that have not happened yet.
func (f *Firewall) Pending() []Fault {
	f.kernel.mu.Lock()
	defer f.kernel.mu.Unlock()
	return slices.Clone(f.kernel.faults)
}

// take removes and returns the first waiting fault of these kinds, or 0.
func (k *kernel) take(kinds ...Fault) Fault {
	for i, f := range k.faults {
		if slices.Contains(kinds, f) {
			k.faults = slices.Delete(k.faults, i, i+1)
			return f
		}
	}
	return 0
}

// half is the first half of a list, rounded up.
func half[T any](list []T) []T { return list[:(len(list)+1)/2] }

// truncate loses elements as a list that is too long for its message does.
func truncate(c platform.Change) platform.Change {
	c.Steps = slices.Clone(c.Steps)
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.AddSet != nil {
			set := *s.AddSet
			set.Elements = half(set.Elements)
			s.AddSet = &set
		}
		if s.AddElements != nil {
			s.AddElements = &platform.SetElements{Set: s.AddElements.Set, Elements: half(s.AddElements.Elements)}
		}
		if s.RenewElements != nil {
			s.RenewElements = &platform.SetElements{Set: s.RenewElements.Set, Elements: half(s.RenewElements.Elements)}
		}
	}
	return c
}

func partOf(t platform.Table) platform.Table {
	for i := range t.Sets {
		t.Sets[i].Elements = half(t.Sets[i].Elements)
	}
	for i := range t.Chains {
		t.Chains[i].Rules = half(t.Chains[i].Rules)
	}
	return t.Canonical()
}
