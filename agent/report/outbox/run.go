package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/store"
)

// A group is committed when it has so many records, or after so long; alerts
// and audit records commit at once, with whatever waits beside them. One commit
// for each event would cost 25 KB of flash for 350 bytes.
const (
	group      = 256
	groupDelay = 5 * time.Second
)

// Run commits what the queue takes until ctx ends, then what is left. The error
// wraps store.ErrUnknown: the process must start again.
func (b *Box) Run(ctx context.Context) error {
	close(b.ready)
	beat := time.NewTicker(health.BeatEvery)
	defer beat.Stop()
	var timer <-chan time.Time // running while something waits that need not hurry
	for {
		b.opt.Board.Beat(b.String(), b.opt.Clock.Now().Mono)
		select {
		case <-ctx.Done():
			return b.end()
		case <-beat.C:
			continue
		case <-b.queue.some:
			if timer == nil {
				timer = time.After(groupDelay)
			}
			continue
		case <-b.acked:
			if timer == nil {
				timer = time.After(groupDelay)
			}
			continue
		case <-b.queue.urgent:
		case <-timer:
		}
		timer = nil
		if err := b.flush(); err != nil {
			b.end()
			return fmt.Errorf("outbox: %w", err)
		}
		if b.waiting() {
			timer = time.After(groupDelay)
		}
	}
}

// waiting reports whether a flush left something behind: there was no room.
func (b *Box) waiting() bool {
	b.commit.Lock()
	defer b.commit.Unlock()
	return len(b.held) > 0
}

// end commits the rest and says that no more will come.
func (b *Box) end() error {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	err := b.flush()
	close(b.changed)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// flush commits all that waits, and deletes what was acknowledged.
func (b *Box) flush() error {
	b.commit.Lock()
	defer b.commit.Unlock()
	for {
		b.hold(b.queue.take(group - len(b.held)))
		more, err := b.commitHeld()
		if err != nil {
			return err
		}
		if !more {
			b.shed()
			return nil
		}
		if b.queue.Len() == 0 {
			return nil
		}
	}
}

// hold adds events to those that wait for the disk; of a State key only the
// last counts.
func (b *Box) hold(evs []event.Event) {
next:
	for _, ev := range evs {
		if ev.Class == event.State {
			for _, h := range b.held {
				if h.ev.Class == event.State && h.ev.Key == ev.Key {
					*h = entry{ev: ev}
					continue next
				}
			}
		}
		b.held = append(b.held, &entry{ev: ev})
	}
	slices.SortStableFunc(b.held, func(x, y *entry) int { return int(x.ev.Class) - int(y.ev.Class) })
}

// shed lets go of the least important half of what is held, so that an alert
// behind it gets its chance.
func (b *Box) shed() {
	if len(b.held) < group {
		return
	}
	b.mu.Lock()
	for _, e := range b.held[group/2:] {
		b.evicted[e.ev.Class]++
	}
	b.mu.Unlock()
	b.held = b.held[:group/2]
}

// commitHeld makes transactions until nothing is held. It reports false where
// it had to leave something: no room, and nothing that may go.
func (b *Box) commitHeld() (bool, error) {
	most := group // records in one transaction; fewer where the disk is full
	for {
		p := b.plan(most)
		if p.empty() {
			b.setStuck(false)
			return true, nil
		}
		// One that never returns, on a dying disk, is a hang to be seen.
		b.opt.Board.Busy(b.String(), b.opt.Clock.Now().Mono)
		err := b.store.Update(p.apply)
		switch {
		case err == nil:
			b.settle(p)
			b.setStuck(false)
		case errors.Is(err, store.ErrFull):
			ok, err := b.makeRoom(p.floor())
			if err != nil {
				return false, err
			}
			if !ok && most == 1 {
				b.setStuck(true)
				return false, nil
			}
			most = max(1, most/2)
		default:
			return false, err
		}
	}
}

// setStuck notes whether there is room, and logs the change.
func (b *Box) setStuck(now bool) {
	b.mu.Lock()
	was := b.stuck
	b.stuck = now
	b.mu.Unlock()
	switch {
	case b.opt.Log == nil || was == now:
	case now:
		b.opt.Log.Warn("outbox has no room and nothing to give up; events wait in memory", "task", b.String())
	default:
		b.opt.Log.Info("outbox has room again", "task", b.String())
	}
}
