//go:build linux

package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/enforce"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

// TestKernelBreakGlass: what opens, is made shorter, ends and is ended by hand,
// as the kernel does it.
func TestKernelBreakGlass(t *testing.T) {
	r := openRig(t, rig.Options{})
	row := named(t, "an outsider telnets to the pump")[0]
	passes := func(when string, pass bool) {
		t.Helper()
		row.Name, row.Want = when, map[string]bool{hosttest.Ward1: pass}
		hosttest.EvalRows(t, r, []hosttest.Row{row})
	}
	task := enforce.New(enforce.Options{Firewall: r.Firewall(), Clock: clock.New(linux.New(linux.Options{}).Clock, time.Time{}),
		Board: &health.Board{}, Log: slog.New(slog.DiscardHandler)})
	open := func(d time.Duration) {
		t.Helper()
		if err := task.BreakGlass(context.Background(), d, "console"); err != nil {
			t.Fatal(err)
		}
		if left := task.Status().Open; (left - d).Abs() > time.Second {
			t.Errorf("open for %v, want %v", left, d)
		}
	}
	open(time.Minute) // nothing is filtered yet: no error
	if err := r.Firewall().Apply(context.Background(), compiled(t, "lab.policy.toml").Table(1).Load()); err != nil {
		t.Fatal(err)
	}
	passes("rules", false)
	open(time.Hour)
	passes("open", true)
	for range 2 { // also where nothing is open
		if err := task.EndBreakGlass(context.Background(), "console"); err != nil {
			t.Fatal(err)
		}
		passes("closed by hand", false)
	}
	open(time.Hour)
	open(2 * time.Second)
	begun := time.Now()
	passes("open for shorter", true)
	r.Advance(time.Until(begun.Add(3500 * time.Millisecond)))
	passes("over", false)
	if left := policy.OpenFor(policy.Opened(readTable(t, r))); left != 0 {
		t.Errorf("the kernel still has it, for %v", left)
	}
}
