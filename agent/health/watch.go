package health

import (
	"sort"
	"time"
)

// LookEvery is how often a Watch looks.
const LookEvery = 250 * time.Millisecond

// How long a task may be silent before it counts as hung. The second is for a flash
// that holds up a commit meanwhile, and for a broker that is far away.
const (
	idleLimit = 2 * time.Second
	busyLimit = 15 * time.Second
)

// Watch finds the tasks that hang. It counts a task's silence in its own looks: a
// look that comes late says that the process or the machine stood still, when
// nobody could beat, and counts for no more than two. One goroutine has it; the
// zero value with a Board is ready.
type Watch struct {
	Board  *Board
	last   time.Duration
	silent map[string]silence
}

type silence struct {
	n       uint64 // of the heartbeat that it follows
	counted time.Duration
}

// Look lists the tasks that hang. now is the time since boot, LookEvery after the
// last look.
func (w *Watch) Look(now time.Duration) (hung []string) {
	passed := min(now-w.last, 2*LookEvery)
	w.last = now
	if w.silent == nil {
		w.silent, passed = make(map[string]silence), 0
	}
	w.Board.mu.Lock()
	defer w.Board.mu.Unlock()
	for task, last := range w.Board.beats {
		s := w.silent[task]
		if s.n != last.n {
			s = silence{n: last.n}
		} else {
			s.counted += passed
		}
		w.silent[task] = s
		if s.counted > limitOf(last) {
			hung = append(hung, task)
		}
	}
	sort.Strings(hung)
	return hung
}

func limitOf(b beat) time.Duration {
	if b.busy {
		return busyLimit
	}
	return idleLimit
}
