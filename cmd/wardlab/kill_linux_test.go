package main

// The whole path with the real broker: the agent is killed in mid-stream, again
// and again, and what it has promised must hold. Nothing of the agent is
// linked; everything is judged from outside (kill_judge_test.go).

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/mosquitto"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

const (
	killAgentEnv = "WARDLAB_KILL_AGENT" // the built agent; marks the re-executed test
	killSeedEnv  = "WARDLAB_KILL_SEED"  // to repeat a run's moments

	kills = 10
	// The subscriber is away from before kill awayFrom to after start awayTo.
	awayFrom, awayTo = 5, 6
)

func TestKillNine(t *testing.T) {
	if os.Getenv(killAgentEnv) != "" {
		killNine(t)
		return
	}
	if testing.Short() {
		t.Skip("takes a minute")
	}
	if _, err := mosquitto.Find(); err != nil {
		t.Skip(err)
	}
	agent := filepath.Join(t.TempDir(), "wardkeeper")
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", agent, "../wardkeeper")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the agent: %v\n%s", err, out)
	}
	// A ward wants the whole namespace for its gateway, and the package's other
	// tests use theirs. Process 1 there is the test: nothing outlives it.
	runtime.LockOSThread() // Pdeathsig speaks of the thread
	defer runtime.UnlockOSThread()
	self := exec.Command("/proc/self/exe", "-test.run=^TestKillNine$", "-test.v", "-test.timeout=4m")
	self.Env = append(os.Environ(), killAgentEnv+"="+agent)
	self.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	begin := time.Now()
	out, err := self.CombinedOutput()
	t.Logf("%s", out)
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Skip("no namespaces: ", ward.Diagnose(err, func(path string) string { b, _ := os.ReadFile(path); return strings.TrimSpace(string(b)) }))
	case err != nil:
		t.Fatalf("in its namespaces, after %v: %v", time.Since(begin).Round(time.Second), err)
	}
}

// killRun is one ward, one broker and one agent.
type killRun struct {
	t      *testing.T
	rng    *rand.Rand
	ward   *killWard
	ledger *killLedger
	broker *mosquitto.Broker
	tap    *mosquitto.Tap
	sub    *mosquitto.Subscriber
	agent  *mortal
	flying chan struct{} // a message has just left the agent
	flown  int           // messages under way at the kills
	lives  []life
	dead   []deathWatch
}

func killNine(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv(killSeedEnv), 10, 64); err == nil {
		seed = s
	}
	t.Logf("%s=%d", killSeedEnv, seed)
	r := openKillRun(t, seed)
	arrived := r.ward.arrived()
	first := time.Now()
	known := r.known()
	for n := 1; n <= kills; n++ {
		r.round(n)
	}
	r.finish()
	e := r.evidence(known, first, arrived)
	e.pairs = r.ward.pairs()
	r.describe(e)
	for _, why := range judgeKills(e) {
		t.Error(why)
	}
	if t.Failed() {
		t.Logf("the agent's last words:\n%s", r.agent.lastWords())
		return
	}
	// The same judgement must fail where something is amiss.
	t.Run("acknowledged event kept from the subscriber", func(t *testing.T) { r.controlLoss(t, e) })
	r.ward.work(t.Context())
	defer r.ward.rest()
	r.must(r.agent.start())
	t.Run("rules flushed while the agent is dead", r.controlFlush)
	t.Run("database removed", r.controlDatabase)
}

func (r *killRun) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// openKillRun brings the ward to where every role is confirmed, its rules are in
// the kernel, and all of it is on disk.
func openKillRun(t *testing.T, seed uint64) *killRun {
	t.Helper()
	begin := time.Now()
	r := &killRun{t: t, rng: rand.New(rand.NewPCG(seed, 9)), flying: make(chan struct{}, 1)}
	r.must(ward.Mounts())
	c := cast.New(seed)
	r.ledger = newKillLedger(c)
	var err error
	r.ward, err = openKillWard(t.Context(), c)
	r.must(err)
	t.Cleanup(r.ward.close)
	program, err := mosquitto.Find()
	r.must(err)
	r.broker, err = mosquitto.Start(program, t.TempDir())
	r.must(err)
	t.Cleanup(func() { r.broker.Stop() })
	r.sub, err = mosquitto.Subscribe(r.broker.Addr(), "collector", "wardkeeper/v1/#", r.ledger.receive)
	r.must(err)
	t.Cleanup(r.sub.Leave)
	r.tap, err = mosquitto.NewTap(r.broker.Addr(), func(m mosquitto.Message) {
		r.ledger.publish(m.Topic, m.Payload)
		select {
		case r.flying <- struct{}{}:
		default:
		}
	}, func(m mosquitto.Message) { r.ledger.acknowledge(m.Topic, m.Payload) })
	r.must(err)
	t.Cleanup(r.tap.Close)
	r.agent, err = newMortal(os.Getenv(killAgentEnv), t.TempDir(), c, r.tap.Port())
	r.must(err)
	r.must(r.agent.start())
	t.Cleanup(r.agent.end)
	r.ward.work(t.Context())
	r.await("every role confirmed", 40*time.Second, func() bool { return len(r.known()) == len(killDevices()) })
	confirmed := time.Now()
	if !r.ward.awaitClosed(15 * time.Second) {
		t.Fatalf("packets of the intruder still reach devices\n%s", r.agent.lastWords())
	}
	// What was learned last is saved within two seconds.
	time.Sleep(time.Until(confirmed.Add(3 * time.Second)))
	r.ward.forget()
	t.Logf("roles confirmed after %v, rules in place and all saved after %v", confirmed.Sub(begin).Round(100*time.Millisecond), time.Since(begin).Round(100*time.Millisecond))
	return r
}

func (r *killRun) await(what string, patience time.Duration, fn func() bool) {
	r.t.Helper()
	for begin := time.Now(); !fn(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > patience {
			r.t.Fatalf("not within %v: %s\n%s", patience, what, r.agent.lastWords())
		}
	}
}

// known is the last record of each device whose role is right and confirmed.
func (r *killRun) known() map[cast.Part]sighting {
	out := map[cast.Part]sighting{}
	for _, s := range r.ledger.since(time.Time{}) {
		if s.fresh {
			continue
		}
		if delete(out, s.part); s.role == s.part.Role() && s.confidence == verdict.Confirmed {
			out[s.part] = s
		}
	}
	return out
}

// round is one kill: a moment to choose, the death, what goes on meanwhile, and
// the next life, up to where its inventory is at the broker.
func (r *killRun) round(n int) {
	r.t.Helper()
	if n == awayFrom {
		r.sub.Leave()
	}
	moment := r.chooseMoment(n)
	began, flying := r.agent.begin, r.tap.InFlight()
	r.must(r.agent.kill())
	died := time.Now()
	r.tap.Release()
	r.flown += flying
	if n > 1 {
		r.lives[n-2].end = died
	}
	w := r.ward.deathWatch(r.t.Context(), n)
	r.dead = append(r.dead, w)
	r.must(r.agent.start())
	r.t.Logf("kill %2d after %4d ms, %s, %d messages under way; dead for %3d ms: intruder's packets %d sent, %d arrived, %d refused; beats %d sent, %d lost", n,
		died.Sub(began).Milliseconds(), moment, flying, r.agent.begin.Sub(died).Milliseconds(), w.tried, w.arrived, w.refused, w.beats, w.unheard)
	l := life{n: n, begin: r.agent.begin, brief: n%4 == 3}
	r.lives = append(r.lives, l)
	if !l.brief {
		r.awaitBack(l.begin)
	}
	if n == awayTo {
		r.must(r.sub.Return())
	}
}

func (r *killRun) upTo(d time.Duration) time.Duration { return time.Duration(r.rng.Int64N(int64(d))) }

// chooseMoment waits for the moment of a kill, where a promise could break: in
// the start of a brief life; just when a message leaves; while the broker has
// messages whose acknowledgement has not come back; while messages are lost on
// the way, long enough that an agent that took them for delivered would have
// deleted them; or any.
func (r *killRun) chooseMoment(n int) string {
	if n > 1 && r.lives[n-2].brief {
		time.Sleep(r.upTo(400 * time.Millisecond))
		return "in its start"
	}
	time.Sleep(r.upTo(1500 * time.Millisecond))
	switch n {
	case 1, 7:
		select {
		case <-r.flying: // the last one's
		default:
		}
		select {
		case <-r.flying:
		case <-time.After(3 * time.Second):
		}
		return "as a message leaves"
	case 2, 10:
		r.tap.Hold()
		r.awaitFlight()
		time.Sleep(r.upTo(300 * time.Millisecond))
		return "acknowledgements held back"
	case 5, 9:
		r.tap.Swallow()
		r.awaitFlight()
		time.Sleep(500*time.Millisecond + r.upTo(500*time.Millisecond))
		return "messages lost on the way"
	}
	return "at any moment"
}

func (r *killRun) awaitFlight() {
	for begin := time.Now(); r.tap.InFlight() == 0 && time.Since(begin) < 3*time.Second; {
		time.Sleep(5 * time.Millisecond)
	}
}

// awaitBack waits until a life has told of all devices; whether it took too
// long is the judge's question.
func (r *killRun) awaitBack(begin time.Time) {
	for until := time.Now().Add(backWithin + 2*time.Second); time.Now().Before(until) && !r.ledger.atBroker(begin); {
		time.Sleep(20 * time.Millisecond)
	}
}

// finish stops the ward and the agent, which says goodbye, and waits until all
// has arrived.
func (r *killRun) finish() {
	r.t.Helper()
	r.ward.rest()
	if err := r.agent.stop(); err != nil {
		r.ward.fault(err.Error())
	}
	r.lives[len(r.lives)-1].end = time.Now()
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		if r.ledger.goodbye() && r.ledger.complete() {
			return
		}
	}
}

// evidence is what there is to judge since the first kill.
func (r *killRun) evidence(known map[cast.Part]sighting, first time.Time, arrived uint64) killEvidence {
	e := killEvidence{outbox: r.ledger.outbox(), known: known, lives: r.lives, seen: r.ledger.since(first), dead: r.dead, flown: r.flown,
		arrived: r.ward.arrived() - arrived, tried: r.ward.tried()}
	e.silent, e.faults = r.ward.complaints()
	if !r.broker.Running() {
		e.faults = append(e.faults, "mosquitto has ended")
	}
	if err := r.ward.stand.Sound(); err != nil {
		e.faults = append(e.faults, err.Error())
	}
	if !r.ledger.goodbye() {
		e.faults = append(e.faults, "the agent said no goodbye: what it had committed is not known")
	}
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	e.faults = append(e.faults, r.ledger.faults...)
	return e
}

// describe puts the numbers beside the judgement.
func (r *killRun) describe(e killEvidence) {
	o := e.outbox
	r.t.Logf("received by class %v; committed %v; state values replaced before they were sent: %d", o.received, o.committed, o.replacedState)
	r.t.Logf("%d events acknowledged by mosquitto, %d lost; %d sent again by the agent, %d received more than once; %d wills", o.acked, len(o.lost), o.sentTwice, o.twice, r.ledger.wills)
	for _, l := range e.lives {
		var took []string
		for _, p := range killDevices() {
			if d, ok := l.back(e.seen, p); ok {
				took = append(took, p.String()+" "+d.Round(10*time.Millisecond).String())
			}
		}
		r.t.Logf("start %2d: told of again after %s", l.n, strings.Join(took, ", "))
	}
	for _, p := range e.pairs {
		r.t.Logf("%v -> %v: %d packets sent, %d received", p.From, p.To, p.Sent, p.Received)
	}
	r.t.Logf("intruder: %d packets sent, %d arrived since the first kill", e.tried, e.arrived)
}

// wants checks a control: the judgement names what was done.
func wants(t *testing.T, e killEvidence, want ...string) {
	t.Helper()
	got := judgeKills(e)
	for _, w := range want {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, w) }) {
			t.Errorf("the judgement does not say %q, but %q", w, got)
		}
	}
	t.Logf("judged: %s", strings.Join(got, "; "))
}

// controlLoss takes an acknowledged alert away from the subscriber's side.
func (r *killRun) controlLoss(t *testing.T, e killEvidence) {
	l := r.ledger
	l.mu.Lock()
	for id := range l.acked {
		if n := l.received[id]; id.class == "alert" {
			delete(l.received, id)
			defer func() { l.received[id] = n }()
			break
		}
	}
	l.mu.Unlock()
	e.outbox = l.outbox()
	wants(t, e, "1 events acknowledged by the broker never reached the subscriber: first alert", "1 committed events never reached the subscriber: first alert")
}

// control is one more kill, with a harm done while the agent is dead.
func (r *killRun) control(t *testing.T, harm func() error) killEvidence {
	t.Helper()
	r.awaitBack(r.agent.begin)
	if !r.ward.awaitClosed(10 * time.Second) {
		t.Fatal("packets of the intruder still reach devices")
	}
	known, first, arrived := r.known(), time.Now(), r.ward.arrived()
	r.must(r.agent.kill())
	r.must(harm())
	r.dead = []deathWatch{r.ward.deathWatch(t.Context(), 1)}
	r.must(r.agent.start())
	r.lives = []life{{n: 1, begin: r.agent.begin}}
	r.awaitBack(r.agent.begin)
	r.lives[0].end = time.Now()
	return r.evidence(known, first, arrived)
}

func (r *killRun) controlFlush(t *testing.T) {
	e := r.control(t, func() error { return flushTable(t.Context()) })
	wants(t, e, "after kill 1 the kernel had no rules", "packets of the intruder reached a device")
	if !r.ward.awaitClosed(10 * time.Second) {
		t.Error("the rules did not come back with the agent")
	}
}

func (r *killRun) controlDatabase(t *testing.T) {
	e := r.control(t, r.agent.forget)
	wants(t, e, "2 epochs of the outbox", "pump is taken for a new device", "pump was first seen at")
}
