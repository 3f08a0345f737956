package enforce

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Bounds of one reconciliation. A change of policy takes about six rounds; more
// than these mean that something undoes them.
const (
	maxRounds  = 24
	firstLimit = 2000 // elements a transaction
	leastLimit = 50
	maxMends   = 3
)

// reconcile does what is left to do until the kernel agrees with the policy.
// Every round reads the kernel anew, so no error has to be understood: what it
// left undone is seen, and done.
func (t *Task) reconcile(ctx context.Context, foreign, devicesOnly bool) error {
	if devicesOnly && t.agreed && !t.moved() {
		return nil
	}
	t.agreed = false
	want, err := t.want(ctx)
	if err != nil {
		t.condition("enforce.compile", health.Failure, err.Error())
		return err
	}
	t.opt.Board.Clear("enforce.compile")
	if want == nil {
		return nil // nothing is known yet: what the kernel has stays
	}
	// Persist before effect: a pair that was once in the kernel is not forgotten.
	t.keepPairs(want.Pairs)
	before := t.now.Load()
	var done []action
	err = t.converge(ctx, want, &done)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		t.condition("enforce.apply", health.Failure, fmt.Sprintf("policy %d is not in force: %v", want.Version, err))
		return err
	}
	t.clear("enforce.apply")
	t.now.Store(want)
	t.agreed = true
	t.keep(t.record(want))
	t.report(before, want, done, foreign)
	if t.restored {
		t.forgotten()
		t.tellModes()
		select {
		case <-t.ready:
		default:
			close(t.ready)
		}
	}
	return nil
}

// moved reports whether anything about devices changed that rules are made of:
// who is there, role, class, confidence, tags, addresses. All else that becomes
// known of them, many times a second, asks for no compilation.
func (t *Task) moved() bool {
	in := t.now.Load().Input()
	return t.restored && !reflect.DeepEqual(in.Policy.Place(t.opt.Inventory.Snapshot(), t.opt.Roles, t.pairs...), in.Placement)
}

func (t *Task) converge(ctx context.Context, want *policy.Compiled, done *[]action) error {
	var last error
	failed := 0 // mends of the base
	for range maxRounds {
		have, err := t.read(ctx)
		if err != nil {
			return err
		}
		// Asked after the reading: what a person orders between the two is put
		// into the kernel twice, rather than taken out.
		want = want.Quarantined(t.book.list(t.opt.Clock.Now().Mono))
		a := next(have, want, t.above, t.limit)
		if a.stage == mendBase && failed >= maxMends {
			// What a stranger left there cannot be undone piece by piece.
			a = lay(a.why, want, t.above+1)
		}
		if a.stage == "" {
			t.setGeneration(have)
			return nil
		}
		if err := t.do(ctx, a); err != nil {
			if ctx.Err() != nil {
				return err
			}
			// Not understood, not needed: the next round reads what came of it.
			last = fmt.Errorf("%s: %w", a.stage, err)
			if a.stage == mendBase {
				failed++
			}
			t.opt.Log.Warn("rules: step failed, reading back", "step", string(a.stage), "err", err)
			continue
		}
		*done = append(*done, a)
	}
	if last == nil {
		last = errNoProgress
	}
	return last
}

// read reads the table over a fresh connection; nil if there is none.
func (t *Task) read(ctx context.Context) (*platform.Table, error) {
	reading := t.glass.reading()
	t.busy()
	table, err := t.opt.Firewall.Read(ctx, platform.FamilyBridge, policy.TableName)
	if err != nil && !errors.Is(err, platform.ErrNoTable) && ctx.Err() == nil {
		t.busy()
		table, err = t.opt.Firewall.Read(ctx, platform.FamilyBridge, policy.TableName)
	}
	if errors.Is(err, platform.ErrNoTable) {
		t.count(platform.Table{})
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read back the rules: %w", err)
	}
	t.count(table)
	t.glass.saw(reading, policy.Opened(table), t.opt.Clock.Now().Mono)
	t.tellGlass()
	for _, g := range policy.Generations(table) {
		t.above = max(t.above, g)
	}
	return &table, nil
}

// do commits an action, in as many transactions as its size asks for. A table
// that is laid anew is laid with what break-glass has open.
func (t *Task) do(ctx context.Context, a action) error {
	t.above = max(t.above, a.gen)
	if a.stage == layBase {
		open, laid := t.glass.lay(t.opt.Clock.Now().Mono)
		a.steps = append(a.steps, open...)
		defer func() {
			if again := laid(t.opt.Clock.Now().Mono); len(again) > 0 {
				if err := t.apply(ctx, again); err != nil {
					t.opt.Log.Warn("rules: open again what was opened while they were laid", "err", err)
				}
			}
		}()
	}
	parts := [][]platform.Step{a.steps}
	if a.bulk {
		parts = split(a.steps, t.limit)
	}
	for _, steps := range parts {
		err := t.apply(ctx, steps)
		if errors.Is(err, platform.ErrTooLarge) {
			t.limit = max(t.limit/2, leastLimit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Task) apply(ctx context.Context, steps []platform.Step) error {
	t.busy() // each for itself: there may be hundreds
	return t.opt.Firewall.Apply(ctx, platform.Change{Family: platform.FamilyBridge, Table: policy.TableName, Steps: steps})
}

// want compiles the policy for the devices as they are known. Before the
// inventory is back it is what was in force before the restart, and nil where
// the kernel still has it: then nothing is touched.
func (t *Task) want(ctx context.Context) (*policy.Compiled, error) {
	if !t.restored {
		return t.wantBefore(ctx)
	}
	p := t.admitted(under(t.policy.Load(), t.modes.get()))
	return policy.Compile(policy.Input{Policy: p, Placement: p.Place(t.opt.Inventory.Snapshot(), t.opt.Roles, t.pairs...), Pairs: t.pairs,
		Internal: t.opt.Internal, Uplink: t.opt.Uplink})
}

// admitted is the policy, or a gentler one where this gateway may not enforce.
func (t *Task) admitted(p *policy.Policy) *policy.Policy {
	err := policy.Admit(p, t.opt.Lab, t.links())
	if err == nil {
		t.refused = ""
		t.clear("enforce.refused")
		return p
	}
	if t.refused != err.Error() {
		t.refused = err.Error()
		t.emitPolicy(p.Version, 0, "refused", t.refused)
	}
	t.condition("enforce.refused", health.Failure, t.refused)
	return p.Gentler()
}

// links are the ports as far as they are there: one that is not drops nothing.
func (t *Task) links() []platform.Link {
	var links []platform.Link
	for _, name := range append([]string{t.opt.Uplink}, t.opt.Ward...) {
		if l, err := t.opt.Links.Link(name); err == nil {
			links = append(links, l)
		}
	}
	return links
}
