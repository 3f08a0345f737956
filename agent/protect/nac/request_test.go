package nac

import (
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
