package nac

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// errDead is what a process that was killed gets; it never sees it in life.
var errDead = errors.New("killed")

// life is one life of the agent's process, which can end at any of its steps:
// before and after each write of the ledger and each act of a hook.
type life struct {
	mu    sync.Mutex
	step  int
	dieAt int // 0: never
	dead  chan struct{}
	bury  chan struct{} // lets go of what hangs in a dead process
}

func newLife(dieAt int) *life {
	return &life{dieAt: dieAt, dead: make(chan struct{}), bury: make(chan struct{})}
}

// point is one step. A dead process does nothing more.
func (l *life) point() error {
	l.mu.Lock()
	l.step++
	if l.step == l.dieAt {
		close(l.dead)
	}
	l.mu.Unlock()
	select {
	case <-l.dead:
		<-l.bury
		return errDead
	default:
		return nil
	}
}

// disk is a ledger that outlives processes.
type disk struct {
	mu     sync.Mutex
	values map[string][]byte
	err    error // it takes nothing
	during func()
}

func (d *disk) has(text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.values {
		if bytes.Contains(v, []byte(text)) {
			return true
		}
	}
	return false
}

func (d *disk) set(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

// ledger is the disk as one life sees it.
type ledger struct {
	*disk
	life *life
}

func (l ledger) Load(fn func(string, []byte) error) error {
	l.mu.Lock()
	all := maps.Clone(l.values)
	l.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if err := fn(k, all[k]); err != nil {
			return err
		}
	}
	return nil
}

func (l ledger) Save(values map[string][]byte) error {
	if err := l.life.point(); err != nil {
		return err
	}
	l.mu.Lock()
	if l.during != nil {
		l.during()
	}
	err := l.err
	for k, v := range values {
		switch {
		case err != nil:
		case v == nil:
			delete(l.values, k)
		default:
			l.values[k] = v
		}
	}
	l.mu.Unlock()
	if err != nil {
		return err
	}
	return l.life.point()
}

// site is the network outside: what each hook has put there, and what it was
// asked.
type site struct {
	mu   sync.Mutex
	held map[string]bool // by hook
	acts []string
	reqs []Request // as asked
}

func (s *site) act(action, hook string, hold, changes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acts = append(s.acts, action+" "+hook)
	if changes {
		s.held[hook] = hold
	}
}

func (s *site) asked(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reqs = append(s.reqs, r)
}

func (s *site) requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reqs)
}

func (s *site) holds(hook string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[hook]
}

func (s *site) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.acts)
}

// means is what a hook of the tests does.
type means struct {
	name  string
	reach Reach
	works bool          // it silences the device
	apply Outcome       // 0: Done
	undo  []Outcome     // one a try, then Done
	takes time.Duration // of Apply
	said  string        // by it
	lost  bool          // the answer Unsure, and it holds all the same
}

type simHook struct {
	means
	site   *site
	life   *life
	ledger *disk
	t      testing.TB
	undone int
}

func (h *simHook) Name() string     { return h.name }
func (h *simHook) Reach() Reach     { return h.reach }
func (h *simHook) UndoStep() string { return "take back " + h.name }

func (h *simHook) Apply(ctx context.Context, r Request) Result {
	if h.life.point() != nil {
		return Result{}
	}
	if !h.ledger.has(r.ID) {
		h.t.Errorf("%s is asked for %s, which the ledger does not know", h.name, r.ID)
	}
	out := h.apply
	if out == 0 {
		out = Done
	}
	h.site.act("apply", h.name, true, out == Done || h.lost)
	h.site.asked(r)
	if h.takes > 0 && !wait(ctx, h.takes) {
		return Result{Outcome: Unsure, Text: "interrupted"}
	}
	if h.life.point() != nil {
		return Result{}
	}
	return Result{Outcome: out, Text: "apply " + out.String(), Said: h.said}
}

func (h *simHook) Undo(_ context.Context, r Request) Result {
	if h.life.point() != nil {
		return Result{}
	}
	out := Done
	if h.undone < len(h.undo) {
		out = h.undo[h.undone]
	}
	h.undone++
	h.site.act("undo", h.name, false, out == Done)
	h.site.asked(r)
	if h.life.point() != nil {
		return Result{}
	}
	return Result{Outcome: out, Text: "undo " + out.String()}
}

// bench is a ward with one device that talks each second unless a hook that
// works holds it, in a synctest bubble.
type bench struct {
	t      testing.TB
	host   *fake.Host
	clock  *clock.Clock
	board  *health.Board // of the life
	disk   *disk
	site   *site
	means  []means
	silent bool        // the device says nothing anyway
	blind  bool        // the gateway does not see it
	open   atomic.Bool // break-glass
	early  atomic.Bool // nobody knows who counts as life-sustaining, so all do

	mu     sync.Mutex
	snap   *device.Snapshot
	events []string
	ready  chan struct{}
	last   time.Duration
	life   *life
}

func newBench(t testing.TB, m ...means) *bench {
	b := &bench{t: t, host: fake.New(), disk: &disk{values: make(map[string][]byte)}, site: &site{held: make(map[string]bool)}, means: m,
		ready: make(chan struct{}), snap: &device.Snapshot{Devices: []device.Device{dev(intruder, "w1", "pc")}}}
	b.clock = clock.New(b.host.Clock, time.Unix(0, 0))
	close(b.ready)
	return b
}

func (b *bench) Snapshot() *device.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.snap
}

func (b *bench) Ready() <-chan struct{} { return b.ready }

func (b *bench) know(d ...device.Device) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.snap = &device.Snapshot{Devices: d}
}

func (b *bench) LastTalk(device.ID) (time.Duration, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	stopped := b.silent
	for _, m := range b.means {
		stopped = stopped || m.works && b.site.holds(m.name)
	}
	if !stopped {
		b.last = b.clock.Now().Mono.Truncate(time.Second)
	}
	return b.last, !b.blind
}

func (b *bench) Emit(e event.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := e.Body.(event.NAC)
	s := strings.TrimSpace(fmt.Sprintf("%s %s %s", n.Hook, n.State, n.Effect))
	if n.State == "skipped" {
		s += ": " + n.Text
	} else if strings.Contains(n.Text, "Smith") {
		s += " " + n.Text
	}
	b.events = append(b.events, s)
}

func (b *bench) told() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.events)
}

func (b *bench) conditions() []string {
	var out []string
	for _, c := range b.board.Conditions() {
		out = append(out, c.Code)
	}
	return out
}

// start begins a life of the agent; it ends at stop, or when the process dies.
func (b *bench) start(l *life) (t *Task, stop func()) {
	b.t.Helper()
	b.life, b.board = l, &health.Board{}
	o := Options{Ledger: ledger{b.disk, l}, Inventory: b, Wire: b, Counts: func(d *device.Device) bool { return b.early.Load() || counts(d) }, Settled: func() bool { return !b.early.Load() }, Open: func(device.ID) bool { return b.open.Load() }, Clock: b.clock, Board: b.board, Events: b,
		Log: slog.New(slog.DiscardHandler)}
	for _, m := range b.means {
		o.Hooks = append(o.Hooks, &simHook{means: m, site: b.site, life: l, ledger: b.disk, t: b.t})
	}
	t = New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- t.Run(ctx) }()
	synctest.Wait()
	return t, func() {
		cancel()
		select {
		case <-l.dead:
			close(l.bury)
		default:
		}
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	}
}

// steps counts those of this life.
func (b *bench) steps() int {
	b.life.mu.Lock()
	defer b.life.mu.Unlock()
	return b.life.step
}

func order(d time.Duration) Order {
	return Order{ID: "cmd-1", Device: intruder, By: "alice", Code: "ransomware", For: d}
}

// empty fails where anything is still held, noted or said to be wrong.
func (b *bench) empty() {
	b.t.Helper()
	for _, m := range b.means {
		if b.site.holds(m.name) {
			b.t.Errorf("%s still holds the device", m.name)
		}
	}
	b.disk.mu.Lock()
	defer b.disk.mu.Unlock()
	if len(b.disk.values) > 0 {
		b.t.Errorf("the ledger still has %s", b.disk.values)
	}
	if c := b.conditions(); len(c) > 0 {
		b.t.Errorf("conditions %v", c)
	}
}
