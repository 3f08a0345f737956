package nac

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// longestInterlock is how long an order may last that touches life-sustaining
// devices.
const longestInterlock = 4 * time.Hour

var (
	codeShape = regexp.MustCompile(`^[a-z0-9-]{0,32}$`)
	idShape   = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// Refusal is an order that was not taken; nothing was changed.
type Refusal struct{ Code, Text string }

func (r *Refusal) Error() string { return r.Text }

// Reason is the stable code: "invalid-args", "interlock", "busy".
func (r *Refusal) Reason() string { return r.Code }

// Quarantine takes an order, or the renewal of one, and returns once it is on
// disk; the hooks run afterwards. A *Refusal says that it was not taken, any
// other error that the ledger failed.
func (t *Task) Quarantine(o Order) error {
	if len(t.order) == 0 {
		return nil // nobody outside is to be asked
	}
	switch {
	case !idShape.MatchString(o.ID):
		return &Refusal{"invalid-args", fmt.Sprintf("quarantine: id %q: want 1 to 64 of a-z 0-9 -", o.ID)}
	case !codeShape.MatchString(o.Code):
		return &Refusal{"invalid-args", fmt.Sprintf("quarantine: code %q: want at most 32 of a-z 0-9 -", o.Code)}
	case o.Device == "" || o.For <= 0:
		return &Refusal{"invalid-args", "quarantine: want a device and an end"}
	case len(o.Interlock) > 0 && o.For > longestInterlock:
		return &Refusal{"interlock", fmt.Sprintf("quarantine: %s with an interlock, want at most %s", o.For, longestInterlock)}
	}
	for _, h := range o.Interlock {
		if t.hooks[h] == nil {
			return &Refusal{"invalid-args", fmt.Sprintf("quarantine: there is no hook %q", h)}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old, now := t.records[o.Device], t.opt.Clock.Now()
	if old == nil && len(t.records) >= maxRecords {
		return &Refusal{"busy", fmt.Sprintf("quarantine: hooks already look after %d devices", maxRecords)}
	}
	if old != nil && old.same(o, now) {
		return nil
	}
	r := &record{}
	if old != nil {
		*r = *old
		r.Owed = slices.Clone(old.Owed)
	}
	r.renew(o, now)
	if err := t.write(r); err != nil {
		return fmt.Errorf("quarantine %s: note it: %w", o.Device, err)
	}
	t.records[o.Device] = r
	if old != nil {
		for _, was := range old.Owed {
			if r.find(was.ID) == nil { // settled, and forgotten
				delete(t.runs, was.ID)
			}
		}
	}
	t.opt.Log.Info("quarantine ordered", "device", o.Device, "by", o.By, "code", o.Code, "for", o.For)
	t.poke()
	return nil
}

// Release has everything undone that was asked for the device. An error says
// that this was not noted: it happens all the same, unless the agent is killed
// before the ledger takes it.
func (t *Task) Release(id device.ID, by string) error {
	return t.end("released", by, func(d device.ID) bool { return d == id })
}

// Undone settles, of the device, what hooks owe that are not in the configuration
// any more: nobody but a person can undo that, and by says that one has. What
// hooks that are there owe is theirs to undo. An error is as that of Release.
func (t *Task) Undone(id device.ID, by string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, now := t.records[id], t.opt.Clock.Now()
	if r == nil || r.Over == "" { // while it is in quarantine nothing is to be undone
		return nil
	}
	var settled []*Obligation
	for i := range r.Owed {
		if o := &r.Owed[i]; !o.State.settled() && t.hooks[o.Hook] == nil {
			o.State, o.Text = Undone, "undone by hand, says "+by
			settled = append(settled, o)
		}
	}
	if len(settled) == 0 {
		return nil
	}
	err := t.save(r)
	for _, o := range settled {
		t.tell(r, o, now)
	}
	t.poke()
	if err != nil {
		return fmt.Errorf("settle what is owed of %s: note it: %w", id, err)
	}
	return nil
}

// Suspend has everything undone for the devices that whose names, nil for all:
// break-glass was opened. Nothing is applied again until another order asks for
// it. An error is as that of Release.
func (t *Task) Suspend(by string, whose func(device.ID) bool) error {
	if whose == nil {
		whose = func(device.ID) bool { return true }
	}
	return t.end("break-glass", by, whose)
}

func (t *Task) end(why, by string, whose func(device.ID) bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ended []*record
	for _, id := range t.devices() {
		if r := t.records[id]; r.Over == "" && whose(id) {
			ended = append(ended, r)
		}
	}
	err := t.finish(why, by, ended...)
	t.poke()
	if err != nil {
		return fmt.Errorf("end %d quarantines (%s): note it: %w", len(ended), why, err)
	}
	return nil
}

// finish notes that quarantines are over, in one write: who opens the glass waits
// for it. Call it with the lock.
func (t *Task) finish(why, by string, ended ...*record) error {
	for _, r := range ended {
		r.Over, r.EndedBy = why, by
		t.opt.Log.Info("quarantine over", "device", r.Device, "why", why, "by", by)
	}
	return t.save(ended...)
}

// Case is what is known of the quarantine of one device.
type Case struct {
	Device      device.ID
	By, Code    string
	Left        time.Duration // until it lapses
	Over        string        // "released", "expired", "break-glass": it is being undone
	Obligations []Obligation  // oldest first
}

// Status lists who is, or until all is undone was, in quarantine, by device.
func (t *Task) Status() []Case {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.opt.Clock.Now()
	var out []Case
	for _, id := range t.devices() {
		r := t.records[id]
		out = append(out, Case{Device: id, By: r.By, Code: r.Code, Left: max(0, r.End.left(now)), Over: r.Over, Obligations: slices.Clone(r.Owed)})
	}
	return out
}
