package command

import (
	"context"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// Ops of a command.
const (
	opPing        = "ping"
	opQuarantine  = "quarantine"
	opRelease     = "release"
	opPinRole     = "pin-role"
	opTag         = "tag"
	opBreakGlass  = "break-glass"
	opMode        = "mode"
	opExplain     = "explain"
	opDiagnostics = "diagnostics"
	opReboot      = "reboot"
)

// maxInterlock is how long a life-sustaining device may be cut off.
const maxInterlock = 4 * time.Hour

// judge refuses what may not be done although the signatures are good. It uses
// up the code of the console where one is needed; interlock reports that.
func (t *Task) judge(o order, now clock.Stamp) (interlock bool, err error) {
	st := o.Statement
	switch st.Op {
	case opQuarantine:
		return t.judgeQuarantine(o, now)
	case opPinRole:
		a, err := signed.DecodeArgs[signed.PinRole](st)
		if err != nil {
			return false, err
		}
		class, ok := t.opt.Class(device.Role(a.Role))
		if !ok {
			return false, refusal(signed.ReasonInvalidArgs, fmt.Sprintf("role %q is not known", a.Role))
		}
		if yes, why := t.opt.Box.LifeSustaining(device.ID(a.Device)); yes && class != device.LifeSustaining && !o.Interlock() {
			return false, refusal(signed.ReasonInterlock, fmt.Sprintf("%s is held to be life-sustaining (%s): two people, one of them a clinical engineer, have to sign that it is none", a.Device, why))
		}
		return false, t.leases.room()
	case opTag:
		return false, t.leases.room()
	case opReboot:
		a, err := signed.DecodeArgs[signed.Reboot](st)
		if err != nil {
			return false, err
		}
		given := a.Code != "" && t.opt.Codes.Use(t.opt.Gateway, a.Code, now.Mono)
		return given, t.judgeReboot(given)
	}
	return false, nil
}

// judgeQuarantine holds the interlock and the bound on what is cut in a window.
func (t *Task) judgeQuarantine(o order, now clock.Stamp) (interlock bool, err error) {
	a, err := signed.DecodeArgs[signed.Quarantine](o.Statement)
	if err != nil {
		return false, err
	}
	id := device.ID(a.Device)
	if _, again := t.leases.find(id); !again {
		if err := t.leases.room(); err != nil {
			return false, err
		}
		if n := len(t.opt.Devices.Snapshot().Devices); !t.leases.mayCut(id, n, now) {
			return false, refusal(signed.ReasonRateLimit, fmt.Sprintf("%d of %d devices were cut off within %v", len(t.leases.Cut), n, cutWindow))
		}
	}
	yes, why := t.opt.Box.LifeSustaining(id)
	if !yes && (!o.Interlock() || a.Code == "") {
		return false, nil
	}
	if !yes { // its hooks may reach a neighbour that is
		why = "treated so, since a code was given"
	}
	no := func(what string) error {
		return refusal(signed.ReasonInterlock, fmt.Sprintf("%s counts as life-sustaining (%s): %s", id, why, what))
	}
	switch {
	case !o.Interlock():
		return false, no("two people have to sign, one of them a clinical engineer")
	case time.Duration(a.Seconds)*time.Second > maxInterlock:
		return false, no(fmt.Sprintf("at most for %v", maxInterlock))
	case a.Code == "":
		return false, no("the code that the console shows for it is missing")
	case !t.opt.Codes.Use(a.Device, a.Code, now.Mono): // last: a try costs
		return false, no("the code is not good")
	}
	return true, nil
}

// judgeReboot lets a gateway with a device in use go only for who stands at it.
func (t *Task) judgeReboot(code bool) error {
	if yes, which := t.opt.Box.InUse(); yes && !code {
		return refusal(signed.ReasonNotAllowed, "in use: "+which+": it takes the code that the console shows for "+t.opt.Gateway)
	}
	return nil
}

// room refuses more leases than are kept.
func (l *leases) room() error {
	if len(l.All) >= maxLeases {
		return refusal(signed.ReasonRateLimit, fmt.Sprintf("%d quarantines, pins and tags by command last", len(l.All)))
	}
	return nil
}

// act has the effect of a command. All of it may be done again.
func (t *Task) act(ctx context.Context, st signed.Statement, r record) (any, error) {
	switch st.Op {
	case opPing:
		return nil, nil
	case opQuarantine:
		return nil, t.quarantine(ctx, st, r)
	case opRelease:
		return nil, t.release(ctx, st, r.By)
	case opPinRole:
		a, err := signed.DecodeArgs[signed.PinRole](st)
		if err != nil {
			return nil, err
		}
		return nil, t.lend(lease{ID: st.ID, Op: st.Op, Device: device.ID(a.Device), Role: device.Role(a.Role), By: r.By, Reason: st.Reason, Number: st.Number(), Ends: r.Ends})
	case opTag:
		a, err := signed.DecodeArgs[signed.Tag](st)
		if err != nil {
			return nil, err
		}
		return nil, t.lend(lease{ID: st.ID, Op: st.Op, Device: device.ID(a.Device), Tags: a.Tags, By: r.By, Reason: st.Reason, Number: st.Number(), Ends: r.Ends})
	case opBreakGlass:
		a, err := signed.DecodeArgs[signed.BreakGlass](st)
		if err != nil {
			return nil, err
		}
		d, err := r.untilOf(t.opt.Clock.Now())
		if err != nil {
			return nil, err
		}
		return nil, t.effect(ctx, func(ctx context.Context) error { return t.opt.Fence.Open(ctx, a.Scope, a.Name, d, r.By) })
	case opMode:
		a, err := signed.DecodeArgs[signed.Mode](st)
		if err != nil {
			return nil, err
		}
		return nil, t.effect(ctx, func(ctx context.Context) error { return t.opt.Fence.Mode(ctx, a.Segment, a.Mode, r.By) })
	case opExplain:
		a, err := signed.DecodeArgs[signed.Explain](st)
		if err != nil {
			return nil, err
		}
		var out any
		err = t.effect(ctx, func(ctx context.Context) (err error) { out, err = t.opt.Box.Explain(ctx, a); return err })
		return out, err
	case opDiagnostics:
		var out any
		err := t.effect(ctx, func(ctx context.Context) (err error) { out, err = t.opt.Box.Diagnostics(ctx); return err })
		return out, err
	case opReboot:
		return nil, t.effect(ctx, t.opt.Box.Reboot)
	}
	return nil, refusal(signed.ReasonUnknownOp, st.Op)
}

// quarantine cuts a device off until its time is over. What the desired set
// wants for longer stays as long as that says.
func (t *Task) quarantine(ctx context.Context, st signed.Statement, r record) error {
	a, err := signed.DecodeArgs[signed.Quarantine](st)
	if err != nil {
		return err
	}
	now := t.opt.Clock.Now()
	d, err := r.untilOf(now)
	if err != nil {
		return err
	}
	id := device.ID(a.Device)
	before, had := t.leases.find(id)
	if !had {
		t.leases.cut(id, now)
	}
	t.leases.add(lease{ID: st.ID, Op: st.Op, Device: id, By: r.By, Reason: st.Reason, Interlock: r.Interlock, Hooks: a.Hooks, Number: st.Number(), Ends: r.Until})
	delete(t.leases.Letting, id)
	t.keep(fileLeases, t.saveLeases)
	if w, ok := t.wanted(now)[id]; ok {
		d = max(d, min(w.order.For, w.most))
	}
	o := Order{ID: st.ID, Device: id, Owner: r.By, Reason: st.Reason, For: d, Interlock: r.Interlock, Hooks: a.Hooks}
	err = t.effect(ctx, func(ctx context.Context) error { return t.opt.Fence.Quarantine(ctx, o) })
	if err != nil && ctx.Err() == nil {
		t.leases.drop(opQuarantine, id)
		if had {
			t.leases.add(before)
		}
		t.keep(fileLeases, t.saveLeases)
	}
	return err
}

// release lets a device go, also where the desired set names it: that counts
// again from its next version on.
func (t *Task) release(ctx context.Context, st signed.Statement, by string) error {
	a, err := signed.DecodeArgs[signed.Release](st)
	if err != nil {
		return err
	}
	id := device.ID(a.Device)
	t.leases.drop(opQuarantine, id)
	if set, ok := t.named()[id]; ok {
		t.leases.Released[id] = set
	}
	delete(t.leases.Asked, id)
	t.keep(fileLeases, t.saveLeases)
	return t.effect(ctx, func(ctx context.Context) error { return t.opt.Fence.Release(ctx, id, by, a.Undone) })
}

// lend marks a device until the lease ends.
func (t *Task) lend(l lease) error {
	t.leases.add(l)
	t.keep(fileLeases, t.saveLeases)
	t.mark()
	return nil
}

// mark hands the devices all that people say of them.
func (t *Task) mark() {
	marks, err := t.leases.marks(t.shelf.Applied(signed.KindDevices))
	t.condition(string(signed.KindDevices), err)
	t.opt.Devices.SetMarks(marks)
}

// seconds is how long the effect of a command lasts, 0 where it says nothing.
func seconds(st signed.Statement) time.Duration {
	switch st.Op {
	case opQuarantine:
		a, _ := signed.DecodeArgs[signed.Quarantine](st)
		return time.Duration(a.Seconds) * time.Second
	case opBreakGlass:
		a, _ := signed.DecodeArgs[signed.BreakGlass](st)
		return time.Duration(a.Seconds) * time.Second
	}
	return 0
}

// about names what a statement is about, for the audit.
func about(st signed.Statement) (id device.ID, name string) {
	switch st.Op {
	case opQuarantine:
		a, _ := signed.DecodeArgs[signed.Quarantine](st)
		return device.ID(a.Device), (time.Duration(a.Seconds) * time.Second).String()
	case opRelease:
		a, _ := signed.DecodeArgs[signed.Release](st)
		if a.Undone {
			name = "undone by hand"
		}
		return device.ID(a.Device), name
	case opPinRole:
		a, _ := signed.DecodeArgs[signed.PinRole](st)
		return device.ID(a.Device), a.Role
	case opTag:
		a, _ := signed.DecodeArgs[signed.Tag](st)
		return device.ID(a.Device), fmt.Sprint(a.Tags)
	case opBreakGlass:
		a, _ := signed.DecodeArgs[signed.BreakGlass](st)
		return "", a.Scope + " " + a.Name
	case opMode:
		a, _ := signed.DecodeArgs[signed.Mode](st)
		return "", a.Segment + " " + a.Mode
	}
	return "", ""
}
