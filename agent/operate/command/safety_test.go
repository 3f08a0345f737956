package command

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// TestInterlock: a device that is, or counts as, life-sustaining is cut off by
// two people, one of them a clinical engineer, with the code of that device from
// the console, for four hours at most. Nothing else does it.
func TestInterlock(t *testing.T) {
	tests := []struct {
		what string
		a    signed.Args
		by   []string
		want string
	}{
		{"one signer", signed.Quarantine{Device: "pump", Seconds: 60, Code: "2345 pump"}, []string{"alice"}, "rejected interlock"},
		{"two who give commands", signed.Quarantine{Device: "pump", Seconds: 60, Code: "2345 pump"}, []string{"alice", "bob"}, "rejected interlock"},
		{"two keys of one", signed.Quarantine{Device: "pump", Seconds: 60, Code: "2345 pump"}, []string{"alice", "alice2"}, "rejected interlock"},
		{"a clinical engineer alone", signed.Quarantine{Device: "pump", Seconds: 60, Code: "2345 pump"}, []string{"carol"}, "rejected wrong-role"},
		{"no code", signed.Quarantine{Device: "pump", Seconds: 60}, []string{"alice", "carol"}, "rejected interlock"},
		{"code of another device", signed.Quarantine{Device: "pump", Seconds: 60, Code: "2345 camera"}, []string{"alice", "carol"}, "rejected interlock"},
		{"wrong code", signed.Quarantine{Device: "pump", Seconds: 60, Code: "2346 pump"}, []string{"alice", "carol"}, "rejected interlock"},
		{"for too long", signed.Quarantine{Device: "pump", Seconds: 4*3600 + 1, Code: "2345 pump"}, []string{"alice", "carol"}, "rejected interlock"},
		{"all of it", signed.Quarantine{Device: "pump", Seconds: 4 * 3600, Code: "2345 pump"}, []string{"alice", "carol"}, "succeeded: quarantine pump 4h0m0s by alice, carol interlock"},
		{"a device that nobody knows", signed.Quarantine{Device: "ghost", Seconds: 60}, []string{"alice"}, "rejected interlock"},
		{"another device, as if it were", signed.Quarantine{Device: "camera", Seconds: 60, Code: "2345 camera"}, []string{"alice", "carol"}, "succeeded: quarantine camera 1m0s by alice, carol interlock"},
		{"another device, wrong code", signed.Quarantine{Device: "camera", Seconds: 60, Code: "2345 pump"}, []string{"alice", "carol"}, "rejected interlock"},
		{"another device, for a day", signed.Quarantine{Device: "camera", Seconds: 86400, Code: "2345 camera"}, []string{"alice"}, "succeeded: quarantine camera 24h0m0s by alice"},
		{"another device", signed.Quarantine{Device: "camera", Seconds: 60}, []string{"alice"}, "succeeded: quarantine camera 1m0s by alice"},
		{"pinned as something else by one", signed.PinRole{Device: "pump", Role: "printer"}, []string{"alice"}, "rejected interlock"},
		{"pinned by two, one clinical", signed.PinRole{Device: "pump", Role: "printer"}, []string{"alice", "carol"}, "succeeded"},
		{"pinned as what counts as much", signed.PinRole{Device: "pump", Role: "infusion-pump-lvp"}, []string{"alice"}, "succeeded"},
		{"a role that there is not", signed.PinRole{Device: "printer", Role: "toaster"}, []string{"alice"}, "rejected invalid-args"},
		{"a set of state", signed.QuarantineSet{Entries: []signed.QuarantineEntry{{Device: "pump", Reason: "r", Owner: "soc", Until: "2026-11-29T12:00:00Z"}}}, []string{"dave"}, "succeeded"},
		{"a set of state by more", signed.QuarantineSet{Entries: []signed.QuarantineEntry{{Device: "pump", Reason: "r", Owner: "soc", Until: "2026-11-29T12:00:00Z"}}}, []string{"dave", "alice", "carol"}, "succeeded"},
	}
	for _, tt := range tests {
		w := newWard(t)
		w.code = "2345"
		got := w.obey(w.sign(w.next(), tt.a, tt.by...))
		if d := w.done(); d != "" {
			got += ": " + d
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s: %+v", tt.what, got, tt.want, w.answers)
		}
	}
}

// The code of the interlock is good once, also for the one who repeats his order.
func TestInterlockCodeIsUsedUp(t *testing.T) {
	w := newWard(t)
	w.code = "2345"
	a := signed.Quarantine{Device: "pump", Seconds: 60, Code: "2345 pump"}
	m := w.sign(w.next(), a, "alice", "carol")
	got := []string{w.obey(m), w.obey(m), w.done(), w.obey(w.sign(w.next(), a, "alice", "carol")), w.done()}
	if diff := cmp.Diff([]string{"succeeded", "succeeded", "quarantine pump 1m0s by alice, carol interlock", "rejected interlock", ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// killed between the code and the effect, it is done without asking for it again
	w = newWard(t)
	w.code = "2345"
	w.powerCutBefore("quarantine", w.sign(w.next(), a, "alice", "carol"))
	w.restart()
	if got := w.done(); got != "quarantine pump 1m0s by alice, carol interlock" {
		t.Errorf("after the kill: %q, %v", got, w.answers)
	}
}

// No key cuts off more than a share of the ward in ten minutes, by commands or by
// a set, also not by ending the agent in between.
func TestRateLimit(t *testing.T) {
	quarantine := func(w *ward, n int) string {
		return w.obey(w.sign(w.next(), signed.Quarantine{Device: fmt.Sprintf("dev-%02d", n), Seconds: 3600}, "alice"))
	}
	with := func(devices int) *ward {
		w := newWard(t)
		w.devices = nil
		for n := range devices {
			w.devices = append(w.devices, fmt.Sprintf("dev-%02d", n))
		}
		return w
	}
	count := func(w *ward, from, to int) (done int, last string) {
		for n := from; n < to; n++ {
			if last = quarantine(w, n); last == "succeeded" {
				done++
			}
		}
		return done, last
	}
	w := with(60)
	if n, last := count(w, 0, 20); n != 6 || last != "rejected rate-limit" {
		t.Errorf("%d of 60 cut, then %s; want 6", n, last)
	}
	if got := quarantine(w, 0); got != "succeeded" {
		t.Errorf("one that is cut off already: %s", got)
	}
	w.restart()
	if n, _ := count(w, 20, 30); n != 0 {
		t.Errorf("%d more after a restart", n)
	}
	w.obey(w.sign(w.next(), signed.Release{Device: "dev-00"}, "alice"))
	if n, _ := count(w, 20, 30); n != 0 {
		t.Errorf("%d more after a release", n)
	}
	if got := quarantine(w, 0); got != "succeeded" {
		t.Errorf("one that was let go, once more: %s", got)
	}
	w.clock.reboot()
	w.clock.synced = false
	w.start()
	if w.task.leases.mayCut("one more", 60, w.task.opt.Clock.Now()) {
		t.Error("a reboot without a clock forgets what was cut off")
	}
	w.clock.synced = true
	w.clock.advance(10 * time.Minute)
	if n, _ := count(w, 20, 40); n != 6 {
		t.Errorf("%d after ten minutes; want 6", n)
	}
	w = with(5)
	if n, _ := count(w, 0, 5); n != 3 {
		t.Errorf("%d of 5; want 3", n)
	}

	w = with(60)
	set := signed.QuarantineSet{}
	for n := range 20 {
		set.Entries = append(set.Entries, signed.QuarantineEntry{Device: fmt.Sprintf("dev-%02d", n), Reason: "worm", Owner: "soc", Until: "2026-11-29T12:00:00Z"})
	}
	w.obey(w.sign(w.next(), set, "dave"))
	var cut []int
	for range 5 {
		cut = append(cut, len(w.state))
		w.clock.advance(10 * time.Minute)
		w.task.pass(context.Background(), true)
	}
	if diff := cmp.Diff([]int{6, 12, 18, 20, 20}, cut); diff != "" {
		t.Errorf("a set cuts them off one share after the other (-want +got):\n%s", diff)
	}
}

// What a command did ends with its time unless a set names it, and a clock that
// jumps does not matter.
func TestLeases(t *testing.T) {
	w := newWard(t)
	ctx := context.Background()
	marks := func() string {
		var out []string
		for _, id := range w.devices {
			m, ok := w.marks[(device.ID(id))]
			if !ok {
				continue
			}
			role := "-"
			if m.Pin != nil {
				role = string(m.Pin.Role) + " by " + m.Pin.By
			}
			out = append(out, id+" "+role+" "+strings.Join(m.Tags, ","))
		}
		return strings.Join(out, "; ")
	}
	var got []string
	say := func(what string) { got = append(got, what+": "+marks()) }
	w.obey(w.sign(w.next(), signed.PinRole{Device: "printer", Role: "camera"}, "alice"))
	w.obey(w.sign(w.next(), signed.Tag{Device: "camera", Tags: []string{"lobby"}}, "bob"))
	say("at once")
	w.clock.wall = w.clock.wall.AddDate(3, 0, 0)
	w.task.pass(ctx, true)
	say("the clock jumped")
	w.clock.wall = w.clock.wall.AddDate(-3, 0, 0)
	w.restart()
	say("killed")
	set := w.next()
	set.Expires = "2027-11-28T12:00:00Z"
	w.obey(w.sign(set, signed.DeviceSet{Entries: []signed.DeviceEntry{{Device: "camera", Tags: []string{"hall"}}, {Device: "printer", Role: "printer", Tags: []string{"x"}}}}, "dave"))
	say("a set that is newer")
	w.obey(w.sign(w.next(), signed.Tag{Device: "camera", Tags: []string{}}, "bob"))
	say("no tags")
	w.clock.advance(29 * time.Minute)
	w.task.pass(ctx, true)
	say("29 minutes")
	w.clock.advance(time.Minute)
	w.task.pass(ctx, true)
	say("30 minutes")
	w.obey(w.sign(w.next(), signed.PinRole{Device: "camera", Role: "printer"}, "alice"))
	say("pinned")
	w.clock.reboot()
	w.restart()
	say("rebooted, within its time")
	w.clock.reboot()
	w.clock.synced = false
	w.restart()
	say("rebooted without a clock")
	want := []string{"at once: camera - lobby; printer camera by alice ", "the clock jumped: camera - lobby; printer camera by alice ", "killed: camera - lobby; printer camera by alice ",
		"a set that is newer: camera - hall; printer printer by dave x", "no tags: printer printer by dave x", "29 minutes: printer printer by dave x",
		"30 minutes: camera - hall; printer printer by dave x", "pinned: camera printer by alice hall; printer printer by dave x",
		"rebooted, within its time: camera printer by alice hall; printer printer by dave x", "rebooted without a clock: camera - hall; printer printer by dave x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
