package nac

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Who remembers the id of what it has done must not take a later quarantine, by
// the same person for the same reason, for the one of before: it would apply
// nothing, or undo nothing.
func TestEachQuarantineHasItsOwnID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, n, stop := begin(t, order(time.Hour), good("a"))
		release := func() {
			t.Helper()
			time.Sleep(5 * time.Minute)
			if err := n.Release(intruder, "bob"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Minute)
		}
		release()
		if err := n.Quarantine(order(time.Hour)); err != nil {
			t.Fatal(err)
		}
		release()
		stop()
		b.host.Clock.Reboot()
		n, stop = b.start(newLife(0))
		time.Sleep(time.Minute) // as long after the boot as the first one
		if err := n.Quarantine(order(time.Hour)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		n, stop = b.start(newLife(0))
		defer stop()
		release()
		seen := map[string]int{}
		for i, r := range b.site.requests() {
			if seen[r.ID]++; i%2 == 1 && seen[r.ID] != 2 {
				t.Errorf("act %d has id %s, seen %d times", i, r.ID, seen[r.ID])
			}
		}
		if len(seen) != 3 {
			t.Errorf("ids %v, want one for each of 3 quarantines", seen)
		}
		b.empty()
	})
}

// A process that was killed before it heard the answer does not know when the
// hook did it: it may have been just now, and undoing waits accordingly.
func TestUndoneSinceNobodyKnowsWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, good("a"))
		n, stop := b.start(newLife(6)) // the hook is about to answer
		time.Sleep(time.Minute)
		go n.Quarantine(order(time.Hour))
		time.Sleep(time.Second)
		stop()
		if !b.site.holds("a") {
			t.Fatal("the process died before the hook did anything")
		}
		b.ready = make(chan struct{})
		n, stop = b.start(newLife(0))
		defer stop()
		if err := n.Release(intruder, "bob"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		r := b.site.requests()
		if last := r[len(r)-1]; len(r) != 2 || last.Since > 2*time.Second {
			t.Errorf("undone %s after it was applied, it is said; it was 2s", last.Since)
		}
		b.empty()
	})
}

// What a hook says may be anything, a patient's name too, and the address of a
// webhook may be its secret: neither leaves the gateway, nor the ledger.
func TestWhatHooksSayStays(t *testing.T) {
	const secret = "tok3n"
	_, h := webhookTo(t, 5*time.Second, 403)
	w := h.(*webhook)
	w.url += "?key=" + secret
	r := h.Apply(t.Context(), request())
	if strings.Contains(r.Text, "said") || r.Said == "" {
		t.Errorf("refused: %+v", r)
	}
	w.url = "https://127.0.0.1:1/" + secret
	r = h.Apply(t.Context(), request())
	if strings.Contains(r.Text+h.UndoStep(), secret) || !strings.Contains(r.Text, "127.0.0.1:1") {
		t.Errorf("nobody there: %+v, undone by: %s", r, h.UndoStep())
	}
	synctest.Test(t, func(t *testing.T) {
		a := good("a")
		a.said = "the bed of Mrs Smith"
		b, _, stop := begin(t, order(time.Hour), a)
		defer stop()
		time.Sleep(5 * time.Minute)
		if b.disk.has("Smith") || strings.Contains(strings.Join(b.told(), ""), "Smith") {
			t.Errorf("kept or told: %s, %v", b.disk.values, b.told())
		}
		time.Sleep(time.Hour)
		b.empty()
	})
}

// A device that is quarantined again and again while a hook does not let go of it
// does not make the task grow.
func TestRunsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, refuses := good("b"), good("a")
		refuses.apply = Refused
		for range 1000 {
			stuck.undo = append(stuck.undo, Unsure)
		}
		b, n, stop := begin(t, order(time.Hour), refuses, stuck)
		defer stop()
		for range 5 {
			time.Sleep(time.Minute)
			if err := n.Release(intruder, "bob"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if err := n.Quarantine(order(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		if owed := len(n.records[intruder].Owed); len(n.runs) > owed || owed > 2 {
			t.Errorf("%d runs, %d obligations, after %v", len(n.runs), owed, b.site.said())
		}
	})
}
