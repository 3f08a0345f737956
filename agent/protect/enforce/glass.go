package enforce

import (
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// glassSlack is how far two tellings of the same end may lie apart.
const glassSlack = 5 * time.Second

// glass is what break-glass has open, as the kernel had it when it was last
// read. It is safe for concurrent use; the zero value is closed. Times are since
// boot.
type glass struct {
	mu   sync.Mutex
	sets []platform.Set // mu
	at   time.Duration  // mu; of the reading
	busy int            // mu; acts under way
	acts int            // mu; acts that ended: a reading begun before is out of date
	told time.Duration  // mu; the audited end of the opening of the gateway, 0: closed
}

// until is when the gateway closes, 0 where it is closed by now; call it with
// the lock.
func (g *glass) until(now time.Duration) time.Duration {
	d := policy.OpenFor(g.sets)
	if d == 0 || d == policy.Forever {
		return d
	}
	if g.at+d <= now {
		return 0
	}
	return g.at + d
}

// from is how long it is from now to a value of until.
func from(now, until time.Duration) time.Duration {
	if until == 0 || until == policy.Forever {
		return until
	}
	return until - now
}

// left is for how long the gateway is open.
func (g *glass) left(now time.Duration) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return from(now, g.until(now))
}

// reopen are the steps that open, in a table that is laid anew, what was open.
func (g *glass) reopen(now time.Duration) []platform.Step {
	g.mu.Lock()
	defer g.mu.Unlock()
	return policy.Reopen(g.sets, now-g.at)
}

// begin and end enclose an act.
func (g *glass) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy++
}

func (g *glass) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy--
	g.acts++
}

// reading begins a reading; hand the number to saw.
func (g *glass) reading() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.acts
}

// saw takes what a reading found, unless an act came between.
func (g *glass) saw(reading int, sets []platform.Set, now time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy == 0 && g.acts == reading {
		g.sets, g.at = sets, now
	}
}

// set takes what an act read back, which the act itself tells.
func (g *glass) set(sets []platform.Set, now time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sets, g.at = sets, now
	g.told = g.until(now)
}

// news is what is to be audited.
type news struct {
	new   bool
	left  time.Duration // for how long the gateway is open; 0: it is closed again,
	early bool          // before its time
}

// news compares what is open with what was told, and notes that it is told now.
func (g *glass) news(now time.Duration) news {
	g.mu.Lock()
	defer g.mu.Unlock()
	until, told := g.until(now), g.told
	if (until == 0) == (told == 0) && (until-told).Abs() < glassSlack {
		return news{}
	}
	g.told = until
	return news{new: true, left: from(now, until), early: until == 0 && told-now > glassSlack}
}
