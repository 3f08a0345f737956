//go:build linux

package main

// Enforcement on the real kernel: the agent's task, a stranger, and packets.

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/enforce"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

// fixedInventory never changes.
type fixedInventory struct{ snap *device.Snapshot }

func (f fixedInventory) Snapshot() *device.Snapshot { return f.snap }
func (f fixedInventory) Subscribe() <-chan struct{} { return nil }
func (f fixedInventory) Ready() <-chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}

// emitted collects events.
type emitted struct {
	mu   sync.Mutex
	list []event.Event
}

func (e *emitted) Emit(ev event.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, ev)
}

// await waits until the events satisfy ok.
func (e *emitted) await(t *testing.T, what string, ok func([]event.Event) bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		e.mu.Lock()
		done := ok(e.list)
		e.mu.Unlock()
		if done {
			return
		}
	}
	t.Fatalf("no %s: %+v", what, e.list)
}

func policyResults(list []event.Event) (out []string) {
	for _, e := range list {
		if p, ok := e.Body.(event.PolicyChange); ok {
			out = append(out, p.Result)
		}
	}
	return out
}

// kernelOptions are those of an agent that enforces the lab's policy.
func kernelOptions(t *testing.T, snap *device.Snapshot, events event.Sink) enforce.Options {
	t.Helper()
	host := linux.New(linux.Options{})
	return enforce.Options{Firewall: linux.NewFirewall(linux.FirewallOptions{}), Links: host.Links, Inventory: fixedInventory{snap},
		Clock: clock.New(host.Clock, time.Unix(0, 0)), Board: &health.Board{}, Events: events, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Policy: wardPolicy(t, "lab.policy.toml"), Roles: wardRoles, Lab: true, Uplink: hosttest.Uplink, Ward: []string{"w1", "w2", "w3"},
		Internal: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
}

func TestEnforceOnKernel(t *testing.T) {
	r := openRig(t, rig.Options{})
	events := &emitted{}
	task := enforce.New(kernelOptions(t, wardSnapshot(t), events))
	denies := enforce.NewDenies(task)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- task.Run(ctx) }()
	go func() { done <- denies.Run(ctx) }()
	within := func(ch <-chan struct{}, what string) {
		t.Helper()
		select {
		case <-ch:
		case <-time.After(10 * time.Second):
			t.Fatalf("not ready: %s", what)
		}
	}
	within(task.Ready(), "enforce")
	within(denies.Ready(), "denies")
	hosttest.EvalRows(t, r, packets(t))

	events.await(t, "deny event", func(list []event.Event) bool {
		for _, e := range list {
			if d, ok := e.Body.(event.Deny); ok && d.Device == "00:11:22:00:00:01" && d.Service == "tcp/445" && d.Peer == "10.20.7.66" && d.Port == "w3" && d.Verdict == "denied" {
				return true
			}
		}
		return false
	})

	// A stranger flushes the ruleset; the table is back within the blink of an eye.
	start := time.Now()
	r.FlushRuleset()
	events.await(t, "repair", func(list []event.Event) bool {
		return strings.HasSuffix(strings.Join(policyResults(list), " "), "applied repaired")
	})
	t.Logf("repaired after %v", time.Since(start))
	hosttest.EvalRows(t, r, packets(t))

	// What a person opened stays open when a stranger flushes, and ends in time.
	if err := r.Firewall().Apply(context.Background(), policy.BreakGlass(6*time.Second)); err != nil {
		t.Fatal(err)
	}
	opened := time.Now() // at the latest
	task.Recount()       // the agent reads the table
	r.Advance(2500 * time.Millisecond)
	repairs := func(n int) func([]event.Event) bool {
		return func(list []event.Event) bool {
			return strings.Count(strings.Join(policyResults(list), " "), "repaired") == n
		}
	}
	r.FlushRuleset()
	events.await(t, "second repair", repairs(2))
	smb := named(t, "intruder: smb to the pump")
	smb[0].Want = map[string]bool{"w1": true}
	hosttest.EvalRows(t, r, smb)
	r.Advance(time.Until(opened.Add(6 * time.Second)))
	awaitClosed(t, r, opened.Add(20*time.Second)) // reading and laying anew takes a moment more on a slow machine
	hosttest.EvalRows(t, r, packets(t))

	// Another policy is another generation.
	lab := string(wardPolicy(t, "lab.policy.toml").Source)
	if err := task.SetPolicy(ctx, strings.ReplaceAll(lab, `"enforce"`, `"stage"`), "mia"); err != nil {
		t.Fatal(err)
	}
	events.await(t, "change of policy", func(list []event.Event) bool {
		return strings.HasSuffix(strings.Join(policyResults(list), " "), "repaired applied")
	})
	rows := named(t, "intruder: smb to the pump")
	rows[0].Want = map[string]bool{"w1": true}
	hosttest.EvalRows(t, r, rows)
	if err := task.SetPolicy(ctx, lab, "mia"); err != nil {
		t.Fatal(err)
	}
	events.await(t, "change back", func(list []event.Event) bool {
		return strings.HasSuffix(strings.Join(policyResults(list), " "), "repaired applied applied")
	})

	// The agent dies: the rules stay, and nothing of earlier generations is left.
	cancel()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	hosttest.EvalRows(t, r, packets(t))
	table, err := r.Firewall().Read(context.Background(), platform.FamilyBridge, policy.TableName)
	if err != nil {
		t.Fatal(err)
	}
	if g := policy.Generations(table); len(g) != 1 {
		t.Errorf("generations %v are left", g)
	}
	if s := task.Status(); s.Denied == 0 || s.Claimed == 0 {
		t.Errorf("nothing was counted: %+v", s)
	}
}

// awaitClosed waits until the kernel has ended what break-glass opened.
func awaitClosed(t *testing.T, r *rig.Rig, deadline time.Time) {
	t.Helper()
	for {
		table, err := r.Firewall().Read(context.Background(), platform.FamilyBridge, policy.TableName)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(table.Sets, func(s platform.Set) bool { return s.Name == policy.SetOpenAll })
		if at >= 0 && len(table.Sets[at].Elements) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("break-glass is still open: %+v", table.Sets[at])
		}
		r.Advance(200 * time.Millisecond)
	}
}
