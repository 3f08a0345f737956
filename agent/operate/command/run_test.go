package command

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// running is a ward whose task runs in a bubble, with the time of the test.
func running(t *testing.T, f func(w *ward, host *fake.Host), before ...func(w *ward)) {
	synctest.Test(t, func(t *testing.T) {
		host := fake.New()
		w := newWard(t)
		for _, b := range before {
			b(w)
		}
		w.task.opt.Clock = clock.New(host.Clock, time.Time{})
		w.clock.wall = time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := w.task.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		<-w.task.Ready()
		f(w, host)
		cancel()
		wg.Wait()
	})
}

// A panic ends the agent at once: it must not wait in Run for who handles
// break-glass, which ends with the agent only.
func TestPanicIsNoHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		w.task.opt.Clock = clock.New(fake.New().Clock, time.Time{})
		w.board.Act("command", func() { panic("in Run") })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan any, 1)
		go func() {
			defer func() { ended <- recover() }()
			_ = w.task.Run(ctx) // it panics
		}()
		select {
		case got := <-ended:
			if got != "in Run" {
				t.Errorf("recovered %v", got)
			}
		case <-time.After(time.Minute):
			t.Error("it hangs")
		}
	})
}

// looks is what a test sees of a ward once nothing moves: how many are marked,
// the configuration, and the states answered.
func (w *ward) looks() string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	out := fmt.Sprintf("%d marked, config %q,", len(w.marks), w.config)
	for _, a := range w.answers {
		out += " " + string(a.State)
	}
	return out
}

// A message is read, done and answered as it comes; a lease ends by itself.
func TestRun(t *testing.T) {
	running(t, func(w *ward, host *fake.Host) {
		m := w.sign(w.next(), signed.Tag{Device: "camera", Tags: []string{"lobby"}}, "alice")
		if !w.task.Offer(Inbound{Topic: topic(m), Payload: m}) {
			t.Error("refused")
		}
		got := []string{w.looks()}
		time.Sleep(30*time.Minute - time.Second)
		got = append(got, w.looks())
		time.Sleep(2 * time.Second)
		got = append(got, w.looks())
		want := []string{`1 marked, config "", accepted executing succeeded`, `1 marked, config "", accepted executing succeeded`, `0 marked, config "", accepted executing succeeded`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if silent := w.board.Silent(host.Clock.Mono(), 2*time.Second); len(silent) > 0 {
			t.Errorf("no sign of life from %v", silent)
		}
	})
}

// A configuration that is not confirmed ends within a second of its time.
func TestTrialEndsInTime(t *testing.T) {
	running(t, func(w *ward, _ *fake.Host) {
		m := w.sign(w.next(), signed.Config{TOML: "a"}, "dave")
		w.task.Offer(Inbound{Topic: topic(m), Payload: m})
		time.Sleep(10*time.Minute - time.Second)
		got := []string{w.looks()}
		time.Sleep(2 * time.Second)
		got = append(got, w.looks())
		want := []string{`0 marked, config "a", accepted executing`, `0 marked, config "", accepted executing failed`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Break-glass waits for no other effect, and a slow one is no hang.
func TestBreakGlassOvertakes(t *testing.T) {
	running(t, func(w *ward, host *fake.Host) {
		w.slow = map[string]time.Duration{"policy": effectLimit, "quarantine": effectLimit}
		for _, m := range [][]byte{w.policy("slow", nil, "dave", "erin"), w.policy("slower", nil, "dave", "erin"), w.sign(w.next(), signed.BreakGlass{Scope: "gateway", Seconds: 60}, "carol"), w.setUntil("2099-01-01T00:00:00Z", "camera", "printer")} {
			w.task.Offer(Inbound{Topic: topic(m), Payload: m})
		}
		synctest.Wait()
		if got := w.done(); got != "open gateway  1m0s by carol" {
			t.Errorf("while a policy takes its time: %q", got)
		}
		for range 50 {
			time.Sleep(time.Second)
			if silent := w.board.Silent(host.Clock.Mono(), effectLimit+time.Second); len(silent) > 0 {
				t.Fatalf("no sign of life from %v", silent)
			}
		}
		w.looks()
		if n := strings.Count(w.done(), ";") + 1; n != 4 {
			t.Errorf("%d more effects, want 4", n)
		}
	})
}

// What an earlier run left half done waits until the fence knows the devices;
// what comes does not, and the wait has an end.
func TestWaitsUntilDevicesAreKnown(t *testing.T) {
	running(t, func(w *ward, _ *fake.Host) {
		m := w.sign(w.next(), signed.BreakGlass{Scope: "gateway", Seconds: 60}, "carol")
		w.task.Offer(Inbound{Topic: topic(m), Payload: m})
		time.Sleep(knownLimit - time.Second)
		got := []string{w.looks(), w.done()}
		time.Sleep(2 * time.Second)
		w.looks()
		got = append(got, w.done())
		want := []string{`0 marked, config "", accepted executing succeeded`, "open gateway  1m0s by carol", "quarantine camera 24h0m0s by soc"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}, func(w *ward) {
		w.clock.wall = time.Now()
		w.fail["quarantine"] = errPower
		w.obey(w.setUntil("2099-01-01T00:00:00Z", "camera"))
		w.fail["quarantine"] = nil
		w.done()
		w.answers = nil
		w.task.opt.Known = make(chan struct{}) // never closed
	})
}

func TestQueueIsBounded(t *testing.T) {
	w := newWard(t)
	offer := func(id string, n int) bool {
		return w.task.Offer(Inbound{Topic: "cmd/" + id, Payload: make([]byte, n)})
	}
	var got []string
	taken := 0
	for range 1000 {
		if offer("statement-1", 10) {
			taken++
		}
	}
	got = append(got, fmt.Sprint(taken, " ", w.last()))
	drain := func() {
		for len(w.task.queue.in) > 0 {
			w.task.queue.taken(<-w.task.queue.in)
		}
	}
	drain()
	taken = 0
	for range 1000 {
		if offer("statement-2", 200<<10) {
			taken++
		}
	}
	got = append(got, fmt.Sprint(taken, " ", w.last()))
	w.answers = nil
	offer("../../+/#", 200<<10)
	w.task.Offer(Inbound{Topic: "desired/policy", Payload: make([]byte, 200<<10)})
	got = append(got, w.last())
	drain()
	got = append(got, fmt.Sprint(offer("statement-3", 10), w.task.queue.bytes.Load()), fmt.Sprint(w.task.Counters()["command.busy"]))
	want := []string{"64 rejected busy", "20 rejected busy", "silence", "true 10", "1918"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The journal forgets what is over, and stays bounded without.
func TestJournalIsBounded(t *testing.T) {
	w := newWard(t)
	j := w.task.journal
	put := func(id string) {
		t.Helper()
		now := w.task.opt.Clock.Now()
		if err := j.put(id, record{Payload: []byte(id), Ends: endIn(time.Minute, now), Answer: newAnswer(id, Succeeded, now)}, true, now); err != nil {
			t.Fatal(err)
		}
		w.clock.advance(time.Millisecond)
	}
	for n := range maxRecords + 100 {
		put(fmt.Sprintf("statement-%d", n))
	}
	if n := len(j.by); n > maxRecords || n < maxRecords/2 || len(w.room.by) != n {
		t.Errorf("%d records in memory, %d in the room; want at most %d", n, len(w.room.by), maxRecords)
	}
	for n := range maxRecords + 100 {
		if _, there := j.by[fmt.Sprintf("statement-%d", n)]; there != (n >= maxRecords+100-len(j.by)) {
			t.Errorf("record %d is there: %v: it is not the oldest that are forgotten", n, there)
		}
	}
	w.clock.advance(2 * time.Hour)
	put("statement-last")
	if n := len(j.by); n != 1 || len(w.room.by) != 1 {
		t.Errorf("%d records in memory, %d in the room after their time; want 1", n, len(w.room.by))
	}
}

// An answer of any length is sent once, and stored only if it is short.
func TestLongResults(t *testing.T) {
	w := newWard(t)
	m := w.sign(w.next(), signed.Explain{Device: strings.Repeat("x", 64)}, "alice")
	w.obey(m)
	first := w.answers[len(w.answers)-1].Result
	w.obey(m)
	if string(w.answers[0].Result) != string(first) || len(first) == 0 {
		t.Errorf("a short result: %s, then %s", first, w.answers[0].Result)
	}
	for n, want := range map[int]string{maxKept + 1: "succeeded", maxResult + 1: "failed oversize"} {
		r := answerOf("statement-1", strings.Repeat("x", n), nil, w.task.opt.Clock.Now())
		if got := strings.TrimSpace(string(r.State) + " " + r.Reason); got != want {
			t.Errorf("%d bytes: %s, want %s", n, got, want)
		}
		_ = w.task.journal.put("statement-1", record{Payload: []byte("x"), Answer: r}, true, w.task.opt.Clock.Now())
		if kept := w.task.journal.by["statement-1"].Answer.Result; kept != nil {
			t.Errorf("%d bytes are kept", len(kept))
		}
	}
}

// FuzzInbound: nothing but what was signed has an effect, whatever comes.
func FuzzInbound(f *testing.F) {
	w := newWard(&testing.T{})
	seeds := [][]byte{w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 60}, "alice"), w.sign(w.next(), signed.Policy{TOML: "x"}, "dave", "erin"),
		w.sign(w.next(), signed.QuarantineSet{Entries: []signed.QuarantineEntry{{Device: "camera", Reason: "r", Owner: "o", Until: "2026-12-05T12:00:00Z"}}}, "dave"),
		w.makeRoot(2, nil, "root-a"), w.sign(w.next(), signed.Reboot{}, "mallory"), []byte("{}")}
	var payloads []string
	for _, s := range seeds {
		if e, err := signed.Parse(s); err == nil {
			payloads = append(payloads, string(e.Payload))
		}
		f.Add(topic(s), s, false)
	}
	f.Fuzz(func(t *testing.T, topic string, payload []byte, retained bool) {
		w := newWard(t)
		before := w.world()
		w.obeyOn(topic, payload, retained)
		for _, a := range w.answers {
			if !idPattern.MatchString(a.ID) || len(a.Text) > 3*maxText {
				t.Errorf("answer %+v", a)
			}
		}
		if e, err := signed.Parse(payload); err == nil && slices.Contains(payloads, string(e.Payload)) {
			return // its signatures may be good
		}
		if w.world() != before || len(w.effects) > 0 || len(w.audit) > 0 {
			t.Errorf("%q had effect: %v %+v", payload, w.effects, w.audit)
		}
	})
}

// FuzzKept: whatever is left of the files and of the database, the agent starts.
func FuzzKept(f *testing.F) {
	w := newWard(&testing.T{})
	w.obey(w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 60}, "alice"))
	w.obey(w.sign(w.next(), signed.Policy{TOML: "x"}, "dave", "erin"))
	w.obey(w.sign(w.next(), signed.Config{TOML: "x"}, "dave"))
	for key, versions := range w.files.by {
		f.Add(key, versions[0])
	}
	for id, value := range w.room.by {
		f.Add(id, value)
	}
	for _, key := range []string{ratchetKey, leaseKey, "desired-trial", "desired-root", "statement-1"} {
		f.Add(key, []byte("null"))
		f.Add(key, []byte(`{"all":null,"x":{},"seq":null,"released":null}`))
	}
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		w := newWard(t)
		w.files.by[key] = [][]byte{value}
		w.room.by[key] = value
		w.restart()
		w.obey(w.sign(signed.Statement{V: 1, ID: "statement-9", Site: "st-mary", Target: []string{"gw-7b"}, Seq: 9999, NotBefore: "2026-11-28T12:00:00Z",
			Expires: "2026-11-28T12:10:00Z", Root: 1, Reason: "r"}, signed.Release{Device: "camera"}, "alice"))
	})
}

// A flash that takes a second for each of many files is no hang.
func TestSlowFlashIsNoHang(t *testing.T) {
	w := newWard(t)
	var set signed.QuarantineSet
	w.devices = nil
	for i := range 30 {
		id := fmt.Sprintf("camera-%02d", i)
		w.devices = append(w.devices, id)
		set.Entries = append(set.Entries, signed.QuarantineEntry{Device: id, Reason: "r", Owner: "o", Until: "2026-12-05T12:00:00Z"})
	}
	w.retained(w.sign(w.next(), set, "dave"))
	for _, e := range set.Entries { // one that took them out was followed by one that has them
		w.task.leases.Letting[device.ID(e.Device)] = "dave"
	}
	watch, now := health.Watch{Board: &w.board}, time.Duration(0)
	w.files.during = func() {
		for range time.Second / health.LookEvery {
			now += health.LookEvery
			if hung := watch.Look(now); len(hung) > 0 {
				t.Errorf("%v after %s", hung, now)
			}
		}
	}
	w.clock.advance(retry)
	w.task.begins()
	w.task.pass(context.Background(), true)
	if now < 20*time.Second {
		t.Errorf("all was written within %s", now)
	}
}
