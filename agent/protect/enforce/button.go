package enforce

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

// Button is the record of the button on the box, which PID 1 keeps: it opens the
// gateway with the agent dead or alive, and only the agent can audit it.
type Button interface {
	// Pressed is the last press, and when it ends what it opened, both since boot.
	Pressed() (at, until time.Duration, ok bool)
	// Forget removes the record.
	Forget()
}

// pressed is the press that what is open comes from, or none.
func (t *Task) pressed(now, left time.Duration) (until time.Duration, ok bool) {
	if t.opt.Button == nil {
		return 0, false
	}
	_, until, ok = t.opt.Button.Pressed()
	return until, ok && (until-now-left).Abs() < glassSlack
}

// tellPress audits a press whose time is over, if nobody did while it was open:
// the agent was dead, or there were no rules to be seen in.
func (t *Task) tellPress() {
	if t.opt.Button == nil {
		return
	}
	at, until, ok := t.opt.Button.Pressed()
	now := t.opt.Clock.Now()
	if !ok || until > now.Mono-glassSlack {
		return
	}
	if t.press != until {
		t.opt.Log.Warn("break-glass", "act", "break-glass", "who", "button", "for", until-at, "over", true)
		t.opt.Events.Emit(event.Event{Class: event.Audit, At: now, Body: event.Act{Act: "break-glass", Who: "button",
			Seconds: int64((until - at) / time.Second), Until: now.Wall.Add(until - now.Mono)}})
	}
	t.opt.Button.Forget()
}
