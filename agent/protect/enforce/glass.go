package enforce

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// glassSlack is how far two tellings of the same end may lie apart.
const glassSlack = 5 * time.Second

// pane is what break-glass opens: the gateway, a port, a device.
type pane struct{ set, key string }

func paneOf(o policy.Opening) pane { return pane{o.Set, o.Key} }

// glass is what break-glass has open, as the kernel had it when it was last
// read. It is safe for concurrent use; the zero value is closed. Times are since
// boot; the end of what is open for ever is policy.Forever.
type glass struct {
	mu   sync.Mutex
	ends map[pane]time.Duration // mu
	told map[pane]time.Duration // mu; the ends that were audited
	busy int                    // mu; acts under way
	acts int                    // mu; acts that ended: a reading begun before is out of date
	sets int                    // mu; how often an act said what is open
	lays int                    // mu; how often a table was begun or ended to be laid anew: odd while it is
}

// end is when something closes that is open for left from now on.
func end(now, left time.Duration) time.Duration {
	if left == policy.Forever {
		return left
	}
	return now + left
}

// over reports whether that end has passed.
func over(now, end time.Duration) bool { return end != policy.Forever && end <= now }

// until is how long it is to that end.
func until(now, end time.Duration) time.Duration {
	if end == policy.Forever {
		return end
	}
	return max(end-now, 0)
}

// open is what is open now, in order.
func (g *glass) open(now time.Duration) []policy.Opening {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened(now)
}

// opened is open; call it with the lock.
func (g *glass) opened(now time.Duration) []policy.Opening {
	var out []policy.Opening
	for p, e := range g.ends {
		if !over(now, e) {
			out = append(out, policy.Opening{Set: p.set, Key: p.key, Left: until(now, e)})
		}
	}
	slices.SortFunc(out, func(a, b policy.Opening) int { return cmp.Or(cmp.Compare(a.Set, b.Set), cmp.Compare(a.Key, b.Key)) })
	return out
}

// left is for how long the gateway is open.
func (g *glass) left(now time.Duration) time.Duration { return policy.OpenFor(g.open(now)) }

// lay begins to lay the table anew: the steps open in it what is open. Call done
// once it is laid; if a person opened something meanwhile, which the table of
// before took with it, these steps open it again.
func (g *glass) lay(now time.Duration) (steps []platform.Step, done func(now time.Duration) []platform.Step) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lays++
	sets := g.sets
	return policy.Open(g.opened(now)...).Steps, func(now time.Duration) []platform.Step {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.lays++
		if g.sets == sets {
			return nil
		}
		return policy.Open(g.opened(now)...).Steps
	}
}

// laid counts how often a table was begun or ended to be laid.
func (g *glass) laid() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lays
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
func (g *glass) saw(reading int, found []policy.Opening, now time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy != 0 || g.acts != reading {
		return
	}
	g.ends = map[pane]time.Duration{}
	for _, o := range found {
		g.ends[paneOf(o)] = end(now, o.Left)
	}
}

// set takes what an act opened, or closed (no time left), which the act itself
// tells. It reports false where a table was laid since the count, so that what
// the act read back may be gone.
func (g *glass) set(list []policy.Opening, now time.Duration, laid int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sets++
	if g.ends == nil {
		g.ends = map[pane]time.Duration{}
	}
	if g.told == nil {
		g.told = map[pane]time.Duration{}
	}
	for _, o := range list {
		p := paneOf(o)
		if o.Left == 0 {
			delete(g.ends, p)
			delete(g.told, p)
			continue
		}
		g.ends[p], g.told[p] = end(now, o.Left), end(now, o.Left)
	}
	return g.lays == laid && laid%2 == 0
}

// news is what is to be audited.
type news struct {
	pane  pane
	left  time.Duration // for how long it is open; 0: it is closed again,
	early bool          // before its time
}

// news compares what is open with what was told, and notes that it is told now.
func (g *glass) news(now time.Duration) []news {
	g.mu.Lock()
	defer g.mu.Unlock()
	told := map[pane]time.Duration{}
	var out []news
	for _, o := range g.opened(now) {
		p := paneOf(o)
		told[p] = end(now, o.Left)
		if before, ok := g.told[p]; ok && (told[p]-before).Abs() < glassSlack {
			told[p] = before
			continue
		}
		out = append(out, news{pane: p, left: o.Left})
	}
	for p, e := range g.told {
		if _, still := told[p]; !still {
			out = append(out, news{pane: p, early: e-now > glassSlack})
		}
	}
	g.told = told
	slices.SortFunc(out, func(a, b news) int {
		return cmp.Or(cmp.Compare(a.pane.set, b.pane.set), cmp.Compare(a.pane.key, b.pane.key))
	})
	return out
}
