package console

import (
	"slices"
	"sync"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

// Recent stands in front of an event sink and remembers the last denies, for
// show denies. Its memory is bounded; it is safe for concurrent use.
type Recent struct {
	next event.Sink
	max  int

	mu     sync.Mutex
	denies []event.Deny // mu; oldest first
}

var _ event.Sink = (*Recent)(nil)

// NewRecent passes events on to next and remembers max denies.
func NewRecent(next event.Sink, max int) *Recent { return &Recent{next: next, max: max} }

// Emit passes the event on.
func (r *Recent) Emit(e event.Event) {
	if d, ok := e.Body.(event.Deny); ok {
		r.mu.Lock()
		if len(r.denies) == r.max {
			r.denies = slices.Delete(r.denies, 0, 1)
		}
		r.denies = append(r.denies, d)
		r.mu.Unlock()
	}
	r.next.Emit(e)
}

// Denies lists what is remembered, newest first.
func (r *Recent) Denies() []event.Deny {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.denies)
	slices.Reverse(out)
	return out
}
