package enforce

import (
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Status is enforcement at one moment, for people.
type Status struct {
	Version    int    // of the policy; 0: none
	Generation uint64 // of the rules in force; 0: none yet
	Result     string // of the last change: "applied", "repaired", "refused"; "" before the first
	Reason     string
	Since      time.Time
	Default    policy.Mode
	Segments   []Segment
	Pairs      int // exempt pairs
	// Open is for how long break-glass lets everything through from now on.
	Open time.Duration
	// Packets since the agent started, counted by the kernel.
	Denied, WouldDeny, Claimed, Quarantined uint64
}

// Segment is one segment.
type Segment struct {
	policy.SegmentSize
	Allow             []string // as in the policy
	Denied, WouldDeny uint64
}

// tally adds up counters over generations: a chain's begin at zero each time it
// is loaded.
type tally struct {
	seen    map[string]uint64 // by chain, at the last reading
	denied  map[string]uint64 // by segment
	would   map[string]uint64
	claimed uint64 // dropped or not
	cut     uint64 // of devices in quarantine
}

// count takes the counters of a table that was read back.
func (t *Task) count(table platform.Table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	y := &t.tally
	if y.seen == nil {
		y.denied, y.would = map[string]uint64{}, map[string]uint64{}
	}
	seen := map[string]uint64{}
	for _, c := range policy.Counts(table) {
		more := c.Packets
		if was := y.seen[c.Chain]; was <= more {
			more -= was
		} // else it was loaded anew
		seen[c.Chain] = c.Packets
		switch {
		case c.Claimed():
			y.claimed += more
		case c.Quarantine:
			y.cut += more
		case c.Mode == policy.Enforce:
			y.denied[c.Segment] += more
		default:
			y.would[c.Segment] += more
		}
	}
	y.seen = seen
}

// setGeneration notes what is in force.
func (t *Task) setGeneration(have *platform.Table) {
	n, _ := policy.Confirmed(*have)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status.Generation = n
}

// report says what was done: as an event, in the log, and in the status.
func (t *Task) report(before, now *policy.Compiled, done []action, foreign bool) {
	in := now.Input()
	changed := before == nil || before.Comment() != now.Comment()
	t.mu.Lock()
	t.status.Version, t.status.Default, t.status.Pairs = now.Version, in.Policy.Default, len(now.Pairs)
	generation := t.status.Generation
	t.mu.Unlock()
	if len(done) == 0 && !changed {
		return
	}
	switch {
	case changed && len(done) == 0:
		t.emitPolicy(now.Version, generation, "applied", "found in the kernel as it should be")
	case changed:
		t.emitPolicy(now.Version, generation, "applied", t.refused)
	case foreign || slices.ContainsFunc(done, func(a action) bool { return a.stage == layBase || a.stage == mendBase }):
		why := "rules were changed by someone else"
		if len(done) == 0 {
			return
		}
		t.emitPolicy(now.Version, generation, "repaired", why+": "+done[0].why)
	default:
		t.opt.Log.Info("rules follow the devices", "generation", generation, "steps", len(done))
	}
}

func (t *Task) emitPolicy(version int, generation uint64, result, reason string) {
	now := t.opt.Clock.Now()
	t.mu.Lock()
	t.status.Result, t.status.Reason, t.status.Since = result, reason, now.Wall
	t.mu.Unlock()
	t.opt.Log.Info("policy", "version", version, "generation", generation, "result", result, "reason", reason)
	t.opt.Events.Emit(event.Event{Class: event.Audit, At: now,
		Body: event.PolicyChange{Version: version, Generation: generation, Result: result, Reason: reason}})
}

// Status is the last known state.
func (t *Task) Status() Status {
	open := t.glass.left(t.opt.Clock.Now().Mono)
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.status
	s.Open, s.Claimed, s.Quarantined = open, t.tally.claimed, t.tally.cut
	for _, n := range t.tally.denied {
		s.Denied += n
	}
	for _, n := range t.tally.would {
		s.WouldDeny += n
	}
	c := t.now.Load()
	if c == nil {
		return s
	}
	for _, size := range c.Segments {
		g := Segment{SegmentSize: size, Denied: t.tally.denied[size.Name], WouldDeny: t.tally.would[size.Name]}
		if p := c.Input().Policy.Segment(size.Name); p != nil {
			for _, a := range p.Allow {
				g.Allow = append(g.Allow, a.String())
			}
		}
		s.Segments = append(s.Segments, g)
	}
	return s
}

// Counters are the exact counts, by stable name.
func (t *Task) Counters() map[string]uint64 {
	s := t.Status()
	return map[string]uint64{"rules.denied": s.Denied, "rules.would_deny": s.WouldDeny, "rules.claimed": s.Claimed, "rules.quarantined": s.Quarantined}
}

// Segment is where a device stands under the rules in force; "" if nowhere.
func (t *Task) Segment(id device.ID) (segment, mode string) {
	c := t.now.Load()
	if c == nil {
		return "", ""
	}
	m, ok := c.Member(id)
	if !ok {
		return "", ""
	}
	return m.Segment, m.Mode.String()
}

// Explain judges a packet by the policy in force.
func (t *Task) Explain(p policy.Packet) (policy.Explanation, bool) {
	c := t.now.Load()
	if c == nil {
		return policy.Explanation{}, false
	}
	return c.Quarantined(t.book.list(t.opt.Clock.Now().Mono)).Explain(p), true
}
