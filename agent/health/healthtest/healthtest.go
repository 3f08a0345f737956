// Package healthtest watches the tasks of a test for hangs, as the agent does. It
// is for tests in a bubble of testing/synctest; outside of one it takes real time.
package healthtest

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/health"
)

// Watch looks at the tasks for d, and says which was the first to be taken for
// hung, and after what time; nil if none was. now is the time since boot.
func Watch(board *health.Board, d time.Duration, now func() time.Duration) (hung []string, after time.Duration) {
	w := health.Watch{Board: board}
	for after < d {
		time.Sleep(health.LookEvery)
		after += health.LookEvery
		if hung := w.Look(now()); len(hung) > 0 {
			return hung, after
		}
	}
	return nil, after
}
