package enforce

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Inventory is what enforce asks of know/inventory.
type Inventory interface {
	Snapshot() *device.Snapshot // never nil
	Subscribe() <-chan struct{} // a value after each change
	Ready() <-chan struct{}     // closed once what was remembered is back
}

// Store keeps values over restarts, and of each its predecessor; kept.Dir is
// one.
type Store interface {
	// All returns the values of the key that are whole, the newest first, and
	// says what is wrong with the others.
	All(key string) ([][]byte, error)
	// Put returns once the value is on disk.
	Put(key string, value []byte) error
}

// Options are the parts of a Task. Store may be nil: then nothing is remembered;
// Events, too: then nobody is told.
type Options struct {
	Firewall  platform.Firewall
	Links     platform.Links
	Inventory Inventory
	Store     Store
	Clock     *clock.Clock
	Board     *health.Board
	Events    event.Sink
	Log       *slog.Logger
	Button    Button // nil: there is none

	Policy   *policy.Policy // nil: none
	Roles    policy.Roles
	Lab      bool           // a virtual ward: the only place where enforce is accepted
	Internal []netip.Prefix // the site's networks
	Uplink   string         // "" only for Preload: that of the kept rules
	Ward     []string
}

// Cadence.
const (
	resyncEvery  = time.Minute            // with nothing to wake it
	countEvery   = 2 * time.Second        // at most, while packets are refused
	settleTime   = 100 * time.Millisecond // between two reconciliations
	retryFirst   = time.Second
	retryLongest = 30 * time.Second
)

// Task owns the table in the kernel.
type Task struct {
	opt     Options
	wake    chan struct{}
	recount chan struct{}
	ready   chan struct{}
	policy  atomic.Pointer[policy.Policy]
	now     atomic.Pointer[policy.Compiled] // in force, as far as is known

	// Of Run's goroutine:
	pairs     []policy.Pair
	keptPairs int              // of them are in the store
	kept      []byte           // the record in the store
	press     time.Duration    // of the button, audited: the end of what it opened
	before    *policy.Compiled // what was in force before a reboot
	above     uint64           // highest generation number seen
	limit     int              // elements a transaction may hold
	restored  bool             // the inventory is back
	fenced    []device.ID      // enforced before the restart, until all are known again
	agreed    bool             // the kernel has what now says
	refused   string           // why a policy is not enforced

	glass glass
	book  book
	modes modes

	changing sync.Mutex // one person changes policy or modes at a time
	mu       sync.Mutex
	status   Status // mu
	tally    tally  // mu
}

// New makes the task.
func New(opt Options) *Task {
	if opt.Events == nil {
		opt.Events = nobody{}
	}
	t := &Task{opt: opt, wake: make(chan struct{}, 1), recount: make(chan struct{}, 1), ready: make(chan struct{}), limit: firstLimit}
	t.status.Default = policy.Observe
	t.use(opt.Policy)
	t.openModes()
	t.openBook()
	return t
}

// nobody takes events and tells no one.
type nobody struct{}

func (nobody) Emit(event.Event) {}

// String names the task.
func (t *Task) String() string { return "enforce" }

// Ready is closed once the kernel agreed with the policy for the first time.
func (t *Task) Ready() <-chan struct{} { return t.ready }

// use replaces the policy; nil is none.
func (t *Task) use(p *policy.Policy) {
	if p == nil {
		p = policy.None()
	}
	t.policy.Store(p)
	poke(t.wake)
}

// Recount asks for fresh counters soon.
func (t *Task) Recount() { poke(t.recount) }

// empty takes a waiting value and reports whether there was one.
func empty(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// Run keeps the kernel in agreement until ctx ends. The rules stay.
func (t *Task) Run(ctx context.Context) error {
	devices := t.opt.Inventory.Subscribe()
	back := t.opt.Inventory.Ready()
	resync := time.NewTicker(resyncEvery)
	defer resync.Stop()
	count, beat := time.NewTicker(countEvery), time.NewTicker(health.BeatEvery)
	defer count.Stop()
	defer beat.Stop()
	t.busy()
	strangers := t.watch(ctx)
	retry := retryFirst
	again := time.After(0)
	before := len(t.book.all())
	t.remember(ctx)
	if before+len(t.book.all()) > 0 {
		t.keepBook() // what is left is counted under this boot from now on
	}
	for {
		foreign, devicesOnly := false, false
		t.beat()
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			continue
		case <-back:
			back = nil
			t.busy()
			t.restore()
		case <-devices:
			devicesOnly = true
		case <-t.wake:
		case <-resync.C:
		case <-again:
		case <-count.C:
			t.busy()
			t.tellGlass()
			t.tend()
			select {
			case <-t.recount:
				t.readCounters(ctx)
			default:
			}
			continue
		case _, open := <-strangers:
			if !open {
				strangers = t.watch(ctx)
			}
			foreign = true
		}
		again = nil
		t.busy()
		// Whatever else waits is served by the same reconciliation.
		empty(devices)
		devicesOnly = !empty(t.wake) && devicesOnly
		select {
		case <-back:
			back, devicesOnly = nil, false
			t.restore()
		default:
		}
		if err := t.reconcile(ctx, foreign, devicesOnly); err != nil && ctx.Err() == nil {
			again = time.After(retry)
			retry = min(2*retry, retryLongest)
		} else {
			retry = retryFirst
		}
		if !t.pause(ctx) {
			return nil
		}
	}
}

// pause keeps a stranger who fights for the table from eating the processor.
func (t *Task) pause(ctx context.Context) bool { return wait(ctx, settleTime) }

func (t *Task) beat() { t.opt.Board.Beat(t.String(), t.opt.Clock.Now().Mono) }

// busy is for what kernel and flash decide the length of.
func (t *Task) busy() { t.opt.Board.Busy(t.String(), t.opt.Clock.Now().Mono) }

// watch listens for strangers; without it there is the resync.
func (t *Task) watch(ctx context.Context) <-chan struct{} {
	ch, err := t.opt.Firewall.Watch(ctx)
	if err != nil {
		t.condition("enforce.watch", health.Warning, "changes of the rules by others are noticed only once a minute: "+err.Error())
		return nil
	}
	t.opt.Board.Clear("enforce.watch")
	return ch
}

// condition puts a condition up, with a log line if it is new.
func (t *Task) condition(code string, s health.Severity, text string) {
	if t.opt.Board.Set(health.Condition{Code: code, Severity: s, Text: text, Since: t.opt.Clock.Now().Wall}) {
		t.opt.Log.Warn("condition", "code", code, "text", text)
	}
}

func (t *Task) clear(code string) {
	if t.opt.Board.Clear(code) {
		t.opt.Log.Info("condition cleared", "code", code)
	}
}

// readCounters reads the kernel for the counters alone.
func (t *Task) readCounters(ctx context.Context) {
	if _, err := t.read(ctx); err != nil && ctx.Err() == nil {
		t.opt.Log.Warn("rules: read counters", "err", err)
	}
}
