package enforce

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

func (w *ward) mode(segment, mode string) {
	w.t.Helper()
	begun := time.Now()
	if err := w.task.Mode(context.Background(), segment, mode, "mia"); err != nil {
		w.t.Fatal(err)
	}
	if d := time.Since(begun); d > time.Second {
		w.t.Errorf("mode %s %s: it took %v", segment, mode, d)
	}
}

// printers fails unless the printers' segment has the mode, by what is said and
// by what passes.
func (w *ward) printers(when string, mode policy.Mode) {
	w.t.Helper()
	if w.passes(smb) != (mode != policy.Enforce) {
		w.t.Errorf("%s: smb passes %v in mode %s", when, w.passes(smb), mode)
	}
	told := false
	for _, c := range w.board.Conditions() {
		told = told || c.Code == "enforce.modes" && c.Text == "segments are in another mode than the policy says: printers in "+mode.String()+" (mia)"
	}
	if told != (mode != policy.Enforce) {
		w.t.Errorf("%s: conditions %+v", when, w.board.Conditions())
	}
	w.printersMode(when, mode)
	if w.passes(telnet) || !w.passes(clinical) {
		w.t.Errorf("%s: telnet to the pump passes %v, its server %v", when, w.passes(telnet), w.passes(clinical))
	}
}

// printersMode is what is said of the printers' segment.
func (w *ward) printersMode(when string, mode policy.Mode) {
	w.t.Helper()
	for _, s := range w.task.Status().Segments {
		if s.Name == "printers" && s.Mode != mode {
			w.t.Errorf("%s: said to be in %s, want %s", when, s.Mode, mode)
		}
	}
}

// TestModeOfASegment: a gentler one is in force when the call returns, is kept
// over a restart, a reboot and another policy, and ends by a call.
func TestModeOfASegment(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.printers("before", policy.Enforce)
		w.mode("printers", "stage")
		w.printers("at once", policy.Stage)
		w.stop()
		before := w.fw.Transactions()
		w.start(wardPolicy(t))
		w.printers("started again", policy.Stage)
		if n := w.fw.Transactions(); n != before {
			t.Errorf("%d transactions", n-before)
		}
		w.mode("printers", "observe")
		w.printers("gentler still", policy.Observe)
		again := newWard(t)
		again.disk = w.disk
		o := again.options(nil)
		o.Inventory, o.Events = nil, nil
		if _, err := New(o).Preload(context.Background()); err != nil {
			t.Fatal(err)
		}
		again.start(wardPolicy(t))
		again.printers("after a boot", policy.Observe)
		again.stop()
		if err := w.task.SetPolicy(context.Background(), strings.Replace(string(wardPolicy(t).Source), "version = 4", "version = 5", 1), "mia"); err != nil {
			t.Fatal(err)
		}
		w.printers("another policy", policy.Observe)
		w.mode("printers", "enforce")
		w.printers("given back", policy.Enforce)
		w.stop()
		w.start(wardPolicy(t))
		w.printers("given back, started again", policy.Enforce)
		w.audited("mode mia 0 segment printers", "mode mia 0 segment printers", "policy mia 0", "mode mia 0 segment printers")
	})
}

// TestModeIsKeptBeforeTheRulesAre: the record of the rules may be older than the
// mode; then the gentler of the two is what is loaded.
func TestModeIsKeptBeforeTheRulesAre(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		record := w.disk[keyConfirmed]
		w.mode("printers", "stage")
		w.stop()
		w.stop = nil
		again := newWard(t)
		again.disk = w.disk
		again.disk[keyConfirmed] = record
		o := again.options(nil)
		o.Inventory, o.Events = nil, nil
		if _, err := New(o).Preload(context.Background()); err != nil {
			t.Fatal(err)
		}
		if !again.passes(smb) || again.passes(telnet) || !again.passes(clinical) {
			t.Errorf("smb %v, telnet %v, clinical %v", again.passes(smb), again.passes(telnet), again.passes(clinical))
		}
	})
}

// TestSternerMode is given in a lab only, and ends with the policy it was given
// under.
func TestSternerMode(t *testing.T) {
	staged := func(t *testing.T, version string) string {
		return strings.NewReplacer(`"enforce"`, `"stage"`, "version = 4", "version = "+version).Replace(string(wardPolicy(t).Source))
	}
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(parse(t, []byte(staged(t, "4"))))
		w.mode("infusion", "enforce")
		w.mode("printers", "enforce")
		w.enforced("sterner")
		w.stop()
		w.start(parse(t, []byte(staged(t, "4"))))
		w.enforced("started again")
		if c := w.board.Conditions(); len(c) != 1 || c[0].Text != "segments are in another mode than the policy says: infusion in enforce (mia), printers in enforce (mia)" {
			t.Errorf("conditions %+v", c)
		}
		if err := w.task.SetPolicy(context.Background(), staged(t, "5"), "mia"); err != nil {
			t.Fatal(err)
		}
		if !w.passes(smb) || !w.passes(telnet) {
			t.Error("sterner than the new policy")
		}
		w.mode("printers", "observe")
		if err := w.task.SetPolicy(context.Background(), staged(t, "4"), "mia"); err != nil {
			t.Fatal(err)
		}
		if !w.passes(smb) || !w.passes(telnet) {
			t.Error("the way back to the policy of before closes what nobody closed since")
		}
		w.stop()
		w.start(parse(t, []byte(staged(t, "4"))))
		if !w.passes(smb) || !w.passes(telnet) {
			t.Error("started again: closed, although nobody closed it since")
		}
		w.printersMode("gentler, over two policies", policy.Observe)
	})
	inBubble(t, func(t *testing.T, w *ward) {
		o := w.options(parse(t, []byte(staged(t, "4"))))
		o.Lab = false
		w.run(o)
		w.settle()
		refused(t, "outside a lab", w.task.Mode(context.Background(), "printers", "enforce", "mia"), "not-allowed")
		w.mode("printers", "observe")
		w.mode("printers", "stage")
		refused(t, "no such mode", w.task.Mode(context.Background(), "printers", "closed", "mia"), "invalid-args")
		refused(t, "no such segment", w.task.Mode(context.Background(), "theatre", "stage", "mia"), "not-found")
		refused(t, "a policy", w.task.SetPolicy(context.Background(), string(wardPolicy(t).Source), "mia"), "not-allowed")
	})
}

// TestSetPolicy: what cannot be read, or the kernel does not take, changes
// nothing; "" is the policy of the start.
func TestSetPolicy(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		ctx := context.Background()
		refused(t, "no policy", w.task.SetPolicy(ctx, "version = 5\ncolour = 1\n", "mia"), "invalid-args")
		refused(t, "an unknown role", w.task.SetPolicy(ctx, strings.Replace(suitePolicy, `"printer"`, `"plotter"`, 1), "mia"), "invalid-args")
		w.enforced("refused")
		if err := w.task.SetPolicy(ctx, "version = 9\n", "mia"); err != nil {
			t.Fatal(err)
		}
		if !w.passes(telnet) || w.task.Status().Version != 9 {
			t.Errorf("not in force: %+v", w.task.Status())
		}
		w.uncut("under another policy")
		f := &faulty{Firewall: w.fw, apply: 1000}
		w.settle()
		w.task.opt.Firewall = f
		if err := w.task.SetPolicy(ctx, string(wardPolicy(t).Source), "mia"); err == nil || err.Error() != "policy 4: it is not in force yet" {
			t.Errorf("error %v", err)
		}
		synctest.Wait()
		w.task.opt.Firewall = w.fw
		w.settle()
		if v := w.task.Status().Version; v != 9 || !w.passes(telnet) {
			t.Errorf("policy %d after one that the kernel did not take", v)
		}
		if err := w.task.SetPolicy(ctx, "", "mia"); err != nil {
			t.Fatal(err)
		}
		w.enforced("that of the start")
		w.audited("policy mia 0", "policy mia 0")
	})
}
