package command

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// One stolen key for commands does not keep those of everybody else out, above
// all not what opens, by a number that nobody can follow on.
func TestNumberOfACommandIsBounded(t *testing.T) {
	w := newWard(t)
	send := func(seq uint64, a signed.Args) string {
		st := w.next()
		st.Seq = seq
		return w.obey(w.sign(st, a, "alice"))
	}
	exp := uint64(w.clock.wall.Add(30 * time.Minute).UnixMilli())
	got := []string{send(1<<53-1, signed.Ping{}), send(exp+1, signed.Ping{}), send(1001, signed.Ping{}), send(exp, signed.Ping{})}
	w.clock.advance(time.Minute)
	got = append(got, send(exp+60_000, signed.BreakGlass{Scope: "gateway", Seconds: 60}))
	want := []string{"rejected not-allowed", "rejected not-allowed", "succeeded", "succeeded", "succeeded"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What was sent under a root whose keys were stolen does not outweigh, by its
// number, what people say under the next one.
func TestNextRootOutweighsNumbers(t *testing.T) {
	for _, target := range []string{"gw-7b", "all"} {
		w := newWard(t)
		poison := func(a signed.Args, by ...string) {
			st := w.next()
			st.Seq, st.Target = 1<<53-1, []string{target}
			if got := w.obey(w.sign(st, a, by...)); got != "succeeded" {
				t.Fatalf("%T: %s", a, got)
			}
		}
		entry := signed.QuarantineEntry{Device: "camera", Reason: "r", Owner: "o", Until: "2026-12-05T12:00:00Z"}
		poison(signed.Policy{TOML: "stolen"}, "dave", "erin")
		poison(signed.DeviceSet{Entries: []signed.DeviceEntry{{Device: "printer", Role: "camera"}}}, "dave")
		poison(signed.QuarantineSet{Entries: []signed.QuarantineEntry{entry}}, "dave")
		w.obey(w.sign(w.next(), signed.Release{Device: "camera"}, "alice"))
		if got := w.obey(w.makeRoot(2, nil, "root-a")); got != "succeeded" {
			t.Fatal(got)
		}
		w.done()
		pinned := func() string { return string(w.marks["printer"].Pin.Role) }
		got := []string{w.obey(w.policy("ours", nil, "dave", "erin")), w.done(),
			w.obey(w.sign(w.next(), signed.DeviceSet{Entries: []signed.DeviceEntry{{Device: "printer", Role: "printer"}}}, "dave")), pinned(),
			w.obey(w.sign(w.next(), signed.PinRole{Device: "printer", Role: "infusion-pump-lvp"}, "alice")), pinned(),
			w.obey(w.set("camera")), w.done(), fmt.Sprint(w.task.Versions()["policy"] < 1<<53-1)}
		want := []string{"succeeded", "policy ours by dave, erin", "succeeded", "printer", "succeeded", "infusion-pump-lvp", "succeeded", "quarantine camera 24h0m0s by soc", "true"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("to %s (-want +got):\n%s", target, diff)
		}
	}
}

// A command that was cut short is not done again behind a newer one that takes
// it back: that waits until it was.
func TestNewerCommandsWaitForWhatWasCutShort(t *testing.T) {
	var known chan struct{}
	running(t, func(w *ward, _ *fake.Host) {
		m := w.sign(w.next(), signed.Release{Device: "camera"}, "alice")
		glass := w.sign(w.next(), signed.BreakGlass{Scope: "gateway", Seconds: 60}, "alice")
		w.task.Offer(Inbound{Topic: topic(m), Payload: m})
		synctest.Wait()
		got := []string{w.done()}
		close(known)
		synctest.Wait()
		got = append(got, w.done())
		w.task.Offer(Inbound{Topic: topic(glass), Payload: glass})
		synctest.Wait()
		got = append(got, w.done())
		want := []string{"", "quarantine camera 10m0s by alice; release camera by alice", "open gateway  1m0s by alice"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}, func(w *ward) {
		known = make(chan struct{})
		host := fake.New()
		w.task.opt.Clock = clock.New(w.clock, time.Time{})
		w.clock.wall, w.clock.boot, w.clock.mono = time.Now(), host.Clock.BootID(), host.Clock.Mono()
		w.powerCutBefore("quarantine", w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 600}, "alice"))
		w.start()
		w.task.opt.Known = known
	})
}

// Who was let go is remembered as long as a set names him, and no longer.
func TestReleasedAreForgotten(t *testing.T) {
	w := newWard(t)
	w.obey(w.set("camera"))
	for n := range 50 {
		w.obey(w.sign(w.next(), signed.Release{Device: fmt.Sprintf("ghost-%d", n)}, "alice"))
	}
	w.obey(w.sign(w.next(), signed.Release{Device: "camera"}, "alice"))
	if n := len(w.task.leases.Released); n != 1 {
		t.Errorf("%d are remembered, of 1 in the set", n)
	}
	w.obey(w.set("printer"))
	w.clock.advance(retry)
	w.task.pass(context.Background(), true)
	if n := len(w.task.leases.Released); n != 0 {
		t.Errorf("%d are remembered, of none in the set", n)
	}
}

// A box whose boots have one name, for want of randomness, knows them apart by
// their age: it does not start anew again and again, and nothing lasts twice.
func TestTwoBootsOfOneName(t *testing.T) {
	w := newWard(t)
	w.life = nil
	w.obey(w.sign(w.next(), signed.Reboot{}, "alice"))
	w.obey(w.sign(w.next(), signed.Tag{Device: "camera", Tags: []string{"x"}}, "alice"))
	w.done()
	w.clock.mono, w.clock.synced = time.Minute, false
	w.restart()
	if d := w.done(); d != "" || len(w.marks) != 0 {
		t.Errorf("done again: %q, marked %v", d, w.marks)
	}
}

// A kernel that does not answer holds the quarantines of a set up for one effect
// at a time, not for all of them: a release that waits gets its turn.
func TestSetDoesNotHoldUpWhatOpens(t *testing.T) {
	w := newWard(t)
	w.fail["quarantine"] = fmt.Errorf("quarantine: %w", context.DeadlineExceeded)
	w.obey(w.set("camera", "printer"))
	got := []string{w.done()}
	w.clock.advance(retry)
	w.task.pass(context.Background(), true)
	got = append(got, w.done())
	clear(w.fail)
	w.clock.advance(retry)
	w.task.pass(context.Background(), true)
	got = append(got, w.done())
	camera, printer := "quarantine camera 24h0m0s by soc", "quarantine printer 24h0m0s by soc"
	if diff := cmp.Diff([]string{camera, camera, camera + "; " + printer}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A quarantine set for a group holds nobody any more at a gateway that has left
// the group: nobody could take the set back there.
func TestGroupThatWasLeft(t *testing.T) {
	w := newWard(t)
	st := w.next()
	st.Target = []string{"grp/icu"}
	until := w.clock.wall.Add(72 * time.Hour).Format(signed.TimeFormat)
	w.obey(w.sign(st, signed.QuarantineSet{Entries: []signed.QuarantineEntry{{Device: "camera", Owner: "soc", Reason: "scans", Until: until}}}, "dave"))
	got := []string{w.done()}
	for _, groups := range [][]string{{"icu"}, nil, {"icu"}} {
		w.start()
		w.task.opt.Groups = groups
		w.task.resume(context.Background())
		got = append(got, w.done())
	}
	held := "quarantine camera 24h0m0s by soc"
	if diff := cmp.Diff([]string{held, held, "release camera by the configuration: grp/icu was left", held}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
