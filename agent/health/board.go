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
	conds map[string]Condition     // by code; mu
	beats map[string]time.Duration // since boot, the last heartbeat by task; mu
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

// Beat notes that a task is alive. now is the time since boot: the wall clock
// of a gateway is set while tasks run, and a jump of it must neither make a
// living task look dead nor hide a dead one.
func (b *Board) Beat(task string, now time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.beats == nil {
		b.beats = make(map[string]time.Duration)
	}
	b.beats[task] = now
}

// Silent lists the tasks whose last heartbeat is older than limit; now is the
// time since boot. A task that has never sent one is not known here.
func (b *Board) Silent(now, limit time.Duration) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for t, at := range b.beats {
		if now-at > limit {
			out = append(out, t)
		}
	}
	sort.Strings(out)
	return out
}
