package nac

import (
	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
)

// tell logs a change and sends it up.
func (t *Task) tell(r *record, o *Obligation, now clock.Stamp) {
	t.opt.Log.Info("nac", "device", r.Device, "hook", o.Hook, "state", o.State, "effect", o.Effect, "text", o.Text)
	t.emit(event.NAC{Device: r.Device, MAC: o.MAC, Hook: o.Hook, Obligation: o.ID, State: string(o.State), Effect: string(o.Effect),
		By: r.By, Code: r.Code, Until: r.Until, Over: r.Over, Text: o.Text}, now)
}

func (t *Task) tellSkipped(r *record, hook, why string, now clock.Stamp) {
	t.opt.Log.Warn("nac", "device", r.Device, "hook", hook, "state", "skipped", "text", why)
	t.emit(event.NAC{Device: r.Device, Hook: hook, State: "skipped", By: r.By, Code: r.Code, Until: r.Until, Text: why}, now)
}

func (t *Task) emit(b event.NAC, now clock.Stamp) {
	t.opt.Events.Emit(event.Event{Class: event.Ordinary, At: now, Body: b})
}

// many is from how many failed tries on a person should look.
const many = 3

// show puts conditions up and takes those down that hold no longer.
func (t *Task) show(now clock.Stamp) {
	want := make(map[string]health.Condition)
	put := func(code string, s health.Severity, text string) {
		want[code] = health.Condition{Code: code, Severity: s, Text: text, Since: now.Wall}
	}
	if t.broken != "" {
		put("nac.ledger-damaged", health.Failure, "a record of what was asked of the network cannot be read, look there for a quarantine that nobody ends: "+t.broken)
	}
	if t.refused != "" {
		put("nac.ledger", health.Failure, "nothing new is asked of the network, it cannot be noted: "+t.refused)
	}
	for id, r := range t.records {
		if r.ineffective(t.order) {
			put("nac.not-effective:"+string(id), health.Warning, "no hook has taken it off the network, it is fenced by the gateway alone")
		}
		for _, o := range r.Owed {
			if u := t.runs[o.ID]; o.State == Undoing && u != nil && u.tries >= many {
				put("nac.owed:"+o.ID, health.Failure, "cannot be undone yet, do it by hand: "+o.UndoStep+" ("+o.Text+")")
			}
		}
	}
	for code := range t.shown {
		if _, ok := want[code]; !ok {
			t.opt.Board.Clear(code)
			delete(t.shown, code)
			t.opt.Log.Info("condition cleared", "code", code)
		}
	}
	for code, c := range want {
		if t.shown[code] = true; t.opt.Board.Set(c) {
			t.opt.Log.Warn("condition", "code", code, "text", c.Text)
		}
	}
}
