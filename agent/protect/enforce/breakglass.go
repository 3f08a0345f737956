package enforce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	actTries = 3
	actPause = 300 * time.Millisecond
	// glanceLimit is what opening may wait for the kernel to say what is open.
	glanceLimit = 500 * time.Millisecond
)

// maxGlass is the longest that break-glass opens.
const maxGlass = time.Hour

// BreakGlass opens the whole gateway for d, also where it is open for longer: who
// asks stands there, and could close it.
func (t *Task) BreakGlass(ctx context.Context, d time.Duration, who string) error {
	list, err := t.panes(scopeGateway, "", d)
	if err != nil {
		return err
	}
	return t.openPanes(ctx, list, who, scopeGateway, "", d)
}

// Open opens the gateway, a port, a device or the devices that a segment has now
// for d, by elements that the kernel takes away again, whether the agent lives or
// not; who goes to the audit. What is open for longer stays open for as long: one
// person from afar must not close what the button or the console opened. What is
// open is also free of quarantine. It asks the kernel itself and waits for nothing
// that Run does. A *Refusal says that nothing was asked of it, any other error
// that it may not be open.
func (t *Task) Open(ctx context.Context, scope, name string, d time.Duration, who string) error {
	list, err := t.panes(scope, name, d)
	if err != nil {
		return err
	}
	now := t.glass.open(t.opt.Clock.Now().Mono)
	if table, err := t.glance(ctx); err == nil {
		now = append(now, policy.Opened(table)...) // the button asks nobody here
	}
	least := policy.Forever
	for i := range list {
		for _, o := range now {
			if paneOf(o) == paneOf(list[i]) {
				list[i].Left = max(list[i].Left, o.Left)
			}
		}
		least = min(least, list[i].Left)
	}
	return t.openPanes(ctx, list, who, scope, name, least)
}

// glance reads the table before somebody opens, which must not wait for it.
func (t *Task) glance(ctx context.Context) (platform.Table, error) {
	ctx, cancel := context.WithTimeout(ctx, glanceLimit)
	defer cancel()
	return t.opt.Firewall.Read(ctx, platform.FamilyBridge, policy.TableName)
}

// openPanes opens the list, of which d is the least time.
func (t *Task) openPanes(ctx context.Context, list []policy.Opening, who, scope, name string, d time.Duration) error {
	defer t.glassAct()()
	if err := t.setGlass(ctx, policy.Open(list...), list); err != nil {
		return fmt.Errorf("open %s: %w", scopeText(scope, name), err)
	}
	t.actGlass("break-glass", who, scope, name, d)
	return nil
}

// EndBreakGlass closes the whole gateway again before its time, whoever opened
// it. An error says that it may still be open.
func (t *Task) EndBreakGlass(ctx context.Context, who string) error {
	defer t.glassAct()()
	if err := t.setGlass(ctx, policy.EndBreakGlass(), []policy.Opening{policy.Gateway(0)}); err != nil {
		return fmt.Errorf("close the gateway: %w", err)
	}
	t.actGlass("break-glass-off", who, scopeGateway, "", 0)
	return nil
}

// glassAct keeps Run from telling of an act that is under way as of a stranger's.
func (t *Task) glassAct() (done func()) {
	t.glass.begin()
	return func() {
		t.glass.end()
		poke(t.wake) // to read what there is now
	}
}

// setGlass commits the change and reads back that all of the list is open for
// its time. Where there is no table, nothing is filtered, and one that is laid
// later is laid with what was asked for. One that is laid at the same moment
// takes what was open in the table of before with it: then once more.
func (t *Task) setGlass(ctx context.Context, change platform.Change, list []policy.Opening) error {
	last := 0
	return t.insist(ctx, change, func() { last = t.glass.laid() }, func(table *platform.Table, final bool) bool {
		if table == nil && !final || table != nil && !isOpen(*table, list) {
			return false
		}
		return t.glass.set(list, t.opt.Clock.Now().Mono, last) || final
	})
}

// isOpen reports whether all of the list is open in the table, each for its time.
func isOpen(table platform.Table, list []policy.Opening) bool {
	left := map[pane]time.Duration{}
	for _, o := range policy.Opened(table) {
		left[paneOf(o)] = o.Left
	}
	for _, o := range list {
		if got := left[paneOf(o)]; o.Left == 0 && got != 0 || (got-o.Left).Abs() >= glassSlack {
			return false
		}
	}
	return true
}

// insist commits a change for a person, and reads back whether it is there, a
// few times if need be; each try begins with begin. done gets nil where there is
// no table, and whether this is the last try. The error says why it may not be
// there.
func (t *Task) insist(ctx context.Context, change platform.Change, begin func(), done func(table *platform.Table, final bool) bool) error {
	var err error
	for try := range actTries {
		if try > 0 && !wait(ctx, actPause) {
			break
		}
		final := try == actTries-1
		begin()
		applied := t.opt.Firewall.Apply(ctx, change)
		table, read := t.opt.Firewall.Read(ctx, platform.FamilyBridge, policy.TableName)
		switch {
		case errors.Is(read, platform.ErrNoTable): // perhaps it is laid anew just now
			if err = read; done(nil, final) {
				return nil
			}
		case read != nil:
			err = errors.Join(applied, fmt.Errorf("read it back: %w", read))
		case done(&table, final):
			return nil
		case applied != nil:
			err = applied
		default:
			err = errNoProgress
		}
	}
	return err
}

// wait reports false if ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
