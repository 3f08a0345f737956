package health

import (
	"sort"
	"sync"
	"time"
)

// Severity orders conditions.
type Severity uint8

// Severities.
const (
	Warning Severity = iota + 1 // works, less well
	Failure                     // something promised is not done
)

// String is the stable name.
func (s Severity) String() string {
	switch s {
	case Warning:
		return "warning"
	case Failure:
		return "failure"
	}
	return "invalid"
}

// Condition is one thing that is wrong.
type Condition struct {
	Code     string // stable, dotted: "capture.port_gone:w1"
	Severity Severity
	Text     string // one line for a person
	Since    time.Time
}

// Board holds the conditions and the tasks' heartbeats. It is safe for
// concurrent use; the zero value is an empty board.
type Board struct {
	mu    sync.Mutex
	conds map[string]Condition // by code; mu
	beats map[string]beat      // by task; mu
	acts  map[string]func()    // by task; mu
}

// Set puts a condition up, or changes its text; Since stays that of the first.
// It reports whether the condition is new.
func (b *Board) Set(c Condition) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conds == nil {
		b.conds = make(map[string]Condition)
	}
	old, ok := b.conds[c.Code]
	if ok {
		c.Since = old.Since
	}
	b.conds[c.Code] = c
	return !ok
}

// Clear takes a condition down; it reports whether it was up.
func (b *Board) Clear(code string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.conds[code]
	delete(b.conds, code)
	return ok
}

// Conditions lists what is wrong, failures first, then by code.
func (b *Board) Conditions() []Condition {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Condition, 0, len(b.conds))
	for _, c := range b.conds {
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Severity != out[j].Severity {
			return out[i].Severity > out[j].Severity
		}
		return out[i].Code < out[j].Code
	})
	return out
}
