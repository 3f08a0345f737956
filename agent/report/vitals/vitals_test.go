package vitals

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// sink is written by the task and read by the test: a bubble orders them in
// time, which is no synchronisation for the race detector.
type sink struct {
	mu  sync.Mutex
	got []event.Health
}

func (s *sink) Emit(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, e.Body.(event.Health))
}

// reports is what came so far.
func (s *sink) reports() []event.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// codes of the newest report.
func (s *sink) codes() []string {
	out, got := []string{}, s.reports()
	for _, c := range got[len(got)-1].Conditions {
		out = append(out, c.Code)
	}
	return out
}

func TestReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, board, events := fake.New(), &health.Board{}, &sink{}
		task := New(Options{Board: board, Clock: clock.New(host.Clock, time.Time{}), Events: events, Disk: host.Disk, State: t.TempDir(),
			Counters: func() map[string]uint64 { return map[string]uint64{"queue.dropped": 3} },
			Ports:    func() []event.HealthPort { return []event.HealthPort{{Name: "w1", Mode: "ring"}} }})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- task.Run(ctx) }()
		<-task.Ready()
		expect := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(append([]string{}, want...), events.codes()); diff != "" {
				t.Errorf("%s: conditions (-want +got):\n%s", when, diff)
			}
		}
		expect("at the start")
		if h := events.reports()[0]; h.Counters["queue.dropped"] != 3 || len(h.Ports) != 1 {
			t.Errorf("first report %+v", h)
		}

		board.Set(health.Condition{Code: "uplink.down", Severity: health.Warning})
		time.Sleep(2 * lookEvery)
		expect("a condition is reported within seconds", "uplink.down")
		board.Clear("uplink.down")

		host.Disk.Set(platform.DiskUsage{Total: 1 << 30, Free: 0, ReadOnly: true})
		time.Sleep(diskEvery + 2*lookEvery)
		expect("full and read-only", "disk.full", "disk.readonly")
		host.Disk.Fail(errors.New("I/O error"))
		time.Sleep(diskEvery + 2*lookEvery)
		expect("cannot be asked", "disk.full", "disk.readonly", "disk.unknown")
		host.Disk.Fail(nil)
		host.Disk.Set(platform.DiskUsage{Total: 1 << 30, Free: 1 << 29})
		time.Sleep(diskEvery + 2*lookEvery)
		expect("all well again")

		for _, jump := range []time.Duration{48 * time.Hour, -96 * time.Hour} {
			board.Beat("inventory", host.Clock.Mono())
			host.Clock.Jump(jump)
			time.Sleep(2 * lookEvery)
			expect("the clock is set, the task lives")
		}
		board.Beat("inventory", host.Clock.Mono())
		time.Sleep(silentAfter / 2)
		host.Clock.Jump(-time.Hour)
		time.Sleep(silentAfter/2 + 2*lookEvery)
		expect("a task that hangs, though the clock was set back", "task.silent:inventory")
		board.Beat("inventory", host.Clock.Mono())
		time.Sleep(2 * lookEvery)
		expect("and lives again")

		n := len(events.reports())
		time.Sleep(reportEvery)
		if len(events.reports()) == n {
			t.Error("no report while nothing changes")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A port that is opened, or by another way, is told at once: whoever watches the
// fleet should not wait to hear that a ring is not in use.
func TestReportsHowPortsAreCaptured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, events := fake.New(), &sink{}
		var mode atomic.Value
		mode.Store("")
		task := New(Options{Board: &health.Board{}, Clock: clock.New(host.Clock, time.Time{}), Events: events, Disk: host.Disk, State: t.TempDir(),
			Counters: func() map[string]uint64 { return nil },
			Ports:    func() []event.HealthPort { return []event.HealthPort{{Name: "w1", Mode: mode.Load().(string)}} }})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- task.Run(ctx) }()
		<-task.Ready()
		time.Sleep(5 * time.Second)
		if n := len(events.reports()); n != 1 {
			t.Errorf("%d reports while nothing changes", n)
		}
		mode.Store("recvmmsg")
		time.Sleep(lookEvery)
		synctest.Wait()
		got := events.reports()
		if len(got) != 2 || got[1].Ports[0].Mode != "recvmmsg" {
			t.Errorf("reports %+v", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
