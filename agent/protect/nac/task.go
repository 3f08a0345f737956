package nac

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
)

// Inventory is what nac asks of know/inventory.
type Inventory interface {
	Snapshot() *device.Snapshot // never nil
	Ready() <-chan struct{}     // closed once what was remembered is back
}

// Ledger keeps values over restarts; store.Room is one.
type Ledger interface {
	Load(fn func(key string, value []byte) error) error
	// Save returns once all of it is on disk; a nil value deletes its key.
	Save(values map[string][]byte) error
}

// Options are the parts of a Task. What it asks of them must not call the Task.
type Options struct {
	Hooks     []Hook // in the order in which they are tried
	Ledger    Ledger
	Inventory Inventory
	Wire      Wire
	// Counts reports a device that is, or counts as, life-sustaining for an act that
	// people signed (design: any that is not confirmed and has such a candidate).
	Counts func(*device.Device) bool
	// Settled reports that Counts knows; before that nothing is applied, and nothing
	// undone for what it says. nil: always.
	Settled func() bool
	// Open reports that break-glass is open for the device: whatever is asked of the
	// network for it is undone, and nothing new is asked. nil: never.
	Open   func(device.ID) bool
	Clock  *clock.Clock
	Board  *health.Board
	Events event.Sink
	Log    *slog.Logger

	// Settle is what a hook's effect may take to set in, Quiet the silence by which
	// it is confirmed; 0: 10 s and 30 s.
	Settle, Quiet time.Duration
}

// Cadence and bounds.
const (
	lookEvery    = time.Second
	retryFirst   = 2 * time.Second
	retryLongest = 5 * time.Minute
	maxCalls     = 8  // of Apply, at one time
	maxRecords   = 64 // devices in quarantine at one time
	defSettle    = 10 * time.Second
	defQuiet     = 30 * time.Second
)

// Task owns the ledger and calls the hooks.
type Task struct {
	opt   Options
	order []string // names of the hooks
	hooks map[string]Hook
	wake  chan struct{}
	ready chan struct{}
	calls sync.WaitGroup

	mu      sync.Mutex
	records map[device.ID]*record // mu
	runs    map[string]*run       // mu; by obligation
	unsaved map[device.ID]bool    // mu; what the ledger would not take yet
	skipped map[string]string     // mu; by device and hook, why: told
	shown   map[string]bool       // mu; codes of conditions that are up
	broken  string                // mu; what cannot be read of the ledger
	refused string                // mu; why the ledger takes nothing
}

// run is what is known of an obligation in this life of the process only.
type run struct {
	busy   bool               // a call is under way
	again  bool               // Apply was called by an earlier process, too
	cancel context.CancelFunc // of the call
	tries  int                // of Undo that failed
	next   time.Duration      // the next one, since boot
	from   time.Duration      // the effect is watched since
}

// New makes the task and reads the ledger: what is owed is owed from here on.
func New(opt Options) *Task {
	if opt.Settle == 0 {
		opt.Settle = defSettle
	}
	if opt.Quiet == 0 {
		opt.Quiet = defQuiet
	}
	t := &Task{opt: opt, hooks: make(map[string]Hook), wake: make(chan struct{}, 1), ready: make(chan struct{}),
		records: make(map[device.ID]*record), runs: make(map[string]*run), unsaved: make(map[device.ID]bool),
		skipped: make(map[string]string), shown: make(map[string]bool)}
	for _, h := range opt.Hooks {
		t.order = append(t.order, h.Name())
		t.hooks[h.Name()] = h
	}
	err := opt.Ledger.Load(func(key string, value []byte) error {
		r, err := decode(key, value)
		if err != nil { // the others are owed all the same
			t.broken = err.Error()
			opt.Log.Error("read ledger of obligations", "err", err)
			return nil
		}
		t.records[r.Device] = r
		return nil
	})
	if err != nil {
		t.broken = err.Error()
		opt.Log.Error("read ledger of obligations", "err", err)
	}
	return t
}

// String names the task.
func (t *Task) String() string { return "nac" }

// Ready is closed once what was owed is looked after.
func (t *Task) Ready() <-chan struct{} { return t.ready }

// Run calls hooks until ctx ends. What is owed stays in the ledger.
func (t *Task) Run(ctx context.Context) error {
	defer t.calls.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	t.step(ctx)
	close(t.ready)
	for {
		t.opt.Board.Beat(t.String(), t.opt.Clock.Now().Mono)
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
		case <-tick.C:
		}
		if ctx.Err() == nil { // a hook that was cut short wakes us, too
			t.step(ctx)
		}
	}
}

func (t *Task) step(ctx context.Context) {
	now := t.opt.Clock.Now()
	t.opt.Board.Busy(t.String(), now.Mono) // who has the lock may be writing
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range t.devices() {
		t.tend(ctx, t.records[id], now)
	}
	t.show(now)
}

// devices lists whom there is a record of, sorted; call it with the lock.
func (t *Task) devices() []device.ID {
	ids := make([]device.ID, 0, len(t.records))
	for id := range t.records {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (t *Task) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// save writes records; what the ledger does not take is tried again. Call it with
// the lock.
func (t *Task) save(records ...*record) error {
	err := t.write(records...)
	for _, r := range records {
		t.saved(r, err)
	}
	return err
}

func (t *Task) write(records ...*record) error {
	values := make(map[string][]byte)
	for _, r := range records {
		b, err := r.encode()
		if err != nil {
			return err
		}
		values[string(r.Device)] = b
	}
	return t.put(values)
}

// forget deletes the record.
func (t *Task) forget(r *record) error {
	err := t.put(map[string][]byte{string(r.Device): nil})
	t.saved(r, err)
	return err
}

// put changes the ledger. Each time counts for itself: there may be many, whoever
// writes, and the flash decides how long one takes.
func (t *Task) put(values map[string][]byte) error {
	if len(values) == 0 {
		return nil
	}
	t.opt.Board.Busy(t.String(), t.opt.Clock.Now().Mono)
	return t.opt.Ledger.Save(values)
}

// saved notes what the ledger said to a record.
func (t *Task) saved(r *record, err error) {
	if err != nil {
		t.unsaved[r.Device] = true
		t.refused = err.Error()
		return
	}
	delete(t.unsaved, r.Device)
	if len(t.unsaved) == 0 {
		t.refused = ""
	}
}
