package vitals

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Cadence of the task.
const (
	lookEvery   = time.Second      // at the board
	reportEvery = 30 * time.Second // while nothing changes
	diskEvery   = 15 * time.Second
	silentAfter = 30 * time.Second // a task without a heartbeat
)

// lowDisk is how much must be free: the database is preallocated, so this is
// for what else lives there.
const lowDisk = 8 << 20

// Options of a Task.
type Options struct {
	Board  *health.Board
	Clock  *clock.Clock
	Events event.Sink
	Disk   platform.Disk
	State  string // the folder whose disk matters
	// Counters and Ports are asked for each report; they must not block.
	Counters func() map[string]uint64
	Ports    func() []event.HealthPort
}

// Task reports. Make it with New.
type Task struct {
	opt   Options
	ready chan struct{}
	last  []health.Condition // as reported
	modes []string           // of the ports, as reported
}

// New makes the task.
func New(opt Options) *Task { return &Task{opt: opt, ready: make(chan struct{})} }

// String names the task.
func (t *Task) String() string { return "vitals" }

// Ready is closed after the first report.
func (t *Task) Ready() <-chan struct{} { return t.ready }

// Run reports until ctx ends.
func (t *Task) Run(ctx context.Context) error {
	look, report, disk := time.NewTicker(lookEvery), time.NewTicker(reportEvery), time.NewTicker(diskEvery)
	defer look.Stop()
	defer report.Stop()
	defer disk.Stop()
	t.disk()
	t.report()
	close(t.ready)
	for {
		t.opt.Board.Beat(t.String(), t.opt.Clock.Now().Mono)
		select {
		case <-ctx.Done():
			t.report()
			return nil
		case <-look.C:
			t.silent()
			if !slices.Equal(t.last, t.opt.Board.Conditions()) || !slices.Equal(t.modes, modes(t.opt.Ports())) {
				t.report()
			}
		case <-report.C:
			t.report()
		case <-disk.C:
			t.disk()
		}
	}
}

func (t *Task) report() {
	t.last = t.opt.Board.Conditions()
	h := event.Health{Conditions: Conditions(t.last), Counters: t.opt.Counters(), Ports: t.opt.Ports()}
	t.modes = modes(h.Ports)
	t.opt.Events.Emit(event.Event{Class: event.State, Key: "health", Body: h, At: t.opt.Clock.Now()})
}

// Conditions are those of the board as they are reported; never nil.
func Conditions(list []health.Condition) []event.HealthCondition {
	out := make([]event.HealthCondition, 0, len(list))
	for _, c := range list {
		out = append(out, event.HealthCondition{Code: c.Code, Severity: c.Severity.String(), Text: c.Text, Since: c.Since.UTC()})
	}
	return out
}

// modes is how each port is captured.
func modes(ports []event.HealthPort) (out []string) {
	for _, p := range ports {
		out = append(out, p.Mode)
	}
	return out
}

// silent puts up tasks that hang.
func (t *Task) silent() {
	now := t.opt.Clock.Now()
	hung := t.opt.Board.Silent(now.Mono, silentAfter)
	for _, task := range hung {
		t.opt.Board.Set(health.Condition{Code: "task.silent:" + task, Severity: health.Failure, Text: "task " + task + " has shown no life for 30 s", Since: now.Wall})
	}
	for _, c := range t.opt.Board.Conditions() {
		if task, ok := strings.CutPrefix(c.Code, "task.silent:"); ok && !slices.Contains(hung, task) {
			t.opt.Board.Clear(c.Code)
		}
	}
}

// disk puts up a disk that is full, read-only or cannot be asked.
func (t *Task) disk() {
	t.opt.Board.Busy(t.String(), t.opt.Clock.Now().Mono)
	u, err := t.opt.Disk.Usage(t.opt.State)
	t.condition("disk.unknown", err != nil, fmt.Sprintf("the disk of %s cannot be asked: %v", t.opt.State, err))
	if err != nil {
		return
	}
	t.condition("disk.readonly", u.ReadOnly, fmt.Sprintf("%s is read-only: nothing new is remembered", t.opt.State))
	t.condition("disk.full", u.Free < lowDisk, fmt.Sprintf("%s has %d KiB left", t.opt.State, u.Free>>10))
}

func (t *Task) condition(code string, on bool, text string) {
	if on {
		t.opt.Board.Set(health.Condition{Code: code, Severity: health.Failure, Text: text, Since: t.opt.Clock.Now().Wall})
		return
	}
	t.opt.Board.Clear(code)
}
