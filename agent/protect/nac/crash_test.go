package nac

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// The process is killed at each of its steps in turn, in a quarantine that ends
// by release or by itself, and started again: in the same boot, after a reboot,
// or after one that left it without a clock. Whatever was asked of the network
// is undone in the end, and not before.
func TestKilledAtEachStep(t *testing.T) {
	silent := good("b")
	silent.apply, silent.lost = Unsure, true
	hooks := []means{idle("a"), silent, good("c")} // a has no effect, b gives no answer, c works
	for _, after := range []string{"restart", "reboot", "reboot without a clock", "reboot into next year"} {
		for _, end := range []string{"release", "expiry"} {
			t.Run(after+", "+end, func(t *testing.T) {
				if testing.Short() && (after != "reboot without a clock" || end != "release") {
					t.Skip("one way of each is enough in the inner loop")
				}
				steps := 0
				for k, died := 1, true; died; k++ {
					t.Run(fmt.Sprint(k), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { died = killedAt(t, k, after, end, hooks) })
					})
					steps = k
				}
				if steps < 30 {
					t.Errorf("only %d steps: what is killed here?", steps)
				}
			})
		}
	}
}

func killedAt(t *testing.T, k int, after, end string, hooks []means) (died bool) {
	b := newBench(t, hooks...)
	first := newLife(k)
	n, stop := b.start(first)
	time.Sleep(time.Minute)
	go func() { // hangs where the process dies
		if n.Quarantine(order(time.Hour)) != nil {
			return
		}
		time.Sleep(30 * time.Minute)
		if end == "release" {
			_ = n.Release(intruder, "bob")
		}
	}()
	select {
	case <-first.dead:
		died = true
	case <-time.After(2 * time.Hour):
	}
	stop()
	ordered, over := b.disk.has(`"order"`), b.disk.has(`"over"`)
	left := time.Hour - (b.host.Clock.Mono() - time.Minute)
	switch after {
	case "reboot":
		b.host.Clock.Reboot()
		b.host.Clock.SetSynced(true)
	case "reboot without a clock":
		b.host.Clock.Reboot()
		b.host.Clock.Set(time.Unix(5, 0))
	case "reboot into next year":
		b.host.Clock.Reboot()
		b.host.Clock.Jump(366 * 24 * time.Hour)
		b.host.Clock.SetSynced(true)
		left = 0
	}
	_, stop = b.start(newLife(0))
	defer stop()
	time.Sleep(10 * time.Minute)
	switch held := b.site.holds("c"); {
	case died && ordered && !over && left > 10*time.Minute && !held:
		t.Errorf("killed at step %d: the device is at large, although its quarantine is not over", k)
	case (over || left <= 0 && after != "reboot without a clock") && held: // without one it ends late
		t.Errorf("killed at step %d: held although its quarantine is over", k)
	}
	time.Sleep(2 * time.Hour)
	b.empty()
	for _, h := range hooks {
		applied, undone := 0, 0
		for _, a := range b.site.said() {
			switch a {
			case "apply " + h.name:
				applied++
			case "undo " + h.name:
				undone++
			}
		}
		if applied > 0 && undone == 0 || applied > 2 || undone > 2 {
			t.Errorf("killed at step %d: %s applied %d times and undone %d times", k, h.name, applied, undone)
		}
	}
	return died
}
