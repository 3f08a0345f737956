package command

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

func (w *ward) policy(toml string, change func(*signed.Statement), by ...string) []byte {
	st := w.next()
	if change != nil {
		change(&st)
	}
	return w.sign(st, signed.Policy{TOML: toml}, by...)
}

func (w *ward) retained(m []byte) string { return w.obeyOn(topic(m), m, true) }

// What the broker retains is believed by its signatures and number alone.
func TestDesiredPolicy(t *testing.T) {
	w := newWard(t)
	two := []string{"dave", "erin"}
	one := w.policy("one", nil, two...)
	second := w.policy("two", nil, two...)
	var got []string
	say := func(what, end string) { got = append(got, what+": "+end+": "+w.done()) }
	say("one signer", w.retained(w.policy("x", nil, "dave")))
	say("forged", w.retained(w.forge(one, "", "one", "own")))
	say("by a stranger", w.retained(w.policy("x", nil, "mallory")))
	say("for another gateway", w.retained(w.policy("x", func(s *signed.Statement) { s.Target = []string{"gw-8"} }, two...)))
	say("no policy at all", w.retained(w.sign(w.next(), signed.Config{TOML: "x"}, "erin")))
	say("good", w.retained(one))
	say("at the next session", w.retained(one))
	say("published again", w.obey(one))
	say("a newer one", w.retained(second))
	say("the older one again", w.retained(one))
	say("an expired one", w.retained(w.policy("x", func(s *signed.Statement) { s.NotBefore, s.Expires = "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z" }, two...)))
	say("good for a year", w.retained(w.policy("three", func(s *signed.Statement) { s.Expires = "2027-11-01T00:00:00Z" }, two...)))
	w.valid = fmt.Errorf("p.toml:3: no such key")
	bad := w.policy("bad", nil, two...)
	say("not valid", w.retained(bad))
	say("not valid, again", w.retained(bad))
	w.valid = nil
	w.fail["policy"] = refusal(signed.ReasonInterlock, "it cuts pump from pump-server")
	cuts := w.policy("cuts", nil, two...)
	say("it would cut a pump", w.retained(cuts))
	say("it would cut a pump, again", w.retained(cuts))
	say("it would cut a pump, published again", w.obey(cuts))
	w.fail["policy"] = nil
	w.restart()
	say("killed", w.last())
	w.task.opt.Policy = "three"
	w.task.resume(context.Background())
	say("started with it", w.last())
	w.clock.synced = false
	say("without a clock", w.retained(w.policy("four", func(s *signed.Statement) { s.NotBefore, s.Expires = "2031-01-01T00:00:00Z", "2032-02-01T00:00:00Z" }, two...)))
	clear(w.room.by)
	w.files.by["desired-policy"] = nil // and what was accepted is lost, but not the numbers
	w.restart()
	w.done()
	say("an old one, after the files were lost", w.retained(second))
	want := []string{"one signer: rejected threshold: ", "forged: rejected bad-signature: ", "by a stranger: rejected unknown-key: ", "for another gateway: rejected wrong-gateway: ",
		"no policy at all: rejected wrong-role: ", "good: succeeded: policy one by dave, erin", "at the next session: silence: ", "published again: succeeded: ",
		"a newer one: succeeded: policy two by dave, erin", "the older one again: rejected rollback: ", "an expired one: expired expired: ",
		"good for a year: succeeded: policy three by dave, erin", "not valid: rejected invalid-args: ", "not valid, again: rejected invalid-args: ",
		"it would cut a pump: rejected interlock: policy cuts by dave, erin", "it would cut a pump, again: silence: ", "it would cut a pump, published again: rejected interlock: ",
		"killed: rejected interlock: policy three by dave, erin", "started with it: rejected interlock: ", "without a clock: succeeded: policy four by dave, erin",
		"an old one, after the files were lost: rejected rollback: "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A policy that fails without being refused is tried again for a minute.
func TestPolicyIsTriedAgain(t *testing.T) {
	w := newWard(t)
	later := func() {
		w.clock.advance(retry)
		w.task.pass(context.Background(), true)
	}
	w.fail["policy"] = errPower
	m := w.policy("one", nil, "dave", "erin")
	got := []string{w.obey(m), w.retained(m), w.obey(m)}
	later()
	w.fail["policy"] = nil
	later()
	later()
	got = append(got, w.last(), w.done(), fmt.Sprint(len(w.board.Conditions())))
	w.fail["policy"] = errPower
	w.obey(w.policy("two", nil, "dave", "erin"))
	for range 2 * maxTries {
		later()
	}
	got = append(got, w.last(), fmt.Sprint(len(w.effects)), fmt.Sprint(len(w.board.Conditions())))
	one := "policy one by dave, erin"
	want := []string{"executing", "silence", "executing", "succeeded", one + "; " + one + "; " + one, "0", "failed", fmt.Sprint(maxTries + 1), "0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Back to the policy before takes one person; to any other it takes all.
func TestReturnToTheLastPolicy(t *testing.T) {
	w := newWard(t)
	two := []string{"dave", "erin"}
	var got []string
	say := func(what, end string) { got = append(got, what+": "+end+": "+w.done()) }
	zero := w.next().Seq
	w.obey(w.policy("zero", nil, two...))
	w.obey(w.policy("one", nil, two...))
	first := w.seq
	w.obey(w.policy("two", nil, two...))
	w.done()
	back := func(toml string, of uint64, by ...string) string {
		return w.obey(w.policy(toml, func(s *signed.Statement) { s.RollbackOf = of }, by...))
	}
	say("another text", back("own", first, "alice"))
	say("an older one", back("zero", zero+1, "alice"))
	say("no role", back("one", first, "mallory"))
	say("the one before", back("one", first, "carol"))
	say("there and back", back("two", first+1, "carol"))
	say("an older one, by two", back("zero", zero+1, two...))
	want := []string{"another text: rejected wrong-role: ", "an older one: rejected wrong-role: ", "no role: rejected unknown-key: ", "the one before: succeeded: policy one by carol",
		"there and back: succeeded: policy two by carol", "an older one, by two: succeeded: policy zero by dave, erin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Of several scopes the newest word counts, whichever comes first.
func TestScopes(t *testing.T) {
	w := newWard(t)
	to := func(target ...string) func(*signed.Statement) { return func(s *signed.Statement) { s.Target = target } }
	all := w.policy("all", to("all"), "dave", "erin")
	group := w.policy("group", to("grp/icu"), "dave", "erin")
	own := w.policy("own", to("gw-7b", "gw-8"), "dave", "erin")
	got := []string{w.retained(group), w.done(), w.retained(own), w.done(), w.retained(all), w.done(), w.retained(group), w.retained(own), w.retained(all), fmt.Sprint(w.task.Versions())}
	want := []string{"succeeded", "policy group by dave, erin", "succeeded", "policy own by dave, erin", "succeeded", "", "silence", "silence", "silence", fmt.Sprintf("map[policy:%d root:1]", w.seq)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func (w *ward) set(devices ...string) []byte { return w.setUntil("2026-12-05T12:00:00Z", devices...) }

func (w *ward) setUntil(until string, devices ...string) []byte {
	set := signed.QuarantineSet{Entries: []signed.QuarantineEntry{}}
	for _, d := range devices {
		set.Entries = append(set.Entries, signed.QuarantineEntry{Device: d, Reason: "worm", Owner: "soc", Until: until})
	}
	return w.sign(w.next(), set, "dave")
}

// A set holds devices wherever they turn up, over the end of commands, and lets
// go whom it does not name any more.
func TestDesiredQuarantine(t *testing.T) {
	w := newWard(t)
	ctx := context.Background()
	var got []string
	say := func(what string) {
		cond := ""
		for _, c := range w.board.Conditions() {
			cond += " !" + c.Text
		}
		got = append(got, what+": "+w.done()+cond)
	}
	later := func(d time.Duration) {
		w.clock.advance(d)
		w.task.pass(ctx, true)
	}
	w.obey(w.set("camera", "pump", "tablet"))
	say("a set")
	if a := w.history[len(w.history)-1]; a.Text != "kept; not held, since it takes a command with the interlock: pump (a test)" {
		t.Errorf("answer %+v", a)
	}
	later(10 * time.Second)
	say("nothing new")
	w.devices = append(w.devices, "tablet")
	later(10 * time.Second)
	say("a device turns up")
	w.obey(w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 60}, "alice"))
	say("a command for less")
	later(13 * time.Hour)
	say("half of what the fence was asked for")
	w.restart()
	say("restarted")
	w.obey(w.sign(w.next(), signed.Release{Device: "camera"}, "alice"))
	later(10 * time.Second)
	say("released by one")
	w.fail["release"] = errPower
	w.obey(w.set("camera", "pump"))
	say("the next set counts again, and lets go")
	w.restart()
	w.done()
	w.fail["release"] = nil
	later(10 * time.Second)
	say("what failed is tried again")
	w.clock.synced = false
	w.clock.reboot()
	w.restart()
	say("rebooted without a clock")
	w.clock.synced = true
	w.clock.wall = time.Date(2026, 12, 5, 12, 0, 0, 0, time.UTC)
	later(time.Hour)
	say("its time is over")
	held := "desired quarantines not in force: pump: interlock: held to be life-sustaining (a test): it takes a command with the interlock"
	want := []string{"a set: quarantine camera 24h0m0s by soc !" + held, "nothing new:  !" + held, "a device turns up: quarantine tablet 24h0m0s by soc !" + held,
		"a command for less: quarantine camera 24h0m0s by alice !" + held, "half of what the fence was asked for: quarantine camera 24h0m0s by soc; quarantine tablet 24h0m0s by soc !" + held,
		"restarted: quarantine camera 24h0m0s by soc; quarantine tablet 24h0m0s by soc !" + held, "released by one: release camera by alice !" + held,
		"the next set counts again, and lets go: release tablet by dave; quarantine camera 24h0m0s by soc !desired quarantines not in force: tablet is not let go: power cut; " + strings.TrimPrefix(held, "desired quarantines not in force: "),
		"what failed is tried again: release tablet by dave !" + held, "rebooted without a clock: quarantine camera 1h0m0s by soc !" + held, "its time is over: "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A configuration that does not reach the broker returns by itself.
func TestConfigOnTrial(t *testing.T) {
	ctx := context.Background()
	type step struct {
		what string
		do   func(w *ward)
	}
	propose := func(toml string) step {
		return step{"propose " + toml, func(w *ward) { w.obey(w.sign(w.next(), signed.Config{TOML: toml}, "dave")) }}
	}
	session := step{"session", func(w *ward) { w.task.Session(); w.turn(ctx) }}
	pass := func(d time.Duration) step {
		return step{"after " + d.String(), func(w *ward) { w.clock.advance(d); w.task.pass(ctx, true) }}
	}
	start := func(w *ward) { // as main does it
		toml, err := desired.ConfigAtStart(w.files, w.task.opt.Clock.Now())
		if err != nil {
			w.t.Fatal(err)
		}
		w.config = toml
		w.restart()
	}
	kill := step{"kill -9", start}
	reboot := step{"reboot", func(w *ward) { w.clock.reboot(); start(w) }}
	fails := func(effect string) step {
		return step{effect + " fails", func(w *ward) { w.fail[effect] = errPower }}
	}
	works := step{"works", func(w *ward) { clear(w.fail) }}
	tests := []struct {
		what  string
		steps []step
		want  string // configuration, and the last answers of each
	}{
		{"confirmed", []step{propose("a"), session, pass(time.Hour), kill}, "a settled: executing succeeded"},
		{"not confirmed", []step{propose("a"), session, propose("b"), pass(9 * time.Minute), pass(time.Minute)}, "a settled: executing failed"},
		{"the same once more", []step{propose("a"), session, propose("a"), pass(10 * time.Minute)}, "a settled: succeeded"},
		{"lost, and sent once more", []step{propose("a"), session, {"lost", func(w *ward) { delete(w.files.by, "desired-config"); start(w) }}, propose("a"), pass(10 * time.Minute)}, "a settled: succeeded"},
		{"not the first", []step{propose("a"), pass(10 * time.Minute)}, " settled: executing failed"},
		{"killed in between", []step{propose("a"), kill, session}, "a settled: executing succeeded"},
		{"killed, and too late", []step{propose("a"), pass(time.Minute), kill, pass(9 * time.Minute)}, " settled: executing failed"},
		{"crashes", []step{propose("a"), kill, kill, kill, kill}, " settled: executing failed"},
		{"reboots", []step{propose("a"), reboot, pass(10 * time.Minute)}, " settled: executing failed"},
		{"reboots for ever", []step{propose("a"), reboot, reboot, reboot, reboot}, " settled: executing failed"},
		{"the clock jumped", []step{propose("a"), {"jump", func(w *ward) { w.clock.wall = w.clock.wall.AddDate(5, 0, 0) }}, pass(time.Minute), session}, "a settled: executing succeeded"},
		{"it cannot be applied", []step{fails("config"), propose("a"), pass(time.Minute), works, pass(time.Minute)}, " settled: executing failed"},
		{"it cannot return at once", []step{propose("a"), fails("config"), pass(10 * time.Minute), session, pass(time.Minute), works, pass(time.Minute)}, " settled: executing failed"},
		{"a third while the second is on trial", []step{propose("a"), session, propose("b"), propose("c"), pass(10 * time.Minute)}, "a settled: executing failed"},
		{"a session of the old one proves nothing", []step{{"reads the old one", func(w *ward) { w.config = "" }}, propose("a"), {"old agent", func(w *ward) { w.config = "" }}, session, pass(10 * time.Minute)}, " settled: executing failed"},
	}
	for _, tt := range tests {
		w := newWard(t)
		var states []string
		for _, s := range tt.steps {
			s.do(w)
		}
		for _, a := range w.history {
			if a.ID == fmt.Sprintf("statement-%d", w.seq) && a.State != Accepted {
				states = append(states, string(a.State))
			}
		}
		if got := fmt.Sprintf("%s %s: %s", w.config, w.task.trial.State, strings.Join(states, " ")); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
	}
}

// One that another takes the place of is answered, and an agent that was started
// with the one on trial is not started again.
func TestConfigAnswers(t *testing.T) {
	w := newWard(t)
	one, two := w.sign(w.next(), signed.Config{TOML: "a"}, "dave"), w.sign(w.next(), signed.Config{TOML: "b"}, "dave")
	w.obey(one)
	w.obey(two)
	var got []string
	for _, a := range w.history {
		got = append(got, a.ID+" "+string(a.State))
	}
	want := []string{"statement-1001 accepted", "statement-1001 executing", "statement-1002 accepted", "statement-1001 failed", "statement-1002 executing"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	tr := w.task.trial
	tr.State = desired.Applying
	if err := tr.Save(w.files); err != nil {
		t.Fatal(err)
	}
	w.done()
	w.restart()
	if got := w.done(); got != "" || w.task.trial.State != desired.Trying {
		t.Errorf("started with the one on trial: %q, %s", got, w.task.trial.State)
	}
	pending := w.files.by["desired-config"]
	w.task.reached(context.Background())
	w.files.by["desired-config"], w.answers = pending, nil // the power was cut before that was written
	w.restart()
	if got := w.last() + w.done(); got != "succeeded" || w.task.trial.State != desired.Settled || w.task.Versions()["config"] != 1002 {
		t.Errorf("confirmed before the start: %s, %s, %v", got, w.task.trial.State, w.task.Versions())
	}
	w.config = "" // a newer agent cannot read it
	w.restart()
	if c := w.board.Conditions(); len(c) != 1 || c[0].Code != "config" || w.done() != "" {
		t.Errorf("it cannot be read any more: %v", c)
	}
}

// A command may hold a device for longer than the sets, or the sets for longer.
func TestQuarantineByBoth(t *testing.T) {
	ctx := context.Background()
	w := newWard(t)
	var got []string
	say := func(what string) { got = append(got, what+": "+w.done()) }
	w.obey(w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 48 * 3600}, "alice"))
	w.obey(w.set("camera"))
	say("a set for what a command holds for longer")
	w.obey(w.set())
	say("the set does not name it any more")
	w.obey(w.set("printer"))
	w.fail["release"] = errPower
	w.obey(w.set())
	w.obey(w.sign(w.next(), signed.Quarantine{Device: "printer", Seconds: 60}, "alice"))
	w.fail["release"] = nil
	w.clock.advance(10 * time.Second)
	w.task.pass(ctx, true)
	say("to be let go, and cut off by a command before that")
	w.fail["quarantine"] = refusal(signed.ReasonInterlock, "no")
	w.devices = append(w.devices, "tablet")
	w.obey(w.sign(w.next(), signed.Quarantine{Device: "tablet", Seconds: 60}, "alice"))
	if _, lent := w.task.leases.find("tablet"); lent {
		t.Error("what was refused is held to be in force")
	}
	w.obey(w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 60}, "alice"))
	if l, _ := w.task.leases.find("camera"); l.ID != "statement-1001" {
		t.Errorf("what was refused takes the place of %+v", l)
	}
	w.fail["quarantine"] = nil
	w.obey(w.set("camera"))
	w.clock.reboot()
	w.clock.synced = false
	w.restart()
	w.done()
	w.obey(w.set())
	say("let go while nobody knows for how long a command holds it")
	w.clock.synced = true
	w.clock.advance(time.Minute)
	w.task.pass(ctx, true)
	if _, lent := w.task.leases.find("camera"); !lent {
		t.Error("a command is over before its time")
	}
	want := []string{"a set for what a command holds for longer: quarantine camera 48h0m0s by alice; quarantine camera 48h0m0s by soc",
		"the set does not name it any more: quarantine camera 48h0m0s by alice",
		"to be let go, and cut off by a command before that: quarantine printer 24h0m0s by soc; release printer by dave; quarantine printer 1m0s by alice",
		"let go while nobody knows for how long a command holds it: "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// turn has the task take what waits, as Run does.
func (w *ward) turn(ctx context.Context) {
	select {
	case <-w.task.session:
		w.task.reached(ctx)
	default:
	}
}

// A gateway that was off while the root changed twice takes both from the one
// message that the broker retains, and asks for what was signed under the newest.
func TestRootsInOneMessage(t *testing.T) {
	w := newWard(t)
	second, third, fourth := w.makeRoot(2, nil, "root-a"), w.makeRoot(3, nil, "root-a"), w.makeRoot(4, nil, "root-a")
	chain := func(roots ...[]byte) []byte { return bytes.Join(roots, []byte("\n")) }
	send := func(roots ...[]byte) string {
		w.again = 0
		end := w.obeyOn("desired/root", chain(roots...), true)
		return fmt.Sprintf("%s, version %d, again %d", end, w.task.root.Version(), w.again)
	}
	forged := w.forge(second, "mallory", "keys", "kyes")
	got := []string{send(third), send(forged, third), send(second, third), send(second, third), send(w.root, second, third, fourth), send(fourth),
		send(slices.Repeat([][]byte{fourth}, maxRoots+1)...), send(fourth, []byte("{")), send(second, third, fourth)}
	want := []string{"rejected wrong-root, version 1, again 0", "rejected wrong-root, version 1, again 0", "succeeded, version 3, again 2", "silence, version 3, again 0",
		"succeeded, version 4, again 1", "silence, version 4, again 0", "silence, version 4, again 0", "silence, version 4, again 0", "silence, version 4, again 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The root changes whom the gateway obeys, one version after the other, and a
// root that was replaced does not come back.
func TestRootRotation(t *testing.T) {
	w := newWard(t)
	first := w.root
	bobOnly := func(a *signed.RootArgs) {
		q := a.Roles[signed.RoleCommand]
		q.KeyIDs = []string{keyID(w, "bob")}
		a.Roles[signed.RoleCommand] = q
	}
	ping := func(by string) string { return w.obey(w.sign(w.next(), signed.Ping{}, by)) }
	old := w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 60}, "alice")
	huge := w.next()
	huge.Seq = uint64(huge.ExpiresTime().UnixMilli()) // as far ahead as may be
	second, third := w.makeRoot(2, bobOnly, "root-a"), w.makeRoot(3, nil, "root-a")
	var got []string
	say := func(what string, ends ...string) { got = append(got, what+": "+strings.Join(ends, ", ")) }
	say("a number without reason", w.obey(w.sign(huge, signed.Ping{}, "alice")), ping("alice"))
	say("by a stranger", w.retained(w.makeRoot(2, nil, "bob")))
	say("one left out", w.retained(third))
	say("the next one", w.retained(second), w.retained(second), w.obey(second))
	say("alice is out, and the number is over", ping("alice"), ping("bob"))
	say("signed under the root before", w.obey(old))
	say("the first again", w.retained(first))
	w.restart()
	say("restarted", ping("alice"), ping("bob"))
	say("the one after", w.retained(third), ping("alice"))
	w.files.by["desired-root"] = nil
	w.restart()
	say("the file of the root is lost", ping("alice"), w.obey(old), w.retained(third), w.retained(second), w.retained(third))
	say("until it comes again", ping("alice"), w.done())
	w.root = nil
	w.start()
	say("without the one it was provisioned with", ping("alice"))
	clear(w.files.by)
	w.start()
	say("without any", w.obey(old), fmt.Sprint(w.task.Versions()))
	want := []string{"a number without reason: succeeded, rejected replayed-seq", "by a stranger: rejected wrong-role", "one left out: rejected wrong-root", "the next one: succeeded, silence, succeeded",
		"alice is out, and the number is over: rejected wrong-role, succeeded", "signed under the root before: rejected wrong-root", "the first again: rejected rollback",
		"restarted: rejected wrong-role, succeeded", "the one after: succeeded, succeeded",
		"the file of the root is lost: rejected wrong-root, rejected wrong-root, rejected wrong-root, succeeded, succeeded", "until it comes again: succeeded, ",
		"without the one it was provisioned with: succeeded", "without any: rejected wrong-root, map[]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
