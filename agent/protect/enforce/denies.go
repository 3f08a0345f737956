package enforce

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Cadence and bounds of the deny events.
const (
	denyEvery  = 10 * time.Second // an event of one kind, at most; the first goes out at once
	denyForget = 5 * time.Minute  // a kind that was not seen again
	maxDenies  = 4096             // kinds
	logWait    = time.Second      // of one read
	logRetry   = 5 * time.Second  // after the log broke
)

// Denies turns the samples in the filter's log into events: one for each device,
// peer, service and verdict, at once when it is first seen, then with counts.
type Denies struct {
	firewall  platform.Firewall
	inventory Inventory
	clock     *clock.Clock
	board     *health.Board
	events    event.Sink
	log       *slog.Logger
	recount   func()
	ready     chan struct{}

	// Of Run's goroutine:
	open   map[denyKey]*denyCount
	index  map[fact.MAC]*device.Device
	seq    uint64 // of the snapshot in index
	mapped bool

	overflow, lost atomic.Uint64
}

// denyKey is what makes two samples the same.
type denyKey struct {
	device  device.ID
	peer    string
	service string
	verdict string
	leaving bool
}

// denyCount is what was not told yet of a kind.
type denyCount struct {
	body    event.Deny // of the last event, with its counts at zero
	class   event.Class
	told    time.Duration // when the last event went out, since boot
	seen    time.Duration
	pending bool
}

// NewDenies makes the task; it shares the parts of the Task, and asks it for a
// recount when packets are refused.
func NewDenies(t *Task) *Denies {
	o := t.opt
	return &Denies{firewall: o.Firewall, inventory: o.Inventory, clock: o.Clock, board: o.Board, events: o.Events, log: o.Log,
		recount: t.Recount, ready: make(chan struct{}), open: map[denyKey]*denyCount{}}
}

// String names the task.
func (d *Denies) String() string { return "denies" }

// Ready is closed once the log is read.
func (d *Denies) Ready() <-chan struct{} { return d.ready }

// Counters are how many samples did not become events, by stable name.
func (d *Denies) Counters() map[string]uint64 {
	return map[string]uint64{"denies.overflow": d.overflow.Load(), "denies.lost": d.lost.Load()}
}

// Run reads the log until ctx ends.
func (d *Denies) Run(ctx context.Context) error {
	const code = "enforce.log"
	for ctx.Err() == nil {
		d.board.Busy(d.String(), d.clock.Now().Mono)
		src, err := d.firewall.Logged(policy.LogGroup)
		if err == nil {
			if d.board.Clear(code) {
				d.log.Info("condition cleared", "code", code)
			}
			select {
			case <-d.ready:
			default:
				close(d.ready)
			}
			err = d.read(ctx, src)
		}
		if ctx.Err() != nil {
			break
		}
		if d.board.Set(health.Condition{Code: code, Severity: health.Failure, Text: "refused packets are counted, but not told: " + err.Error(), Since: d.clock.Now().Wall}) {
			d.log.Warn("condition", "code", code, "err", err)
		}
		health.Rest(ctx, logRetry, d.beat)
	}
	d.flush(true)
	return nil
}

func (d *Denies) beat() { d.board.Beat(d.String(), d.clock.Now().Mono) }

// read takes samples until the source fails or ctx ends.
func (d *Denies) read(ctx context.Context, src platform.LogSource) error {
	defer src.Close()
	stop := context.AfterFunc(ctx, func() { _ = src.Close() })
	defer stop()
	base := d.lost.Load()
	for {
		e, err := src.Next(logWait)
		d.lost.Store(base + src.Lost())
		now := d.clock.Now()
		d.board.Beat(d.String(), now.Mono)
		switch {
		case err == nil:
			d.take(e, now)
		case !errors.Is(err, platform.ErrNoFrame):
			return err
		}
		d.flush(false)
	}
}

// take counts one sample.
func (d *Denies) take(e platform.LogEntry, now clock.Stamp) {
	body, class, ok := d.deny(e)
	if !ok {
		return
	}
	d.recount()
	k := denyKey{body.Device, body.Peer, body.Service, body.Verdict, body.Direction == fromDevice}
	if body.Device == "" {
		k.device = device.ID(body.PeerMAC.String()) // strangers stay apart
	}
	c := d.open[k]
	if c == nil {
		if len(d.open) >= maxDenies && !d.forget(now.Mono) {
			d.overflow.Add(1)
			return
		}
		c = &denyCount{told: now.Mono - denyEvery}
		d.open[k] = c
	}
	body.Samples, body.First = c.body.Samples+1, c.body.First
	if !c.pending {
		body.Samples, body.First = 1, now.Wall
	}
	body.Last = now.Wall
	c.body, c.class, c.seen, c.pending = body, class, now.Mono, true
}

// flush sends what is due; all, where the agent ends.
func (d *Denies) flush(all bool) {
	now := d.clock.Now()
	for _, c := range d.open {
		if c.pending && (all || now.Mono-c.told >= denyEvery) {
			d.events.Emit(event.Event{Class: c.class, At: now, Body: c.body})
			c.told, c.pending = now.Mono, false
		}
	}
}

// forget makes room: kinds that were not seen for long, and are told.
func (d *Denies) forget(now time.Duration) bool {
	n := len(d.open)
	for k, c := range d.open {
		if !c.pending && now-c.seen >= denyForget {
			delete(d.open, k)
		}
	}
	return len(d.open) < n
}
