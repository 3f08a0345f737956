package command

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// scenes are orders, each after what must be there before it.
func scenes() map[string]struct {
	before, then func(w *ward) []byte
} {
	type scene = struct{ before, then func(w *ward) []byte }
	command := func(a signed.Args, by ...string) func(w *ward) []byte {
		return func(w *ward) []byte { return w.sign(w.next(), a, by...) }
	}
	quarantine := func(devices ...string) func(w *ward) []byte {
		set := signed.QuarantineSet{Entries: []signed.QuarantineEntry{}}
		for _, d := range devices {
			set.Entries = append(set.Entries, signed.QuarantineEntry{Device: d, Reason: "worm", Owner: "soc", Until: "2026-11-29T12:00:00Z"})
		}
		return command(set, "dave")
	}
	return map[string]scene{
		"quarantine":  {nil, command(signed.Quarantine{Device: "camera", Seconds: 600}, "alice")},
		"release":     {command(signed.Quarantine{Device: "camera", Seconds: 600}, "alice"), command(signed.Release{Device: "camera"}, "alice")},
		"let go":      {quarantine("camera"), command(signed.Release{Device: "camera"}, "alice")},
		"pin-role":    {nil, command(signed.PinRole{Device: "printer", Role: "camera"}, "alice")},
		"break-glass": {nil, command(signed.BreakGlass{Scope: "gateway", Seconds: 600}, "alice")},
		"policy":      {command(signed.Policy{TOML: "one"}, "dave", "erin"), command(signed.Policy{TOML: "two"}, "dave", "erin")},
		"devices":     {command(signed.DeviceSet{Entries: []signed.DeviceEntry{{Device: "printer", Role: "camera"}}}, "dave"), command(signed.DeviceSet{Entries: []signed.DeviceEntry{{Device: "camera", Tags: []string{"x"}}}}, "dave")},
		"set":         {nil, quarantine("camera", "printer")},
		"smaller set": {quarantine("camera", "printer"), quarantine("printer")},
		"config":      {nil, command(signed.Config{TOML: "a = 1"}, "dave")},
		"root":        {nil, func(w *ward) []byte { return w.makeRoot(2, nil, "root-a") }},
	}
}

// world is all that counts in the end.
func (w *ward) world() string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(w.state)) {
		out = append(out, k+" "+w.state[k])
	}
	for _, id := range slices.Sorted(maps.Keys(w.marks)) {
		out = append(out, fmt.Sprintf("%s pinned %v tagged %v", id, w.marks[id].Pin != nil, w.marks[id].Tags))
	}
	v := w.task.Versions()
	for _, k := range slices.Sorted(maps.Keys(v)) {
		out = append(out, fmt.Sprintf("%s version %d", k, v[k]))
	}
	return strings.Join(append(out, "config "+w.config, "trial "+string(w.task.trial.State)), "\n")
}

// play plays a scene, with the power cut at a point of its last order, and that
// order delivered again after the start. It reports whether the power was cut.
func play(t *testing.T, before, then func(w *ward) []byte, cut int, lose func(w *ward)) (w *ward, m []byte, dark bool) {
	w = newWard(t)
	if before != nil {
		if got := w.obey(before(w)); got != "succeeded" {
			t.Fatalf("before: %s", got)
		}
	}
	w.done()
	m = then(w)
	w.power.points.Store(0)
	w.power.cut = int64(cut)
	func() {
		defer func() {
			if p := recover(); p != nil && p != errPower {
				panic(p)
			}
		}()
		w.obey(m)
	}()
	if dark = w.power.points.Load() == int64(cut); dark {
		w.power.cut = 0
		if lose != nil {
			lose(w)
		}
		w.restart()
		w.obey(m)
	}
	return w, m, dark
}

// Wherever the power is cut, the same holds in the end as without, and a further
// copy of the order does nothing.
func TestPowerCutAtEveryPoint(t *testing.T) {
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			whole, _, _ := play(t, s.before, s.then, 0, nil)
			if end := whole.last(); end != "succeeded" && name != "config" {
				t.Fatalf("without a cut: %s", end)
			}
			want := whole.world()
			for cut := 1; ; cut++ {
				w, m, dark := play(t, s.before, s.then, cut, nil)
				if !dark {
					if cut < 3 {
						t.Errorf("only %d points", cut)
					}
					break
				}
				if diff := cmp.Diff(want, w.world()); diff != "" {
					t.Fatalf("cut at point %d (-want +got):\n%s", cut, diff)
				}
				if n := len(w.effects); n > 4 {
					t.Errorf("cut at point %d: done %d times: %v", cut, n, w.effects)
				}
				w.done()
				if w.obey(m); w.done() != "" {
					t.Errorf("cut at point %d: a copy did something again", cut)
				}
			}
		})
	}
}

// Where the journal is in memory only, a power cut may lose a command, and never
// does one twice.
func TestPowerCutWithoutDatabase(t *testing.T) {
	for _, name := range []string{"quarantine", "release", "pin-role", "break-glass"} {
		s := scenes()[name]
		for cut := 1; ; cut++ {
			w, _, dark := play(t, s.before, s.then, cut, func(w *ward) { clear(w.room.by) })
			if !dark {
				break
			}
			if n := len(w.effects); n > 1 {
				t.Errorf("%s, cut at point %d: done %d times: %v", name, cut, n, w.effects)
			}
		}
	}
}

// A command found executing whose time is over is not done any more.
func TestExecutingTooLong(t *testing.T) {
	for name, later := range map[string]func(w *ward){
		"its time is over":             func(w *ward) { w.clock.advance(time.Hour) },
		"rebooted, nobody knows":       func(w *ward) { w.clock.reboot(); w.clock.synced = false },
		"rebooted, its time is over":   func(w *ward) { w.clock.reboot(); w.clock.advance(time.Hour) },
		"the clock jumped a year back": func(w *ward) { w.clock.wall = w.clock.wall.AddDate(-1, 0, 0); w.clock.mono += time.Hour },
	} {
		w := newWard(t)
		m := w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 7200}, "alice")
		w.powerCutBefore("quarantine", m)
		later(w)
		w.restart()
		if got := w.last(); got != "expired expired" || w.done() != "" {
			t.Errorf("%s: %s, done %v", name, got, w.effects)
		}
		if got := w.obey(m); got == "succeeded" || w.done() != "" {
			t.Errorf("%s, a copy: %s", name, got)
		}
	}
}

// powerCutBefore cuts the power right before an effect.
func (w *ward) powerCutBefore(effect string, m []byte) {
	w.t.Helper()
	func() {
		defer func() { _ = recover() }()
		w.stop = effect
		w.obey(m)
		w.t.Fatalf("no %s: %v", effect, w.answers)
	}()
	w.stop = ""
}

func TestReboot(t *testing.T) {
	w := newWard(t)
	reboot := func(code string, by ...string) string {
		return w.obey(w.sign(w.next(), signed.Reboot{Code: code}, by...))
	}
	var got []string
	say := func(s ...string) { got = append(got, strings.Join(s, ", ")) }
	say("in use", reboot("", "alice"), w.done())
	w.code = "2345"
	say("wrong code", reboot("2345 pump", "alice"), w.done())
	say("right code", reboot("2345 gw-7b", "alice"), w.done())
	w.restart() // the agent ends first, and starts again before the box goes down
	say("the agent started in the same boot", w.last(), w.done())
	w.clock.reboot()
	w.restart()
	say("another boot", w.last(), w.done())
	clear(w.life)
	w.fail["reboot"] = errPower
	say("it fails", reboot("", "alice"), w.done())
	w.fail["reboot"] = nil
	m := w.sign(w.next(), signed.Reboot{}, "alice")
	say("nobody in use", w.obey(m), w.done())
	w.life["pump"] = true
	w.restart()
	say("a pump came before the box went down", w.last(), w.done())
	want := []string{"in use, rejected not-allowed, ", "wrong code, rejected not-allowed, ", "right code, executing, reboot", "the agent started in the same boot, executing, reboot",
		"another boot, succeeded, ", "it fails, failed, reboot", "nobody in use, executing, reboot", "a pump came before the box went down, rejected not-allowed, "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A disk that takes nothing any more does not stop commands, and is told.
func TestNothingCanBeKept(t *testing.T) {
	w := newWard(t)
	w.files.broken, w.room.broken = errPower, errPower
	m := w.sign(w.next(), signed.BreakGlass{Scope: "gateway", Seconds: 60}, "alice")
	got := []string{w.obey(m), w.obey(m), w.done(), w.obey(w.sign(w.next(), signed.Policy{TOML: "x"}, "dave", "erin")), w.done()}
	for _, c := range w.board.Conditions() {
		got = append(got, c.Code)
	}
	w.files.broken, w.room.broken = nil, nil
	got = append(got, w.obey(w.sign(w.next(), signed.Release{Device: "camera"}, "alice")), fmt.Sprint(len(w.board.Conditions())))
	want := []string{"succeeded", "succeeded", "open gateway  1m0s by alice", "failed", "", journalCode, keepCode, "succeeded", "0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a disk did not take it takes once it can again, without another order:
// the conditions go, and the next start knows of all.
func TestKeptOnceTheDiskIsBack(t *testing.T) {
	w := newWard(t)
	w.files.broken, w.room.broken = errPower, errPower
	m := w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 600}, "alice")
	w.obey(m)
	w.files.broken, w.room.broken = nil, nil
	codes := func() (out []string) {
		for _, c := range w.board.Conditions() {
			out = append(out, c.Code)
		}
		return out
	}
	before := codes()
	w.clock.advance(retry)
	w.task.pass(context.Background(), true)
	after := codes()
	w.restart()
	_, held := w.task.leases.find("camera")
	got := []string{fmt.Sprint(before), fmt.Sprint(after), w.obey(m), fmt.Sprint(w.task.ratchet.Seq["1 command gw-7b"] == w.seq, held)}
	want := []string{fmt.Sprint([]string{journalCode, keepCode}), "[]", "succeeded", "true true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What came of a policy is told once, whether the disk takes it or not.
func TestPolicyIsSettledOnce(t *testing.T) {
	w := newWard(t)
	w.during = func() { w.files.broken = errPower }
	got := []string{w.retained(w.policy("one", nil, "dave", "erin")), w.done()}
	w.during = nil
	w.audit, w.answers = nil, nil
	for range 3 {
		w.clock.advance(retry)
		w.task.pass(context.Background(), true)
	}
	got = append(got, w.done(), fmt.Sprint(len(w.audit), len(w.answers)))
	w.files.broken = nil
	w.clock.advance(retry)
	w.task.pass(context.Background(), true)
	w.restart()
	got = append(got, w.done(), fmt.Sprint(len(w.board.Conditions()), w.task.Versions()["policy"] > 0))
	if diff := cmp.Diff([]string{"succeeded", "policy one by dave, erin", "", "0 0", "policy one by dave, erin", "0 true"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A file that was damaged at the start is told until it is whole.
func TestDamagedIsToldUntilItIsWhole(t *testing.T) {
	w := newWard(t)
	w.obey(w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 600}, "alice"))
	w.files.damaged = map[string]error{"desired-devices": errPower}
	w.start()
	pass := func() string {
		w.clock.advance(retry)
		w.task.pass(context.Background(), true)
		return fmt.Sprint(len(w.board.Conditions()))
	}
	got := []string{pass(), w.obey(w.sign(w.next(), signed.Release{Device: "camera"}, "alice")), pass()}
	w.files.damaged = nil
	got = append(got, pass())
	if diff := cmp.Diff([]string{"1", "succeeded", "1", "0"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is desired and was lost comes again by the very statement that the broker
// retains; an older one does not.
func TestWhatWasLostComesAgain(t *testing.T) {
	w := newWard(t)
	old, newest := w.sign(w.next(), signed.Policy{TOML: "old"}, "dave", "erin"), w.sign(w.next(), signed.Policy{TOML: "new"}, "dave", "erin")
	got := []string{w.retained(newest)}
	delete(w.files.by, "desired-policy")
	w.restart()
	w.done()
	got = append(got, w.retained(old), w.retained(newest), w.done(), w.retained(newest), w.retained(old))
	want := []string{"succeeded", "rejected rollback", "succeeded", "policy new by dave, erin", "silence", "rejected rollback"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Of the numbers' files, the journal and what is desired, each keeps older
// orders out.
func TestNumbersAreKeptThreeTimes(t *testing.T) {
	w := newWard(t)
	old := []func() []byte{
		func() []byte { return w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 60}, "alice") },
		func() []byte { return w.sign(w.next(), signed.Policy{TOML: "old"}, "dave", "erin") },
	}
	var first [][]byte
	for _, f := range old {
		first = append(first, f())
	}
	for _, f := range old { // the newer ones: the older never came
		if got := w.obey(f()); got != "succeeded" {
			t.Fatal(got)
		}
	}
	files, room := maps.Clone(w.files.by), maps.Clone(w.room.by)
	for _, tt := range []struct{ lost, want string }{
		{"the files of the numbers", "rejected replayed-seq, rejected rollback"},
		{"the files of the policy", "rejected replayed-seq, rejected rollback"},
		{"the database", "rejected replayed-seq, rejected rollback"},
	} {
		w.files.by, w.room.by = maps.Clone(files), maps.Clone(room)
		switch tt.lost {
		case "the files of the numbers":
			delete(w.files.by, ratchetKey)
		case "the files of the policy":
			delete(w.files.by, "desired-policy")
		case "the database":
			clear(w.room.by)
		}
		w.restart()
		w.done()
		got := w.obey(first[0]) + ", " + w.obey(first[1])
		if d := w.done(); got != tt.want || d != "" {
			t.Errorf("without %s: %s; done %q", tt.lost, got, d)
		}
	}
}

// An agent that is ended in the middle of an effect does not take that for a
// failure: it is done again at the next start.
func TestEndedInAnEffect(t *testing.T) {
	w := newWard(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, m := range [][]byte{w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 60}, "alice"), w.sign(w.next(), signed.Policy{TOML: "one"}, "dave", "erin")} {
		w.fail["quarantine"], w.fail["policy"] = context.Canceled, context.Canceled
		w.answers = nil
		w.task.handle(ctx, Inbound{Topic: topic(m), Payload: m})
		if got := w.last(); got != "executing" && got != "accepted" {
			t.Errorf("ended: %s", got)
		}
		clear(w.fail)
		w.done()
		w.restart()
		if got := w.last(); got != "succeeded" || w.done() == "" {
			t.Errorf("after the start: %s", got)
		}
	}
}

// Marks that cannot be read are not taken for none: a pin stays. A root of
// another site is no root.
func TestWhatCannotBeRead(t *testing.T) {
	w := newWard(t)
	w.obey(w.sign(w.next(), signed.DeviceSet{Entries: []signed.DeviceEntry{{Device: "printer", Role: "camera"}}}, "dave"))
	pinned := w.marks
	w.files.by["desired-devices"] = nil
	w.files.damaged = map[string]error{"desired-devices": errPower}
	w.start()
	if diff := cmp.Diff(pinned, w.marks); diff != "" || len(w.board.Conditions()) != 1 {
		t.Errorf("%v, marks (-want +got):\n%s", w.board.Conditions(), diff)
	}
	w.task.opt.Site = "st-john"
	w.task.root = nil
	w.task.openRoot()
	if w.task.root != nil || w.board.Conditions()[0].Code != keepCode || w.board.Conditions()[1].Code != rootCode {
		t.Errorf("a root of another site counts: %v", w.board.Conditions())
	}
}

// Commands that change nothing wear no flash, and are answered once all the same.
func TestQuestionsAreNotWrittenDown(t *testing.T) {
	w := newWard(t)
	for _, a := range []signed.Args{signed.Ping{}, signed.Explain{Device: "camera"}, signed.Diagnostics{}} {
		m := w.sign(w.next(), a, "alice")
		if got := w.obey(m) + ", " + w.obey(m); got != "succeeded, succeeded" {
			t.Errorf("%T: %s", a, got)
		}
	}
	if n := w.power.points.Load(); len(w.files.by) != 0 || len(w.room.by) != 0 || len(w.effects) != 2 {
		t.Errorf("%d points, files %v, room %v, done %v", n, w.files.by, w.room.by, w.effects)
	}
}
