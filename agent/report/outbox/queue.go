package outbox

import (
	"sync"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

// classes is the number of classes plus the invalid zero.
const classes = int(event.Telemetry) + 1

// Queue takes events from every task and hands them to the Box. It is bounded
// and in memory; when it is full the oldest event of the lowest class goes.
type Queue struct {
	limit int

	mu    sync.Mutex
	n     int
	line  [classes][]event.Event // oldest first; all but State
	keys  []string               // of State, oldest first
	state map[string]event.Event
	lost  [classes]uint64 // never reached the disk, by class
	odd   uint64          // no class or no body: a defect of ours

	some   chan struct{} // something is waiting
	urgent chan struct{} // something is waiting that commits at once, or a full group
}

// NewQueue makes a queue of at most limit events.
func NewQueue(limit int) *Queue {
	return &Queue{limit: limit, state: make(map[string]event.Event), some: make(chan struct{}, 1), urgent: make(chan struct{}, 1)}
}

var _ event.Sink = (*Queue)(nil)

// Emit takes an event; it never blocks for longer than a few assignments.
func (q *Queue) Emit(e event.Event) {
	q.mu.Lock()
	kept := q.put(e)
	group := q.n >= group
	q.mu.Unlock()
	if !kept {
		return
	}
	wake(q.some)
	if group || e.Class == event.Alert || e.Class == event.Audit {
		wake(q.urgent)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is awake already
	}
}

func (q *Queue) put(e event.Event) bool {
	if e.Class < event.Audit || e.Class > event.Telemetry || e.Body == nil {
		q.odd++
		return false
	}
	if e.Class == event.State {
		if _, ok := q.state[e.Key]; ok {
			q.state[e.Key] = e
			return true
		}
	}
	if q.n >= q.limit {
		low := q.lowest()
		if low < e.Class { // all that waits matters more
			q.lost[e.Class]++
			return false
		}
		q.pop(low)
		q.lost[low]++
	}
	q.n++
	if e.Class == event.State {
		q.keys = append(q.keys, e.Key)
		q.state[e.Key] = e
		return true
	}
	q.line[e.Class] = append(q.line[e.Class], e)
	return true
}

// lowest is the least important class that has something waiting.
func (q *Queue) lowest() event.Class {
	for c := event.Telemetry; c >= event.Audit; c-- {
		if len(q.line[c]) > 0 || (c == event.State && len(q.keys) > 0) {
			return c
		}
	}
	return 0
}

// pop takes the oldest of a class.
func (q *Queue) pop(c event.Class) event.Event {
	q.n--
	if c == event.State {
		key := q.keys[0]
		q.keys = q.keys[1:]
		e := q.state[key]
		delete(q.state, key)
		return e
	}
	e := q.line[c][0]
	q.line[c][0] = event.Event{} // let go of the body
	q.line[c] = q.line[c][1:]
	return e
}

// take removes up to max events, the most important class first.
func (q *Queue) take(max int) []event.Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []event.Event
	for _, c := range event.Classes() {
		for len(out) < max && (len(q.line[c]) > 0 || (c == event.State && len(q.keys) > 0)) {
			out = append(out, q.pop(c))
		}
	}
	return out
}

// Len is the number of events that wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n
}

// Lost counts, by class, what the full queue let go, and events that had no
// valid class or body.
func (q *Queue) Lost() (byClass map[string]uint64, odd uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return named(q.lost), q.odd
}

// named makes a map of what is not zero.
func named(n [classes]uint64) map[string]uint64 {
	m := make(map[string]uint64)
	for _, c := range event.Classes() {
		if n[c] > 0 {
			m[c.String()] = n[c]
		}
	}
	return m
}
