package health

import (
	"context"
	"sort"
	"time"
)

// BeatEvery is how often a task that waits shows that it lives.
const BeatEvery = time.Second

// beat is the last that a task has shown of itself.
type beat struct {
	at   time.Duration // since boot
	n    uint64        // of them
	busy bool          // it has begun what another decides the length of
}

// Beat notes that a task is alive, and waits or computes: it beats again within
// BeatEvery or so. now is the time since boot: the wall clock of a gateway is set
// while tasks run, and a jump of it must neither make a living task look dead nor
// hide a dead one.
func (b *Board) Beat(task string, now time.Duration) {
	if act := b.note(task, now, false); act != nil {
		act()
	}
}

// Busy is Beat before work whose length another decides, the flash, the kernel or a
// peer: until its next Beat the task may be silent for longer.
func (b *Board) Busy(task string, now time.Duration) { b.note(task, now, true) }

func (b *Board) note(task string, now time.Duration, busy bool) (act func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.beats == nil {
		b.beats = make(map[string]beat)
	}
	b.beats[task] = beat{now, b.beats[task].n + 1, busy}
	if !busy {
		act = b.acts[task]
		delete(b.acts, task)
	}
	return act
}

// Act has a task call act in place of returning from its next Beat, once. It is
// for tests of whoever watches over the tasks.
func (b *Board) Act(task string, act func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.acts == nil {
		b.acts = make(map[string]func())
	}
	b.acts[task] = act
}

// Silent lists the tasks whose last heartbeat is older than limit; now is the
// time since boot. A task that has never sent one is not known here.
func (b *Board) Silent(now, limit time.Duration) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for t, last := range b.beats {
		if now-last.at > limit {
			out = append(out, t)
		}
	}
	sort.Strings(out)
	return out
}

// Rest waits for d, with a call of beat each BeatEvery: to wait must not look like
// a hang. It reports false when ctx ended.
func Rest(ctx context.Context, d time.Duration, beat func()) bool {
	end, tick := time.After(d), time.NewTicker(BeatEvery)
	defer tick.Stop()
	for {
		beat()
		select {
		case <-ctx.Done():
			return false
		case <-end:
			return true
		case <-tick.C:
		}
	}
}
