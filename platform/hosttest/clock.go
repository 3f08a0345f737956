package hosttest

import (
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Clock runs the cases of platform.Clock. Its wall clock is that of the test.
func Clock(t *testing.T, clock platform.Clock) {
	if off := time.Until(clock.Now()).Abs(); off > time.Minute {
		t.Errorf("the wall clock is %v off", off)
	}
	mono, real := clock.Mono(), time.Now()
	time.Sleep(10 * time.Millisecond)
	if went, want := clock.Mono()-mono, time.Since(real); went < want/2 || went > 2*want+time.Second {
		t.Errorf("%v since boot went by in %v", went, want)
	}
	for last := clock.Mono(); clock.Mono()-mono < 20*time.Millisecond; {
		now := clock.Mono()
		if now < last {
			t.Fatalf("back from %v to %v", last, now)
		}
		last = now
	}
	first := clock.BootID()
	if again := clock.BootID(); first == "" || first != again {
		t.Errorf("boot %q, then %q", first, again)
	}
	clock.Synced() // may be either; must not fail
}
