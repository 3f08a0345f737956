package nac

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

func TestInterlockNamesHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := order(time.Hour)
		o.Interlock = []string{"b"}
		b := newBench(t, good("a"), good("b"), good("c"))
		b.know(dev(intruder, "w1", "pump"), dev(pump, "w1", "pump"))
		n, stop := b.start(newLife(0))
		defer stop()
		time.Sleep(time.Minute)
		if err := n.Quarantine(o); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if diff := cmp.Diff([]string{"apply b"}, b.site.said()); diff != "" {
			t.Errorf("with the interlock (-want +got):\n%s", diff)
		}
		if err := n.Quarantine(order(time.Hour)); err != nil { // the renewal names none
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if diff := cmp.Diff([]string{"apply b", "undo b"}, b.site.said()); diff != "" {
			t.Errorf("renewed without (-want +got):\n%s", diff)
		}
		time.Sleep(time.Hour)
		b.empty()
	})
}

func TestBreakGlass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := good("a")
		hangs.takes = 10 * time.Minute
		b, n, stop := begin(t, order(time.Hour), hangs)
		defer stop()
		time.Sleep(2 * time.Second)
		if err := n.Suspend("console", func(d device.ID) bool { return d == printer }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if diff := cmp.Diff([]string{"apply a"}, b.site.said()); diff != "" {
			t.Errorf("opened for another (-want +got):\n%s", diff)
		}
		if err := n.Suspend("console", nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"apply a", "undo a"}, b.site.said()); diff != "" {
			t.Errorf("at once (-want +got):\n%s", diff)
		}
		time.Sleep(10 * time.Minute)
		b.empty()
		if err := n.Quarantine(order(time.Hour)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Minute)
		if diff := cmp.Diff([]string{"apply a", "undo a", "apply a"}, b.site.said()); diff != "" {
			t.Errorf("ordered again (-want +got):\n%s", diff)
		}
		b.open.Store(true) // the button
		time.Sleep(2 * time.Second)
		b.open.Store(false)
		time.Sleep(10 * time.Minute)
		b.empty()
	})
}

func TestOrderedAgainWhileUndoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := good("a")
		a.undo = []Outcome{Unsure, Unsure}
		b, n, stop := begin(t, order(time.Hour), a)
		defer stop()
		time.Sleep(5 * time.Minute)
		if err := errors.Join(n.Release(intruder, "bob"), n.Quarantine(order(time.Hour))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if diff := cmp.Diff([]string{"apply a", "undo a", "undo a", "undo a", "apply a"}, b.site.said()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		time.Sleep(2 * time.Hour)
		b.empty()
	})
}

func TestSameOrderAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, n, stop := begin(t, order(time.Hour), good("a"))
		defer stop()
		time.Sleep(5 * time.Minute)
		steps := b.steps()
		if err := n.Quarantine(order(55 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if got := b.steps(); got != steps {
			t.Errorf("%d more steps for an order that was given again", got-steps)
		}
	})
}

func TestRefusedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, good("a"))
		first := newLife(6) // order: 1, 2; note: 3, 4; hook: 5, 6
		n, stop := b.start(first)
		time.Sleep(time.Minute)
		go n.Quarantine(order(time.Hour))
		<-first.dead
		stop()
		if !b.site.holds("a") {
			t.Fatal("the first call did nothing: another step was meant")
		}
		b.means[0].apply = Refused
		n, stop = b.start(newLife(0))
		defer stop()
		time.Sleep(5 * time.Minute)
		if err := n.Release(intruder, "bob"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		b.empty()
	})
}

func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, n, stop := begin(t, order(time.Hour), good("a"))
		defer stop()
		time.Sleep(50 * time.Minute)
		again := order(time.Hour)
		again.ID = "cmd-2"
		if err := n.Quarantine(again); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Minute)
		if diff := cmp.Diff([]string{"apply a"}, b.site.said()); diff != "" {
			t.Errorf("renewed (-want +got):\n%s", diff)
		}
		time.Sleep(11 * time.Minute)
		b.empty()
	})
}

func TestQuarantineRefuses(t *testing.T) {
	b := newBench(t, good("a"))
	n := New(Options{Hooks: []Hook{&simHook{means: good("a")}}, Ledger: ledger{b.disk, newLife(0)}, Clock: b.clock})
	for _, tt := range []struct {
		name   string
		change func(*Order)
		reason string
	}{
		{"no end", func(o *Order) { o.For = 0 }, "invalid-args"},
		{"no device", func(o *Order) { o.Device = "" }, "invalid-args"},
		{"an id that could be anything", func(o *Order) { o.ID = "Mr. Smith" }, "invalid-args"},
		{"a code that could be anything", func(o *Order) { o.Code = "Mr. Smith in bed 3" }, "invalid-args"},
		{"an interlock for no hook", func(o *Order) { o.Interlock = []string{"b"} }, "invalid-args"},
		{"an interlock for too long", func(o *Order) { o.Interlock, o.For = []string{"a"}, 5*time.Hour }, "interlock"},
	} {
		o := order(time.Hour)
		tt.change(&o)
		var r interface{ Reason() string }
		if err := n.Quarantine(o); !errors.As(err, &r) || r.Reason() != tt.reason {
			t.Errorf("%s: %v, want reason %s", tt.name, err, tt.reason)
		}
	}
	if len(b.disk.values) > 0 {
		t.Errorf("a refused order was noted: %s", b.disk.values)
	}
	if err := New(Options{Ledger: ledger{b.disk, newLife(0)}}).Quarantine(order(0)); err != nil {
		t.Errorf("without hooks nobody is asked: %v", err)
	}
}

// Break-glass waits for one write, however many are in quarantine.
func TestAllAreEndedInOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, good("a"))
		n, stop := b.start(newLife(0))
		for i := range maxRecords {
			o := order(time.Hour)
			o.ID, o.Device = fmt.Sprint("cmd-", i), device.ID(fmt.Sprintf("02:00:00:00:01:%02x", i))
			if err := n.Quarantine(o); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		stop()
		writes := 0
		b.disk.during = func() { writes++ }
		if err := n.Suspend("console", nil); err != nil || writes != 1 {
			t.Errorf("%d writes, %v", writes, err)
		}
		b.disk.during = nil
		for _, v := range b.disk.values {
			if !bytes.Contains(v, []byte(`"over":"break-glass"`)) {
				t.Errorf("kept: %s", v)
			}
		}
	})
}
