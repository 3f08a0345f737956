package agent

import (
	"github.com/wardkeeper/wardkeeper/agent/lifesign"
)

// actOut has a task hang or panic at its next heartbeat, where the supervisor asks
// for it to see whether it gets the agent back. The faults are numbered from 1: a
// hang of the first task, a panic of it, a hang of the second, and so on in turn.
func (s *signs) actOut() {
	if s.to.Fault <= 0 {
		return
	}
	tasks := s.tasks()
	n := (s.to.Fault - 1) % (2 * len(tasks))
	task, fault, act := tasks[n/2], "hang", func() { select {} }
	if n%2 == 1 {
		fault, act = "panic", func() { panic("acted out for a test of the supervisor") }
	}
	s.board.Act(task, func() {
		s.log.Warn(lifesign.FaultLine, "fault", fault, "of", task, "number", n+1, "last", 2*len(tasks))
		act()
	})
}
