package nac

import (
	"context"
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/clock"
)

// tend does what is due for one device; call it with the lock.
func (t *Task) tend(ctx context.Context, r *record, now clock.Stamp) {
	switch { // a ledger that does not take the end is tried again
	case r.Over != "":
	case t.opt.Open != nil && t.opt.Open(r.Device):
		_ = t.finish("break-glass", "break-glass", r)
	case r.End.left(now) <= 0:
		_ = t.finish("expired", "clock", r)
	}
	if r.Over != "" && r.settled() {
		if t.forget(r) == nil {
			t.drop(r)
		}
		return
	}
	if t.unsaved[r.Device] || r.Over == "" && r.End.stale(now) {
		r.End = r.End.renote(now)
		r.Until = now.Wall.Add(r.End.left(now)).Round(0)
		_ = t.save(r)
	}
	for i := range r.Owed {
		t.tendOne(ctx, r, &r.Owed[i], now)
	}
	t.advance(ctx, r, now)
}

// drop forgets what is known of a record that is deleted.
func (t *Task) drop(r *record) {
	delete(t.records, r.Device)
	for _, o := range r.Owed {
		delete(t.runs, o.ID)
	}
	for _, h := range t.order {
		delete(t.skipped, string(r.Device)+" "+h)
	}
}

func (t *Task) run(o *Obligation, now clock.Stamp) *run {
	u := t.runs[o.ID]
	if u == nil {
		u = &run{from: now.Mono}
		t.runs[o.ID] = u
	}
	return u
}

// tendOne does what is due for one obligation.
func (t *Task) tendOne(ctx context.Context, r *record, o *Obligation, now clock.Stamp) {
	u := t.run(o, now)
	if end, why := t.ends(r, o, u); end {
		if why != "" {
			o.Text = why
		}
		if u.busy {
			u.cancel()
		}
		t.feed(ctx, r, o, inEnd, now)
		return
	}
	switch {
	case u.busy:
	case o.State == Applying && t.back():
		u.again = true
		t.feed(ctx, r, o, inAgain, now)
	case o.State == Undoing && now.Mono >= u.next:
		t.feed(ctx, r, o, inAgain, now)
	case (o.State == Applied || o.State == Doubtful) && o == r.current():
		t.look(r, o, u, now)
	}
}

// ends reports that what may hold is to be undone: the quarantine is over, or
// the hook could touch somebody by now whom it may not.
func (t *Task) ends(r *record, o *Obligation, u *run) (end bool, why string) {
	switch {
	case o.State.settled() || o.State == Undoing:
		return false, ""
	case r.Over != "" || o.Round != r.Round:
		return true, ""
	}
	why, known := t.danger(r, o.Hook)
	if !known && (o.State != Applying || u.busy) {
		return false, "" // the inventory forgot it because it was cut off
	}
	return why != "", why
}

// back reports that the inventory has what it remembered, and that it is known
// who of it counts as life-sustaining.
func (t *Task) back() bool {
	select {
	case <-t.opt.Inventory.Ready():
		return t.opt.Settled == nil || t.opt.Settled()
	default:
		return false
	}
}

// danger is why the hook may not run for the device of the record; before the
// inventory is back nothing is known against it.
func (t *Task) danger(r *record, hook string) (why string, known bool) {
	h := t.hooks[hook]
	if h == nil || !t.back() || slices.Contains(r.Interlock, hook) {
		return "", true
	}
	return danger(t.opt.Inventory.Snapshot(), r.Device, h.Reach(), t.opt.Counts)
}

// look judges the effect of the newest hook.
func (t *Task) look(r *record, o *Obligation, u *run, now clock.Stamp) {
	last, seen := t.opt.Wire.LastTalk(r.Device)
	w := watch{from: u.from, talked: r.Talked, settle: t.opt.Settle, quiet: t.opt.Quiet}
	e := w.judge(o.Effect, last, seen, now.Mono)
	if e == o.Effect {
		return
	}
	o.Effect = e
	_ = t.save(r)
	t.tell(r, o, now)
}

// advance begins the next hook, if it is time for one.
func (t *Task) advance(ctx context.Context, r *record, now clock.Stamp) {
	if !t.back() || t.busy() >= maxCalls {
		return
	}
	d := t.opt.Inventory.Snapshot().Find(r.Device)
	for _, name := range r.candidates(t.order) {
		why, _ := t.danger(r, name)
		if d == nil {
			why = "it is not in the inventory"
		}
		key := string(r.Device) + " " + name
		if why != "" {
			if t.skipped[key] != why {
				t.skipped[key] = why
				t.tellSkipped(r, name, why, now)
			}
			continue
		}
		delete(t.skipped, key)
		talked := r.Talked
		if r.current() == nil {
			last, seen := t.opt.Wire.LastTalk(r.Device)
			r.Talked = seen && now.Mono-last <= t.opt.Quiet
		}
		o := r.begin(t.hooks[name], d.MAC, d.Port)
		if t.save(r) != nil { // nothing is asked for that is not noted
			r.Owed, r.Talked = r.Owed[:len(r.Owed)-1], talked
			return
		}
		t.tell(r, o, now)
		t.call(ctx, r, o, actApply, now)
		return
	}
}

func (t *Task) busy() int {
	n := 0
	for _, u := range t.runs {
		if u.busy {
			n++
		}
	}
	return n
}

// feed moves an obligation on: the new state is on disk before anything is done.
func (t *Task) feed(ctx context.Context, r *record, o *Obligation, in input, now clock.Stamp) {
	s, do := next(o.State, in)
	if s != o.State {
		o.State = s
		_ = t.save(r) // a state that is lost is one that is asked for again
		t.tell(r, o, now)
	}
	switch {
	case t.run(o, now).busy: // its answer brings this on
	case do == callApply:
		t.call(ctx, r, o, actApply, now)
	case do == callUndo:
		t.call(ctx, r, o, actUndo, now)
	}
}
