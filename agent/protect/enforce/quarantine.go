package enforce

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// keyOrders is the book in the store.
const keyOrders = "quarantine"

// Order asks for a quarantine.
type Order struct {
	Device device.ID
	Owner  string        // who answers for it
	Reason string        // for people
	For    time.Duration // from now on: at most 7 days, under the interlock 4 hours
	// Interlock: two people, one of them a clinical engineer, said so of this
	// device by name. Then its exempt pairs are out as well, and only then may the
	// order be about a life-sustaining device.
	Interlock bool
}

// Quarantine cuts a device off, or gives its quarantine another end. It asks the
// kernel itself, waits for nothing that Run does, and reads it back; the kernel
// ends it, whether the agent lives or not. A *Refusal says that nothing was
// changed, any other error that it is as it was before, as far as is known.
func (t *Task) Quarantine(ctx context.Context, o Order) error {
	now := t.opt.Clock.Now()
	mac, err := t.judge(o)
	if err != nil {
		return err
	}
	q := policy.Quarantine{Device: o.Device, MAC: mac, Owner: o.Owner, Reason: o.Reason, Interlock: o.Interlock, Left: o.For}
	entry := order{Quarantine: q, since: now.Wall, end: now.Mono + o.For}
	if trusted(now) {
		entry.wall = now.Wall.Add(o.For)
	}
	undo, err := t.book.put(entry)
	if err != nil {
		return err
	}
	defer poke(t.wake)
	if err := t.insist(ctx, policy.QuarantineChange(q), func() {}, func(table *platform.Table, _ bool) bool {
		return table != nil && inKernel(*table, q)
	}); err != nil {
		undo()
		return fmt.Errorf("quarantine %s: %w", o.Device, err)
	}
	// Kept after the effect: a disk that does not answer must not hold it up.
	t.keepBook()
	act := "quarantine"
	if o.Interlock {
		act = "quarantine-interlock"
	}
	t.audit(event.Act{Act: act, Who: o.Owner, Device: o.Device, Reason: o.Reason, Seconds: int64(o.For / time.Second), Until: now.Wall.Add(o.For)})
	return nil
}

// judge refuses an order that must not be.
func (t *Task) judge(o Order) (fact.MAC, error) {
	switch most := longest(o.Interlock); {
	case o.For < time.Second || o.For > most:
		return fact.MAC{}, refuse(codeInvalidArgs, "quarantine %s for %s: want a second to %s", o.Device, o.For, most)
	case o.Owner == "" || o.Reason == "":
		return fact.MAC{}, refuse(codeInvalidArgs, "quarantine %s: want an owner and a reason", o.Device)
	}
	mac, ok := t.macOf(o.Device)
	if !ok {
		return mac, refuse(codeNotFound, "quarantine: %q is no device of this ward", o.Device)
	}
	if vital, why := t.LifeSustaining(o.Device); vital && !o.Interlock {
		return mac, refuse(codeInterlock, "quarantine %s: it is, or counts as, life-sustaining (%s): it takes two people, one of them a clinical engineer, who name it", o.Device, why)
	}
	return mac, nil
}

// inKernel reports whether the kernel has the quarantine.
func inKernel(table platform.Table, q policy.Quarantine) bool {
	return slices.ContainsFunc(policy.QuarantinesIn(table), func(k policy.Quarantine) bool {
		return k.MAC == q.MAC && k.Interlock == q.Interlock && (k.Left-q.Left).Abs() < glassSlack
	})
}

// Release ends a quarantine, and is no error where there is none. An error says
// that the device may still be cut off.
func (t *Task) Release(ctx context.Context, id device.ID, who string) error {
	mac, ok := t.macOf(id)
	for _, o := range t.book.all() {
		if o.Device == id { // whatever the inventory says of it by now
			mac, ok = o.MAC, true
		}
	}
	if !ok {
		return refuse(codeNotFound, "release: %q is no device of this ward", id)
	}
	undo := t.book.take(mac)
	defer poke(t.wake)
	if err := t.insist(ctx, policy.ReleaseChange(mac), func() {}, func(table *platform.Table, final bool) bool {
		if table == nil {
			return final // nothing is filtered
		}
		return !slices.ContainsFunc(policy.QuarantinesIn(*table), func(k policy.Quarantine) bool { return k.MAC == mac })
	}); err != nil {
		undo()
		return fmt.Errorf("release %s: %w", id, err)
	}
	t.keepBook()
	t.audit(event.Act{Act: "release", Who: who, Device: id})
	return nil
}

// Quarantined is a device in quarantine.
type Quarantined struct {
	policy.Quarantine // with the time that is left
	Since             time.Time
	Until             time.Time // as good as the clock
}

// Quarantined are the devices in quarantine, by id.
func (t *Task) Quarantined() []Quarantined {
	now := t.opt.Clock.Now()
	var out []Quarantined
	for _, o := range t.book.all() {
		if o.Left = o.end - now.Mono; o.Left > 0 {
			out = append(out, Quarantined{o.Quarantine, o.since, now.Wall.Add(o.Left)})
		}
	}
	return out
}

// audit emits an act.
func (t *Task) audit(body event.Act) {
	t.opt.Log.Warn("act", "act", body.Act, "who", body.Who, "device", body.Device, "name", body.Name, "reason", body.Reason, "seconds", body.Seconds)
	t.opt.Events.Emit(event.Event{Class: event.Audit, At: t.opt.Clock.Now(), Body: body})
}

// keepBook writes the book.
func (t *Task) keepBook() {
	t.book.keeping.Lock()
	defer t.book.keeping.Unlock()
	if r := t.book.record(t.opt.Clock.Now()); r != nil {
		t.book.owe(!t.put(keyOrders, r) && t.opt.Store != nil)
	}
}

// openBook reads the book.
func (t *Task) openBook() {
	if t.opt.Store == nil {
		return
	}
	values, err := t.opt.Store.All(keyOrders)
	for _, b := range values {
		berr := t.book.load(b, t.opt.Clock.Now())
		if berr == nil {
			break
		}
		err = errors.Join(err, berr)
	}
	t.lost("quarantines", err)
}

// adopt puts the book right by the kernel, where that has a table of before the
// agent began: an act reaches the kernel first, so what a file says may be older,
// or lost.
func (t *Task) adopt(table platform.Table) {
	if !policy.KnowsQuarantine(table) {
		return
	}
	now := t.opt.Clock.Now()
	kernel := map[fact.MAC]policy.Quarantine{}
	for _, q := range policy.QuarantinesIn(table) {
		if q.Left = min(q.Left, longest(q.Interlock)); q.Left > 0 {
			kernel[q.MAC] = q
		}
	}
	for _, o := range t.book.all() {
		q, there := kernel[o.MAC]
		delete(kernel, o.MAC)
		if !there {
			t.book.take(o.MAC)
			t.audit(event.Act{Act: "quarantine-ended", Who: "unknown", Device: o.Device})
			continue
		}
		if end := now.Mono + q.Left; q.Interlock != o.Interlock || (end-o.end).Abs() >= glassSlack {
			o.end, o.Interlock = end, q.Interlock
			_, _ = t.book.put(o) // it is in the book: there is room
		}
	}
	for _, q := range kernel {
		if t.book.overByClock(q.MAC) {
			continue // put there at boot, by rules that know no clock
		}
		q.Owner, q.Reason = "unknown", "found in the kernel"
		if _, err := t.book.put(order{Quarantine: q, since: now.Wall, end: now.Mono + q.Left}); err != nil {
			continue // more than anybody may give
		}
		t.audit(event.Act{Act: "quarantine-found", Who: "unknown", Device: q.Device, Seconds: int64(q.Left / time.Second), Until: now.Wall.Add(q.Left)})
	}
}

// tend tells of quarantines that are over, keeps what is left of the others, and
// says where one is about a device that is known for more than it was.
func (t *Task) tend() {
	const code = "quarantine.life-sustaining"
	now := t.opt.Clock.Now()
	over := t.book.expire(now)
	for _, o := range over {
		t.audit(event.Act{Act: "quarantine-ended", Who: "kernel", Device: o.Device})
	}
	if len(over) > 0 || t.book.due(now.Mono) {
		t.keepBook()
	}
	t.keepModes(false)
	if len(over) > 0 {
		poke(t.wake)
	}
	for _, q := range t.book.list(now.Mono) {
		if vital, why := t.LifeSustaining(q.Device); vital && !q.Interlock && t.Settled() {
			t.condition(code, health.Failure, fmt.Sprintf("%s is quarantined, and counts as life-sustaining by now (%s): release it, or sign the interlock", q.Device, why))
			return
		}
	}
	t.clear(code)
}
