package agent

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/lifesign"
)

// Supervisor is who started the agent, PID 1 of the image; the zero value is
// nobody.
type Supervisor struct {
	// Signs takes the bytes of package lifesign. nil: nobody listens.
	Signs io.Writer
	// Rescue says why the box filters nothing; "" where the rules are in place.
	Rescue string
	// Data says what is wrong with the data partition; "": nothing.
	Data string
	// Button is the file in which PID 1 records presses of the break-glass button,
	// "" for none.
	Button string
	// Fault is a test of who watches: the number of the fault that a task acts out
	// once the rules are in place, see actOut. 0: none.
	Fault int
}

// signs tells the supervisor that the agent lives, and people that the box was
// in rescue.
type signs struct {
	to     Supervisor
	fenced <-chan struct{} // closed once the rules are in place
	clock  *clock.Clock
	board  *health.Board
	events event.Sink
	log    *slog.Logger
	tasks  func() []string // all names
	ready  chan struct{}
}

func newSigns(a *Agent, to Supervisor) *signs {
	s := &signs{to: to, fenced: a.enforce.Ready(), clock: a.clock, board: &a.board, events: a.recent, log: a.log, tasks: a.Tasks, ready: make(chan struct{})}
	close(s.ready)
	return s
}

func (s *signs) String() string         { return "signs" }
func (s *signs) Ready() <-chan struct{} { return s.ready }

// Conditions that the supervisor knows of.
const (
	rescueCode = "rescue" // the box filters nothing
	dataCode   = "data"   // what is kept may not be there after a restart
)

func (s *signs) Run(ctx context.Context) error {
	if s.to.Rescue != "" {
		s.tell(rescueCode, "nothing is filtered, all ports are bridged: "+s.to.Rescue,
			"it ends by itself once rules are in place; find out why they could not be loaded at boot")
	}
	if s.to.Data != "" {
		s.tell(dataCode, "the data partition: "+s.to.Data, "replace the medium, or write the image anew")
	}
	tick, look := time.NewTicker(lifesign.Every), time.NewTicker(health.LookEvery)
	defer tick.Stop()
	defer look.Stop()
	watch, hung := health.Watch{Board: s.board}, []string(nil)
	for {
		s.board.Beat(s.String(), s.clock.Now().Mono)
		select {
		case <-ctx.Done():
			return s.give(lifesign.Ending)
		case <-s.fenced:
			s.fenced = nil
			if s.board.Clear(rescueCode) {
				s.log.Info("rescue is over: rules are in place")
			}
			if err := s.give(lifesign.Fenced); err != nil {
				return err
			}
			s.actOut()
		case <-look.C:
			now := watch.Look(s.clock.Now().Mono)
			if slices.Equal(now, hung) {
				continue
			}
			if hung = now; len(hung) == 0 {
				s.log.Info("no task hangs any more")
				continue
			}
			s.log.Error("tasks hang", "tasks", hung)
			if err := s.give(lifesign.Hung); err != nil {
				return err
			}
		case <-tick.C:
			if len(hung) > 0 {
				continue // the supervisor notices that, too
			}
			if err := s.give(lifesign.Alive); err != nil {
				return err
			}
		}
	}
}

// tell raises a condition and an alert.
func (s *signs) tell(code, text, advice string) {
	now := s.clock.Now()
	s.board.Set(health.Condition{Code: code, Severity: health.Failure, Text: text, Since: now.Wall})
	s.log.Error("told by PID 1", "condition", code, "text", text)
	s.events.Emit(event.Event{Class: event.Alert, At: now, Body: event.Warning{Signal: code, Text: text, Advice: advice}})
}

func (s *signs) give(sign byte) error {
	if s.to.Signs == nil {
		return nil
	}
	if _, err := s.to.Signs.Write([]byte{sign}); err != nil {
		return fmt.Errorf("give a sign: %w", err)
	}
	return nil
}
