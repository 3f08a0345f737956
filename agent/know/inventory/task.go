package inventory

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/health"
)

// queueLen is how many batches may wait. Full: the newest is dropped and
// counted; the next sighting brings the same again.
const queueLen = 256

// Cadence of the task.
const (
	settleEvery = 200 * time.Millisecond // news to snapshot
	reportEvery = 2 * time.Second        // look for what is due
	saveEvery   = 2 * time.Second
)

// Task owns a Book and its goroutine.
type Task struct {
	book  *Book
	keep  Keeper // nil: remembers nothing
	uses  Keeper // of the utilisation; nil with keep
	clock *clock.Clock
	board *health.Board
	log   *slog.Logger
	queue chan fact.Batch
	marks chan map[device.ID]device.Marks // the newest, at most one
	ready chan struct{}
	snap  atomic.Pointer[device.Snapshot]
	drops atomic.Uint64
	stats atomic.Pointer[Stats]

	mu   sync.Mutex
	subs []chan struct{} // mu
}

// NewTask wires the task; keep, and with it uses, may be nil.
func NewTask(b *Book, keep, uses Keeper, c *clock.Clock, board *health.Board, log *slog.Logger) *Task {
	t := &Task{book: b, keep: keep, uses: uses, clock: c, board: board, log: log, queue: make(chan fact.Batch, queueLen),
		marks: make(chan map[device.ID]device.Marks, 1), ready: make(chan struct{})}
	t.snap.Store(&device.Snapshot{})
	t.stats.Store(&Stats{})
	return t
}

// String names the task.
func (t *Task) String() string { return "inventory" }

// Ready is closed once what was remembered is back.
func (t *Task) Ready() <-chan struct{} { return t.ready }

// Offer takes a batch of an observer without blocking; false: no room.
func (t *Task) Offer(b fact.Batch) bool {
	select {
	case t.queue <- b:
		return true
	default:
		t.drops.Add(1)
		return false
	}
}

// SetMarks hands over what people say of devices, all of it, without blocking;
// it holds from the next snapshot on. It has one caller at a time.
func (t *Task) SetMarks(marks map[device.ID]device.Marks) {
	select {
	case <-t.marks: // out of date by now
	default:
	}
	t.marks <- marks
}

// Dropped counts the batches that Offer refused.
func (t *Task) Dropped() uint64 { return t.drops.Load() }

// Stats are the book's counts of a moment ago.
func (t *Task) Stats() Stats { return *t.stats.Load() }

// Snapshot is the inventory of a moment ago. Never nil.
func (t *Task) Snapshot() *device.Snapshot { return t.snap.Load() }

// Subscribe returns a channel that gets a value after the snapshot changed in
// more than counters; several changes may share one.
func (t *Task) Subscribe() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	ch := make(chan struct{}, 1)
	t.subs = append(t.subs, ch)
	return ch
}

func (t *Task) publish(changed bool) {
	t.snap.Store(t.book.Snapshot())
	s := t.book.Stats()
	t.stats.Store(&s)
	if !changed {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, ch := range t.subs {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// Run owns the book until ctx ends, then saves it.
func (t *Task) Run(ctx context.Context) error {
	select {
	case m := <-t.marks: // before anybody sees the inventory
		t.book.SetMarks(m)
	default:
	}
	t.busy()
	loaded := t.load()
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	save, refresh := time.NewTicker(saveEvery), time.NewTicker(reportEvery)
	defer save.Stop()
	defer refresh.Stop()
	for {
		select {
		case <-ctx.Done():
			t.drain()
			if loaded {
				t.save(t.book.SaveAll, t.book.SaveAllUse)
			}
			return nil
		case b := <-t.queue:
			t.book.Apply(b, t.clock.Now())
		case m := <-t.marks:
			t.book.SetMarks(m)
			t.settle()
		case <-tick.C:
			t.settle()
		case <-refresh.C:
			t.busy()
			now := t.clock.Now()
			changed := t.book.Settle(now) // no snapshot shows a device that was not judged
			t.book.Report(now)
			t.publish(changed)
		case <-save.C:
			t.busy()
			if !loaded { // what would be saved now lacks what is kept
				loaded = t.load()
				continue
			}
			t.save(t.book.Save, t.book.SaveUse)
		}
	}
}

// settle may have thousands of devices to judge, on a slow processor.
func (t *Task) settle() {
	t.busy()
	if t.book.Settle(t.clock.Now()) {
		t.publish(true)
	}
	t.board.Beat(t.String(), t.clock.Now().Mono)
}

// busy is for what the flash decides the length of, and for all devices at once.
func (t *Task) busy() { t.board.Busy(t.String(), t.clock.Now().Mono) }

// drain takes what the observers handed over before they ended.
func (t *Task) drain() {
	for {
		select {
		case b := <-t.queue:
			t.book.Apply(b, t.clock.Now())
		default:
			t.book.Settle(t.clock.Now())
			t.publish(false)
			return
		}
	}
}

// load brings back what is kept, says that it is ready and reports whether it
// could. Without it the inventory is not ready: an empty one would have the
// rules of all devices removed.
func (t *Task) load() bool {
	if t.keep != nil {
		badUse, err := t.book.LoadUse(t.uses)
		bad := 0
		if err == nil {
			bad, err = t.book.Load(t.keep)
		}
		if err != nil {
			if t.condition("inventory.load", err.Error()) {
				t.log.Error("inventory not loaded", "err", err)
			}
			return false
		}
		if t.board.Clear("inventory.load") {
			t.log.Info("inventory loaded at last")
		}
		if bad+badUse > 0 {
			t.log.Warn("inventory records unreadable", "count", bad, "of utilisation", badUse)
		}
	}
	t.book.Settle(t.clock.Now())
	t.publish(true)
	close(t.ready)
	return true
}

func (t *Task) save(hand, handUse func(Keeper) error) {
	if t.keep == nil {
		return
	}
	if err := errors.Join(hand(t.keep), handUse(t.uses)); err != nil {
		if t.condition("inventory.save", err.Error()) {
			t.log.Error("inventory not saved", "err", err)
		}
		return
	}
	if t.board.Clear("inventory.save") {
		t.log.Info("inventory saved again")
	}
}

func (t *Task) condition(code, text string) bool {
	return t.board.Set(health.Condition{Code: code, Severity: health.Failure, Text: text, Since: t.clock.Now().Wall})
}
