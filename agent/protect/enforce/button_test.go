package enforce

import (
	"context"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// record is what PID 1 noted.
type record struct{ at, until time.Duration }

func (r *record) Pressed() (at, until time.Duration, ok bool) { return r.at, r.until, r.until > 0 }
func (r *record) Forget()                                     { *r = record{} }

// press does what PID 1 does.
func (w *ward) press(r *record, d time.Duration) {
	w.t.Helper()
	now := w.host.Clock.Mono()
	*r = record{now, now + d}
	if err := w.fw.Peer().Apply(context.Background(), policy.BreakGlass(d)); err != nil {
		w.t.Fatal(err)
	}
}

// What the button opens is audited as the button's: while the agent runs, when
// it starts while it is open, and when it starts after it was open.
func TestButtonIsAudited(t *testing.T) {
	const d = 30 * time.Minute
	inBubble(t, func(t *testing.T, w *ward) {
		r := &record{}
		w.button = r
		w.start(wardPolicy(t))
		w.press(r, d)
		w.settle()
		w.open("pressed", d-3*time.Second)
		time.Sleep(d + time.Minute)
		w.closed("its time is over")
		w.audited("break-glass button 1800", "break-glass-ended kernel 0")
		if *r != (record{}) {
			t.Error("the record is still there")
		}
	})
	inBubble(t, func(t *testing.T, w *ward) {
		r := &record{}
		w.button = r
		w.start(wardPolicy(t))
		w.stop()
		w.press(r, d)
		time.Sleep(time.Minute)
		w.start(wardPolicy(t))
		w.open("found by an agent that starts", d-time.Minute-3*time.Second)
		w.stop()
		time.Sleep(d)
		w.board.Clear(glassCode)
		w.start(wardPolicy(t))
		w.closed("after a restart")
		// Told twice rather than not at all: the second agent does not know the first.
		if got := w.events.acts(); len(got) != 3 || got[0] != "break-glass button 1740" || got[2] != "break-glass button 1800" {
			t.Errorf("audited %q", got)
		}
	})
	inBubble(t, func(t *testing.T, w *ward) {
		r := &record{}
		w.button = r
		w.start(wardPolicy(t))
		w.stop()
		w.press(r, d)
		time.Sleep(d + time.Minute)
		w.start(wardPolicy(t))
		w.settle()
		if got := w.events.acts(); len(got) != 2 || got[1] != "break-glass button 1800" || *r != (record{}) {
			t.Errorf("open only while the agent was dead: audited %q, record %v", got, *r)
		}
	})
}
