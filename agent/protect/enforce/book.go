package enforce

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// Bounds of quarantine.
const (
	maxFor       = 7 * 24 * time.Hour
	maxInterlock = 4 * time.Hour
	maxOrders    = 256              // at once: a ward has less, and each is an element in the kernel
	keepEvery    = 5 * time.Minute  // the time that is left, while somebody is quarantined
	keepAgain    = 30 * time.Second // what the store did not take
)

// longest is how long a quarantine may last.
func longest(interlock bool) time.Duration {
	if interlock {
		return maxInterlock
	}
	return maxFor
}

// order is a quarantine that somebody gave.
type order struct {
	policy.Quarantine // Left is not used
	since             time.Time
	end               time.Duration // since boot
	// wall is its end by the clock, zero where that was not to be trusted. It is
	// asked only for an order that came over a reboot without a clock: guessed.
	wall    time.Time
	guessed bool
}

// book is who is quarantined. It is safe for concurrent use; the zero value is
// empty.
type book struct {
	mu     sync.Mutex
	orders map[fact.MAC]order // mu
	ended  []order            // mu; while no agent ran
	off    map[fact.MAC]bool  // mu; of them, by the clock, while the box was off: the kernel may not know
	keptAt time.Duration      // mu; since boot
	unkept bool               // mu; the store did not take it

	keeping sync.Mutex // one writer at a time, so that the last is the newest
}

// put enters an order; undo puts back what was there before.
func (b *book) put(o order) (undo func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, had := b.orders[o.MAC]
	if !had && len(b.orders) >= maxOrders {
		return nil, refuse(codeRateLimit, "quarantine %s: %d devices are quarantined already", o.Device, maxOrders)
	}
	if b.orders == nil {
		b.orders = map[fact.MAC]order{}
	}
	b.orders[o.MAC] = o
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.orders, o.MAC)
		if had {
			b.orders[o.MAC] = old
		}
	}, nil
}

// take strikes an order out; undo puts it back.
func (b *book) take(mac fact.MAC) (undo func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, had := b.orders[mac]
	delete(b.orders, mac)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if had {
			b.orders[mac] = old
		}
	}
}

// list is who is quarantined now, for how long, by device.
func (b *book) list(now time.Duration) []policy.Quarantine {
	var out []policy.Quarantine
	for _, o := range b.all() {
		if o.Left = o.end - now; o.Left > 0 {
			out = append(out, o.Quarantine)
		}
	}
	return out
}

func (b *book) all() []order {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []order
	for _, o := range b.orders {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b order) int { return cmp.Compare(a.Device, b.Device) })
	return out
}

// expire strikes out what is over, and returns it. An order whose time was
// guessed ends by the clock, once there is one.
func (b *book) expire(now clock.Stamp) []order {
	b.mu.Lock()
	defer b.mu.Unlock()
	over := b.ended
	b.ended = nil
	for mac, o := range b.orders {
		if o.guessed && trusted(now) {
			if o.guessed = false; !o.wall.IsZero() {
				o.end = min(o.end, now.Mono+o.wall.Sub(now.Wall))
			}
			b.orders[mac] = o
		}
		if o.end <= now.Mono {
			delete(b.orders, mac)
			over = append(over, o)
		}
	}
	return over
}

// due reports whether the time that is left is to be kept again.
func (b *book) due(now time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unkept {
		return now-b.keptAt >= keepAgain
	}
	return len(b.orders) > 0 && now-b.keptAt >= keepEvery
}

// owe notes whether the store did not take the book: then it is tried again.
func (b *book) owe(unkept bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unkept = unkept
}

// overByClock reports an order that was over before the box was on again.
func (b *book) overByClock(mac fact.MAC) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.off[mac]
}

// trusted reports whether the wall clock tells how long the box was off.
func trusted(s clock.Stamp) bool { return s.Quality >= clock.NTP }

// keptOrders is the book as it is kept.
type keptOrders struct {
	V       int           `json:"v"`
	BootID  string        `json:"boot_id"`
	Mono    time.Duration `json:"mono_ns"`
	Wall    time.Time     `json:"wall"`
	Trusted bool          `json:"trusted"` // the wall clock
	Orders  []keptOrder   `json:"orders"`
}

type keptOrder struct {
	Device    device.ID     `json:"device"`
	MAC       fact.MAC      `json:"mac"`
	Owner     string        `json:"owner"`
	Reason    string        `json:"reason"`
	Interlock bool          `json:"interlock,omitempty"`
	Since     time.Time     `json:"since"`
	Left      time.Duration `json:"left_ns"`
	Wall      time.Time     `json:"wall_end,omitzero"`
	Guessed   bool          `json:"guessed,omitempty"`
}

// record is the book as it is to be kept.
func (b *book) record(now clock.Stamp) []byte {
	k := keptOrders{V: keptVersion, BootID: now.BootID, Mono: now.Mono, Wall: now.Wall, Trusted: trusted(now), Orders: []keptOrder{}}
	for _, o := range b.all() {
		k.Orders = append(k.Orders, keptOrder{o.Device, o.MAC, o.Owner, o.Reason, o.Interlock, o.since, o.end - now.Mono, o.wall, o.guessed})
	}
	b.mu.Lock()
	b.keptAt = now.Mono
	b.mu.Unlock()
	out, err := json.Marshal(k)
	if err != nil {
		return nil // only plain structs come here
	}
	return out
}

// load reads a record of this boot or of an earlier one. The clock that runs
// since boot counts; a wall clock that jumps changes nothing. Over a reboot the
// wall clock counts where it is trusted on both sides. Where it is not, the
// order goes on with what was left when that was last kept, less the time that
// may have passed since unkept: so it never lasts longer than it may, in hours
// that the box is on.
func (b *book) load(record []byte, now clock.Stamp) error {
	var k keptOrders
	if err := json.Unmarshal(record, &k); err != nil {
		return err
	}
	if k.V != keptVersion {
		return fmt.Errorf("record of version %d", k.V)
	}
	guess, off := false, false
	var passed time.Duration
	switch since := now.Wall.Sub(k.Wall); {
	case k.BootID != "" && k.BootID == now.BootID && now.Mono >= k.Mono:
		passed = now.Mono - k.Mono
	case k.Trusted && trusted(now) && since >= now.Mono:
		passed, off = since, true
	default:
		passed, guess = keepEvery+now.Mono, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orders, b.off = map[fact.MAC]order{}, map[fact.MAC]bool{}
	for _, e := range k.Orders {
		if e.MAC == (fact.MAC{}) || e.MAC.Group() || len(b.orders) >= maxOrders {
			return errors.New("an order about no device")
		}
		o := order{Quarantine: policy.Quarantine{Device: e.Device, MAC: e.MAC, Owner: e.Owner, Reason: e.Reason, Interlock: e.Interlock},
			since: e.Since, end: now.Mono + min(e.Left-passed, longest(e.Interlock)), wall: e.Wall, guessed: e.Guessed || guess}
		if o.end <= now.Mono {
			b.ended, b.off[e.MAC] = append(b.ended, o), off
			continue
		}
		b.orders[e.MAC] = o
	}
	return nil
}
