package enforce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	glassTries = 3
	glassPause = 300 * time.Millisecond
	glassCode  = "break-glass"
)

// BreakGlass opens the whole gateway for d, by an element that the kernel takes
// away again, whether the agent lives or not; who goes to the audit. It asks the
// kernel itself and waits for nothing that Run does. An error says that the
// gateway may not be open.
func (t *Task) BreakGlass(ctx context.Context, d time.Duration, who string) error {
	defer t.glassAct()()
	if err := t.setGlass(ctx, policy.BreakGlass(d), d); err != nil {
		return fmt.Errorf("open the gateway: %w", err)
	}
	t.act("break-glass", who, d)
	return nil
}

// EndBreakGlass closes the whole gateway again before its time, whoever opened
// it. An error says that it may still be open.
func (t *Task) EndBreakGlass(ctx context.Context, who string) error {
	defer t.glassAct()()
	if err := t.setGlass(ctx, policy.EndBreakGlass(), 0); err != nil {
		return fmt.Errorf("close the gateway: %w", err)
	}
	t.act("break-glass-off", who, 0)
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

// setGlass commits the change and reads back that the gateway is open for d.
// Where there is no table, nothing is filtered, and one that is laid later is
// laid with what was asked for.
func (t *Task) setGlass(ctx context.Context, change platform.Change, d time.Duration) error {
	var err error
	for try := range glassTries {
		if try > 0 && !wait(ctx, glassPause) {
			break
		}
		applied := t.opt.Firewall.Apply(ctx, change)
		table, read := t.opt.Firewall.Read(ctx, platform.FamilyBridge, policy.TableName)
		now := t.opt.Clock.Now().Mono
		switch sets := policy.Opened(table); {
		case errors.Is(read, platform.ErrNoTable) && try == glassTries-1:
			t.glass.set(asked(d), now)
			return nil
		case errors.Is(read, platform.ErrNoTable): // perhaps it is laid anew just now
			err = read
		case read != nil:
			err = errors.Join(applied, fmt.Errorf("read it back: %w", read))
		case d == 0 && policy.OpenFor(sets) == 0, d != 0 && (policy.OpenFor(sets)-d).Abs() < glassSlack:
			t.glass.set(sets, now)
			return nil
		case applied != nil:
			err = applied
		default:
			err = errNoProgress
		}
	}
	return err
}

// asked is what the sets hold once the gateway was opened for d.
func asked(d time.Duration) []platform.Set {
	if d == 0 {
		return nil
	}
	e := policy.BreakGlass(d).Steps[0].RenewElements
	e.Elements[0].Expires = d.Milliseconds()
	return []platform.Set{{Name: e.Set, Elements: e.Elements}}
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

// act puts an act into the audit, and the condition up or down.
func (t *Task) act(act, who string, d time.Duration) {
	now := t.opt.Clock.Now()
	body := event.Act{Act: act, Who: who}
	t.opt.Board.Clear(glassCode)
	if d > 0 {
		until := "somebody closes it"
		if d < policy.Forever {
			body.Seconds, body.Until = int64(d/time.Second), now.Wall.Add(d)
			until = body.Until.UTC().Format("15:04:05 UTC")
		}
		t.opt.Board.Set(health.Condition{Code: glassCode, Severity: health.Warning, Since: now.Wall,
			Text: "break-glass: the whole gateway is open until " + until})
	}
	t.opt.Log.Warn("break-glass", "act", act, "who", who, "for", d)
	t.opt.Events.Emit(event.Event{Class: event.Audit, At: now, Body: body})
}

// tellGlass audits what the kernel was found to have open, or no longer has, if
// nobody said so yet: the button, another program, an agent that was killed
// before it could, and the end.
func (t *Task) tellGlass() {
	defer t.tellPress()
	now := t.opt.Clock.Now().Mono
	switch n := t.glass.news(now); {
	case !n.new:
	case n.left > 0:
		if until, ok := t.pressed(now, n.left); ok {
			t.press = until
			t.act("break-glass", "button", n.left)
			return
		}
		t.act("break-glass-found", "unknown", n.left)
	case n.early:
		t.act("break-glass-ended", "unknown", 0)
	default:
		t.act("break-glass-ended", "kernel", 0)
	}
}
