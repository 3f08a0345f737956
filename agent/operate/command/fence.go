package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// What the fence is asked to hold at once, so that a quarantine ends by itself
// where this room does not run any more. It is asked again after half of it.
const (
	hold      = 24 * time.Hour
	holdBlind = time.Hour // while nobody knows the time
)

// wish is a quarantine that a desired set names.
type wish struct {
	order Order // For is what is left of it, holdBlind where nobody knows
	most  time.Duration
}

// sets are the desired quarantine sets that hold, the newest last: not that of a
// group which the gateway has left, as nobody could take it back there.
func (t *Task) sets() []desired.Accepted {
	return slices.DeleteFunc(t.shelf.Applied(signed.KindQuarantine), func(a desired.Accepted) bool { return len(t.scopes(a.Statement)) == 0 })
}

// letGoOfGroups has those let go whom only the set of a group named that the
// gateway is in no more.
func (t *Task) letGoOfGroups() {
	named := t.named()
	for _, a := range t.shelf.Applied(signed.KindQuarantine) {
		set, err := signed.DecodeArgs[signed.QuarantineSet](a.Statement)
		if err != nil || len(t.scopes(a.Statement)) > 0 {
			continue
		}
		for _, e := range set.Entries {
			id := device.ID(e.Device)
			_, asked := t.leases.Asked[id]
			if _, still := named[id]; asked && !still {
				t.leases.Letting[id] = "the configuration: " + strings.Join(a.Statement.Target, ", ") + " was left"
			}
		}
	}
}

// wanted are the quarantines that the sets name now, the longest of each device.
func (t *Task) wanted(now clock.Stamp) map[device.ID]wish {
	out := make(map[device.ID]wish)
	for _, a := range t.sets() {
		set, err := signed.DecodeArgs[signed.QuarantineSet](a.Statement)
		if err != nil {
			continue // it was valid when it was accepted
		}
		for _, e := range set.Entries {
			id := device.ID(e.Device)
			if r, ok := t.leases.Released[id]; ok && r.Compare(a.Statement.Number()) >= 0 {
				continue
			}
			w := wish{Order{ID: a.Statement.ID, Device: id, Owner: e.Owner, Reason: e.Reason, For: holdBlind}, holdBlind}
			if trusted(now) {
				until, err := time.Parse(signed.TimeFormat, e.Until)
				if err != nil || !until.After(now.Wall) {
					continue
				}
				w.order.For, w.most = until.Sub(now.Wall), hold
			}
			if old, ok := out[id]; !ok || w.order.For > old.order.For {
				out[id] = w
			}
		}
	}
	return out
}

// named are the devices that the sets name, in force or not, each with the
// newest that does.
func (t *Task) named() map[device.ID]signed.Number {
	out := make(map[device.ID]signed.Number)
	for _, a := range t.sets() {
		set, err := signed.DecodeArgs[signed.QuarantineSet](a.Statement)
		if err != nil {
			continue // it was valid when it was accepted
		}
		for _, e := range set.Entries {
			out[device.ID(e.Device)] = a.Statement.Number()
		}
	}
	return out
}

// letGo writes down whom a new set does not name any more, before the set
// counts: fence lets them go.
func (t *Task) letGo(a desired.Accepted) error {
	set, err := signed.DecodeArgs[signed.QuarantineSet](a.Statement)
	if err != nil {
		return err
	}
	named := make(map[device.ID]bool)
	for _, e := range set.Entries {
		named[device.ID(e.Device)] = true
	}
	for id := range t.leases.Asked {
		if !named[id] {
			t.leases.Letting[id] = names(a.By)
		}
	}
	return t.leases.save(t.opt.Keep)
}

// fence has the fence hold what the desired sets name, and let go what they do
// not name any more. What is refused is a condition, and tried again.
func (t *Task) fence(ctx context.Context) {
	now := t.opt.Clock.Now()
	want := t.wanted(now)
	var wrong []string
	for _, id := range slices.Sorted(maps.Keys(t.leases.Letting)) {
		if _, again := want[id]; !again {
			if err := t.let(ctx, id, now); err != nil {
				wrong = append(wrong, fmt.Sprintf("%s is not let go: %v", id, err))
				continue
			}
			delete(t.leases.Asked, id)
		}
		delete(t.leases.Letting, id)
		t.keep(fileLeases, t.saveLeases)
	}
	snap := t.opt.Devices.Snapshot()
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if ctx.Err() != nil {
			return
		}
		if snap.Find(id) == nil || !t.unmet(id, want[id], now) {
			continue
		}
		if err := t.ask(ctx, want[id], len(snap.Devices), now); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", id, err))
			if errors.Is(err, context.DeadlineExceeded) {
				break // the kernel does not answer: what opens must not wait for all of them
			}
		}
	}
	named := t.named()
	maps.DeleteFunc(t.leases.Released, func(id device.ID, n signed.Number) bool {
		set, ok := named[id]
		return !ok || set.Compare(n) > 0
	})
	for id := range t.leases.Asked { // of sets that ended
		if _, ok := want[id]; !ok && t.leases.Asked[id].over(now) {
			delete(t.leases.Asked, id)
		}
	}
	var err error
	if len(wrong) > 0 {
		err = errors.New("desired quarantines not in force: " + strings.Join(wrong[:min(len(wrong), 8)], "; "))
	}
	t.condition(string(signed.KindQuarantine), err)
}

// let lets a device go that no set names any more, but for what a command still
// holds it for.
func (t *Task) let(ctx context.Context, id device.ID, now clock.Stamp) error {
	if l, lent := t.leases.find(id); lent {
		d, known := l.Ends.left(now)
		if !known {
			return nil // the fence keeps its own time
		}
		d = max(d, time.Second) // it is over with the next pass
		o := Order{ID: l.ID, Device: id, Owner: l.By, Reason: l.Reason, For: d, Interlock: l.Interlock, Hooks: l.Hooks}
		return t.effect(ctx, func(ctx context.Context) error { return t.opt.Fence.Quarantine(ctx, o) })
	}
	who := t.leases.Letting[id]
	return t.effect(ctx, func(ctx context.Context) error { return t.opt.Fence.Release(ctx, id, who, false) })
}

// unheld says which devices a set names in vain.
func (t *Task) unheld(st signed.Statement) string {
	set, err := signed.DecodeArgs[signed.QuarantineSet](st)
	if err != nil {
		return ""
	}
	var out []string
	for _, e := range set.Entries {
		if t.opt.Devices.Snapshot().Find(device.ID(e.Device)) == nil {
			continue // it may yet come
		}
		if yes, why := t.opt.Box.LifeSustaining(device.ID(e.Device)); yes {
			out = append(out, e.Device+" ("+why+")")
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "kept; not held, since it takes a command with the interlock: " + strings.Join(out, ", ")
}

// unmet reports that the fence has to be asked: not yet by this run, or not for
// long enough.
func (t *Task) unmet(id device.ID, w wish, now clock.Stamp) bool {
	left, known := t.leases.Asked[id].left(now)
	if !t.told[id] || !known {
		return true
	}
	return left < w.most/2 && w.order.For-left > time.Minute
}

// ask asks the fence for one quarantine.
func (t *Task) ask(ctx context.Context, w wish, devices int, now clock.Stamp) error {
	id := w.order.Device
	if yes, why := t.opt.Box.LifeSustaining(id); yes {
		return refusal(signed.ReasonInterlock, "held to be life-sustaining ("+why+"): it takes a command with the interlock")
	}
	_, asked := t.leases.Asked[id]
	l, lent := t.leases.find(id)
	if !asked && !lent {
		if !t.leases.mayCut(id, devices, now) {
			return refusal(signed.ReasonRateLimit, fmt.Sprintf("waits: %d of %d devices were cut off within %v", len(t.leases.Cut), devices, cutWindow))
		}
		t.leases.cut(id, now)
	}
	w.order.For = min(w.order.For, w.most)
	if d, known := l.Ends.left(now); lent && known {
		w.order.For = max(w.order.For, d)
	}
	t.leases.Asked[id] = endIn(w.order.For, now)
	t.keep(fileLeases, t.saveLeases)
	err := t.effect(ctx, func(ctx context.Context) error { return t.opt.Fence.Quarantine(ctx, w.order) })
	t.told[id] = err == nil
	return err
}
