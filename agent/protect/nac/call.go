package nac

import (
	"context"
	"math/rand/v2"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
)

// call calls the hook, without the lock.
func (t *Task) call(ctx context.Context, r *record, o *Obligation, action string, now clock.Stamp) {
	u := t.run(o, now)
	req := Request{ID: o.ID, Device: r.Device, MAC: o.MAC, Port: o.Port, Code: r.Code, Left: r.End.left(now), Again: u.again}
	switch o.Boot {
	case "": // Apply never came back: it may have been just now
	case now.BootID:
		req.Since = now.Mono - o.Mono
	default:
		req.Since = now.Mono
	}
	if d := t.opt.Inventory.Snapshot().Find(r.Device); d != nil && d.Port != "" {
		req.Port = d.Port // where it is now
	}
	h, step, id := t.hooks[o.Hook], o.UndoStep, r.Device
	own, cancel := context.WithCancel(ctx)
	u.busy, u.cancel = true, cancel
	t.calls.Go(func() {
		defer cancel()
		var res Result
		switch {
		case h == nil && action == actApply:
			res = Result{Outcome: Unsure, Text: "the hook is not in the configuration any more"}
		case h == nil:
			res = Result{Outcome: Unsure, Text: "the hook is not in the configuration any more; do by hand: " + step}
		case action == actApply:
			res = h.Apply(own, req)
		default:
			res = h.Undo(own, req)
		}
		t.answered(ctx, id, req.ID, action, res)
	})
}

// answered takes what a hook said.
func (t *Task) answered(ctx context.Context, id device.ID, obligation, action string, res Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[id]
	if r == nil {
		return
	}
	o := r.find(obligation)
	if o == nil {
		return
	}
	now := t.opt.Clock.Now()
	u := t.run(o, now)
	u.busy, u.cancel = false, nil
	if ctx.Err() != nil && res.Outcome != Done {
		return // the agent is ending, and the hook with it: the next start asks again
	}
	o.Text = res.Text
	if res.Said != "" {
		t.opt.Log.Info("nac answer", "obligation", o.ID, "outcome", res.Outcome, "said", res.Said)
	}
	in := inputOf(action, res.Outcome)
	if in == inNotApplied && u.again { // this call changed nothing, but the one before it may have
		in = inMaybe
	}
	switch in {
	case inApplied, inMaybe:
		o.Wall, o.Boot, o.Mono = now.Wall.Round(0), now.BootID, now.Mono
		u.from = now.Mono
	case inNotUndone:
		pause := min(retryFirst<<min(u.tries, 10), retryLongest)
		u.tries++
		u.next = now.Mono + pause/2 + rand.N(pause/2)
	}
	if ctx.Err() == nil {
		t.feed(ctx, r, o, in, now)
	} else {
		o.State, _ = next(o.State, in)
		_ = t.save(r)
	}
	t.poke()
}
