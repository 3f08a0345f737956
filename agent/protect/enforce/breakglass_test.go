package enforce

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// acts are the audited acts, as "break-glass console 600".
func (e *events) acts() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []string{}
	for _, ev := range e.list {
		if a, ok := ev.Body.(event.Act); ok && ev.Class == event.Audit {
			if want := ev.At.Wall.Add(time.Duration(a.Seconds) * time.Second); a.Seconds > 0 && a.Until.Sub(want).Abs() > time.Second {
				out = append(out, fmt.Sprintf("wrong end %v, want %v", a.Until, want))
			}
			about := strings.TrimSpace(string(a.Device) + " " + a.Scope + " " + a.Name)
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %d %s", a.Act, a.Who, a.Seconds, about)))
		}
	}
	return out
}

func (w *ward) audited(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), w.events.acts()); diff != "" {
		w.t.Errorf("audit (-want +got):\n%s", diff)
	}
}

func (w *ward) conditioned() bool {
	for _, c := range w.board.Conditions() {
		if c.Code == glassCode {
			return true
		}
	}
	return false
}

// open fails unless the gateway is open for about d, and everybody says so.
func (w *ward) open(when string, d time.Duration) {
	w.t.Helper()
	synctest.Wait()
	if !w.passes(telnet) || !w.passes(smb) || !w.passes(clinical) {
		w.t.Errorf("%s: it is not open", when)
	}
	if got := w.task.Status().Open; (got-d).Abs() > time.Second || !w.conditioned() {
		w.t.Errorf("%s: said to be open for %v, condition %v, want %v", when, got, w.conditioned(), d)
	}
}

func (w *ward) closed(when string) {
	w.t.Helper()
	synctest.Wait()
	w.enforced(when)
	if got := w.task.Status().Open; got != 0 || w.conditioned() {
		w.t.Errorf("%s: said to be open for %v, condition %v", when, got, w.conditioned())
	}
}

func (w *ward) breaks(d time.Duration) {
	w.t.Helper()
	if err := w.task.BreakGlass(context.Background(), d, "console"); err != nil {
		w.t.Fatal(err)
	}
}

func TestBreakGlassOpensAndEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.breaks(10 * time.Minute)
		w.open("at once", 10*time.Minute)
		time.Sleep(9 * time.Minute)
		w.open("in the tenth minute", time.Minute)
		time.Sleep(time.Minute + countEvery)
		w.closed("after its time")
		w.audited("break-glass console 600", "break-glass-ended kernel 0")
	})
}

// It can be made longer or shorter, and ended.
func TestBreakGlassAgainAndOff(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.breaks(time.Minute)
		w.breaks(time.Hour)
		w.open("longer", time.Hour)
		w.breaks(5 * time.Minute)
		w.open("shorter", 5*time.Minute)
		for range 2 {
			if err := w.task.EndBreakGlass(context.Background(), "console"); err != nil {
				t.Fatal(err)
			}
			w.closed("off")
		}
		time.Sleep(time.Hour)
		w.closed("an hour later")
		w.audited("break-glass console 60", "break-glass console 3600", "break-glass console 300", "break-glass-off console 0", "break-glass-off console 0")
	})
}

// The agent is dead while it ends, or before that; the next one finds what is
// open, and nothing when it is over.
func TestBreakGlassOutlivesTheAgent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.breaks(10 * time.Minute)
		w.stop()
		time.Sleep(5 * time.Minute)
		w.start(wardPolicy(t))
		w.open("after a restart", 5*time.Minute-3*time.Second)
		w.stop()
		time.Sleep(6 * time.Minute)
		w.enforced("ended without an agent")
		w.board.Clear(glassCode)
		w.start(wardPolicy(t))
		w.closed("after the second restart")
		w.audited("break-glass console 600", "break-glass-found unknown 300")
	})
}

// What others open and close is seen and audited, once.
func TestBreakGlassByOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		peer := w.fw.Peer()
		apply := func(c platform.Change) {
			t.Helper()
			if err := peer.Apply(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			w.settle()
		}
		apply(policy.BreakGlass(30 * time.Minute)) // the button
		w.open("by the button", 30*time.Minute-3*time.Second)
		time.Sleep(10 * time.Minute)
		apply(policy.BreakGlass(30 * time.Minute))
		w.open("once more", 30*time.Minute-3*time.Second)
		apply(policy.EndBreakGlass())
		w.closed("closed by another program")
		forever := policy.BreakGlass(time.Minute)
		forever.Steps[0].RenewElements.Elements[0].Timeout = 0
		apply(forever)
		time.Sleep(time.Hour)
		w.open("without an end", policy.Forever)
		if err := w.task.EndBreakGlass(context.Background(), "console"); err != nil {
			t.Fatal(err)
		}
		w.closed("off")
		w.audited("break-glass-found unknown 1800", "break-glass-found unknown 1800", "break-glass-ended unknown 0", "break-glass-found unknown 0", "break-glass-off console 0")
	})
}

// A stranger who flushes the rules right after it, or before, closes nothing.
func TestBreakGlassWithoutRules(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.breaks(10 * time.Minute)
		w.fw.FlushRuleset()
		w.open("flushed afterwards", 10*time.Minute)
		w.settle()
		w.table()
		w.open("laid anew", 10*time.Minute-3*time.Second)
		time.Sleep(10 * time.Minute)
		w.closed("after its time")
		w.stop()
		w.stop = nil
		w.fw.FlushRuleset()
		w.task = New(w.options(wardPolicy(t)))
		w.breaks(10 * time.Minute) // in rescue: Run has laid no table yet
		if !w.passes(telnet) {
			t.Error("without rules something is refused")
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.task.Run(ctx) }()
		w.settle()
		w.table()
		w.open("rules laid after it", 10*time.Minute-3*time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// faulty is a kernel that answers wrongly some times.
type faulty struct {
	platform.Firewall
	apply, read int // so many fail
	lies        bool
}

func (f *faulty) Apply(ctx context.Context, c platform.Change) error {
	if f.apply > 0 {
		f.apply--
		if !f.lies {
			return fmt.Errorf("apply: %w", platform.ErrStateUnknown)
		}
		return nil
	}
	return f.Firewall.Apply(ctx, c)
}

func (f *faulty) Read(ctx context.Context, family platform.Family, table string) (platform.Table, error) {
	if f.read > 0 {
		f.read--
		return platform.Table{}, errors.New("no buffer space")
	}
	return f.Firewall.Read(ctx, family, table)
}

func TestBreakGlassIsReadBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault faulty
		err   string
	}{
		{"one lost transaction", faulty{apply: 1}, ""},
		{"one that said yes", faulty{apply: 1, lies: true}, ""},
		{"one failed reading", faulty{read: 1}, ""},
		{"none gets through", faulty{apply: 3}, "open the gateway: apply: state of the ruleset is unknown"},
		{"none gets through, without an error", faulty{apply: 3, lies: true}, "open the gateway: the kernel does not take the rules"},
		{"cannot be read", faulty{read: 3}, "open the gateway: read it back: no buffer space"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *ward) {
				w.start(wardPolicy(t))
				f := c.fault
				f.Firewall = w.fw
				w.task.opt.Firewall = &f
				err := w.task.BreakGlass(context.Background(), time.Minute, "console")
				if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
					t.Errorf("error %v, want %q", err, c.err)
				}
				if err == nil {
					w.open("after a fault", time.Minute)
					w.audited("break-glass console 60")
				}
			})
		})
	}
}

// between is a kernel where something else happens right after a call.
type between struct {
	platform.Firewall
	applied, read func()
	laying        func() // before a table that is laid anew is committed
}

func once(f *func()) {
	if do := *f; do != nil {
		*f = nil
		do()
	}
}

func (b *between) Apply(ctx context.Context, c platform.Change) error {
	if c.Steps[0].DeleteTable != nil {
		once(&b.laying)
	}
	defer once(&b.applied)
	return b.Firewall.Apply(ctx, c)
}

func (b *between) Read(ctx context.Context, family platform.Family, table string) (platform.Table, error) {
	defer once(&b.read)
	return b.Firewall.Read(ctx, family, table)
}

// TestBreakGlassWhileRunReads: what Run reads while a person opens is neither
// taken for the end of it nor for the act of a stranger.
func TestBreakGlassWhileRunReads(t *testing.T) {
	for name, interleave := range map[string]func(w *ward, b *between){
		"read before, seen after": func(w *ward, b *between) {
			b.read = func() { w.breaks(time.Hour) }
			_, _ = w.task.read(context.Background())
		},
		"read while it is committed": func(w *ward, b *between) {
			b.applied = func() { _, _ = w.task.read(context.Background()) }
			w.breaks(time.Hour)
		},
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
				interleave(w, b)
				w.open("at once", time.Hour)
				w.task.tellGlass()
				w.audited("break-glass console 3600")
			})
		})
	}
}
