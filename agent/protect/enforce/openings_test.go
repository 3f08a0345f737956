package enforce

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// refused fails unless the error is a refusal with that code.
func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	var r interface{ Reason() string }
	if !errors.As(err, &r) || r.Reason() != code || err.Error() == "" {
		t.Errorf("%s: error %v, want a refusal %q", what, err, code)
	}
}

// A command that opens closes nothing: what is open for longer, by the button or
// by who stands at the console, stays open for as long as that.
func TestOpenNeverShortens(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		opens := func(scope, name string, d time.Duration) {
			t.Helper()
			if err := w.task.Open(context.Background(), scope, name, d, "mia"); err != nil {
				t.Fatal(err)
			}
		}
		w.breaks(30 * time.Minute)
		opens("gateway", "", time.Minute)
		w.open("after a minute was asked for", 30*time.Minute)
		opens("gateway", "", time.Hour)
		w.open("after an hour was asked for", time.Hour)
		w.breaks(time.Minute)
		w.open("the console makes it shorter", time.Minute)
		if err := w.fw.Apply(context.Background(), policy.BreakGlass(30*time.Minute)); err != nil { // the button, that very moment
			t.Fatal(err)
		}
		opens("gateway", "", time.Minute)
		w.open("after the button", 30*time.Minute)
		opens("device", string(printerID), 20*time.Minute)
		opens("segment", "printers", time.Minute)
		for _, o := range w.task.Openings() {
			if o.Scope == "device" && o.Left < 20*time.Minute-time.Second {
				t.Errorf("of the segment open for %v", o.Left)
			}
		}
	})
}

// A kernel that is slow to say what is open keeps nobody from opening.
func TestOpenWaitsForNoReading(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		o := w.options(wardPolicy(t))
		o.Firewall = slowKernel{w.fw, 0, 8 * time.Second}
		w.run(o)
		var ended sync.WaitGroup
		ended.Go(func() { _ = w.task.Open(context.Background(), "gateway", "", time.Minute, "mia") })
		time.Sleep(time.Second)
		if left := policy.OpenFor(policy.Opened(w.table())); left == 0 {
			t.Error("it is not open after a second")
		}
		ended.Wait()
	})
}

// TestBreakGlassOfAPart: a port, a device, or the devices of a segment are open
// for their time, all else is not, and each opening and end is audited.
func TestBreakGlassOfAPart(t *testing.T) {
	for _, c := range []struct {
		scope, name string
		open        []packet
		shut        []packet
		audit       []string
	}{
		{"port", "w2", []packet{telnet, smb}, []packet{outside}, []string{"break-glass mia 600 port w2", "break-glass-ended kernel 0 port w2"}},
		{"device", string(printerID), []packet{smb, outside}, []packet{telnet}, []string{"break-glass mia 600 " + string(printerID), "break-glass-ended kernel 0 " + string(printerID)}},
		{"segment", "printers", []packet{smb, outside}, []packet{telnet}, []string{"break-glass mia 600 segment printers", "break-glass-ended kernel 0 " + string(printerID)}},
	} {
		t.Run(c.scope, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *ward) {
				w.start(wardPolicy(t))
				if err := w.task.Open(context.Background(), c.scope, c.name, 10*time.Minute, "mia"); err != nil {
					t.Fatal(err)
				}
				look := func(when string, open bool) {
					t.Helper()
					synctest.Wait()
					for _, p := range c.open {
						if w.passes(p) != open {
							t.Errorf("%s: %+v passes %v", when, p, !open)
						}
					}
					for _, p := range c.shut {
						if w.passes(p) {
							t.Errorf("%s: %+v passes", when, p)
						}
					}
					if got := len(w.task.Openings()); (got == 1) != open || w.task.Status().Open != 0 {
						t.Errorf("%s: %d openings, the gateway for %v", when, got, w.task.Status().Open)
					}
					told := false
					for _, x := range w.board.Conditions() {
						told = told || x.Code == partCode
					}
					if told != open || w.conditioned() {
						t.Errorf("%s: conditions %+v", when, w.board.Conditions())
					}
				}
				look("at once", true)
				w.fw.FlushRuleset()
				w.settle()
				look("laid anew", true)
				time.Sleep(9*time.Minute + 50*time.Second)
				look("in the tenth minute", true)
				w.stop() // with the agent dead it ends as well
				w.stop = nil
				time.Sleep(20 * time.Second)
				w.start(wardPolicy(t))
				w.enforced("after its time")
				if len(w.task.Openings()) != 0 {
					t.Error("still said to be open")
				}
			})
			inBubble(t, func(t *testing.T, w *ward) {
				w.start(wardPolicy(t))
				if err := w.task.Open(context.Background(), c.scope, c.name, 10*time.Minute, "mia"); err != nil {
					t.Fatal(err)
				}
				w.settle()
				time.Sleep(10*time.Minute + countEvery)
				synctest.Wait()
				w.audited(c.audit...)
			})
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		before := w.fw.Transactions()
		for what, c := range map[string]struct {
			scope, name string
			d           time.Duration
			code        string
		}{
			"no time":           {"gateway", "", 0, "invalid-args"},
			"too long":          {"device", string(printerID), time.Hour + 1, "invalid-args"},
			"no scope":          {"ward", "", time.Minute, "invalid-args"},
			"no such port":      {"port", "w9", time.Minute, "not-found"},
			"no name":           {"port", "", time.Minute, "not-found"},
			"no such device":    {"device", "pump 3", time.Minute, "not-found"},
			"no such segment":   {"segment", "theatre", time.Minute, "not-found"},
			"a segment of none": {"segment", "", time.Minute, "not-found"},
		} {
			refused(t, what, w.task.Open(context.Background(), c.scope, c.name, c.d, "mia"), c.code)
		}
		if n := w.fw.Transactions(); n != before {
			t.Errorf("%d transactions", n-before)
		}
		w.audited()
	})
}

// TestBreakGlassWhileTheTableIsLaid: whatever a person opens at the moment in
// which the agent lays the table anew is open afterwards.
func TestBreakGlassWhileTheTableIsLaid(t *testing.T) {
	lay := func(w *ward) {
		w.fw.FlushRuleset()
		if err := w.task.reconcile(context.Background(), true, false); err != nil {
			w.t.Error(err)
		}
	}
	for name, interleave := range map[string]func(w *ward, b *between){
		"opened before the new table is committed": func(w *ward, b *between) {
			b.laying = func() { w.breaks(time.Hour) }
			lay(w)
		},
		"laid after it was committed":       func(w *ward, b *between) { b.applied = func() { lay(w) }; w.breaks(time.Hour) },
		"laid after it was read back":       func(w *ward, b *between) { b.read = func() { lay(w) }; w.breaks(time.Hour) },
		"laid twice after it was read back": func(w *ward, b *between) { b.read = func() { lay(w); lay(w) }; w.breaks(time.Hour) },
		"longer than what was open before":  func(w *ward, b *between) { w.breaks(time.Minute); b.read = func() { lay(w) }; w.breaks(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *ward) {
				w.start(wardPolicy(t))
				w.stop()
				w.stop = nil
				o := w.options(wardPolicy(t))
				b := &between{Firewall: w.fw}
				o.Firewall = b
				w.task = New(o) // whose Run is the test
				w.task.restore()
				interleave(w, b)
				if err := w.task.reconcile(context.Background(), true, false); err != nil {
					t.Error(err)
				}
				w.open("afterwards", time.Hour)
				if diff := cmp.Diff("break-glass console 3600", w.events.acts()[len(w.events.acts())-1]); diff != "" {
					t.Errorf("audit (-want +got):\n%s", diff)
				}
				time.Sleep(time.Hour)
				w.enforced("over")
				if n := policy.OpenFor(policy.Opened(w.table())); n != 0 {
					t.Errorf("open for %v", n)
				}
			})
		})
	}
}
