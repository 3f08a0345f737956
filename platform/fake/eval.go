package fake

import (
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Packet is a frame on its way through the bridge: whole, from the destination
// MAC on, VLAN tags inside, from one port to one other.
type Packet struct {
	Frame   []byte
	In, Out string
}

// Decision says what becomes of a packet and which rule decided it.
type Decision struct {
	Accepted bool
	// Chain and Rule are where the deciding rule stands; Rule is -1 where the
	// policy of a base chain, or nothing at all, decided.
	Chain   string
	Rule    int
	Comment string
}

// Decide sends a packet through the bridge's prerouting and forward hooks. It
// counts, logs and uses up limits as a real packet does.
func (f *Firewall) Decide(p Packet) Decision {
	f.kernel.mu.Lock()
	defer f.kernel.mu.Unlock()
	pkt, ok := parsePacket(p.Frame)
	if !ok {
		return Decision{Rule: -1}
	}
	pkt.in = p.In
	d := f.kernel.hook(platform.HookPrerouting, pkt)
	if !d.Accepted {
		return d
	}
	pkt.out = p.Out
	if forward := f.kernel.hook(platform.HookForward, pkt); forward.Rule >= 0 || !forward.Accepted {
		return forward
	}
	return d
}

// hook runs all base chains of a hook in the order of their priorities. A drop
// ends it, an accept only ends its chain.
func (k *kernel) hook(point platform.HookPoint, p *packet) Decision {
	type base struct {
		*table
		*chain
	}
	var bases []base
	for _, t := range k.tables {
		for _, c := range t.chains {
			if t.family == platform.FamilyBridge && c.hook != nil && c.hook.Point == point {
				bases = append(bases, base{t, c})
			}
		}
	}
	slices.SortStableFunc(bases, func(a, b base) int { return int(a.hook.Priority) - int(b.hook.Priority) })
	decision := Decision{Accepted: true, Rule: -1}
	for _, b := range bases {
		// br_nf_hook_thresh begins behind priority 0, where br_netfilter sits.
		if k.brNetfilter && point == platform.HookForward && b.hook.Priority == 0 && p.isIP() {
			continue
		}
		w := walk{kernel: k, table: b.table, packet: p, now: k.clock.Mono()}
		switch verdict := w.chain(b.chain); verdict.Kind {
		case platform.Accept:
			decision = w.decided
			decision.Accepted = true
		case platform.Drop:
			return w.decided
		default:
			if b.hook.Drop {
				return Decision{Chain: b.chain.name, Rule: -1}
			}
		}
	}
	return decision
}

// walk is the way of one packet through one base chain.
type walk struct {
	kernel  *kernel
	table   *table
	packet  *packet
	now     time.Duration
	decided Decision
}

// chain returns Accept, Drop, or the zero verdict where the packet came to the
// end of the chain or to a return.
func (w *walk) chain(c *chain) platform.Verdict {
	for i, r := range c.rules {
		v := w.rule(r)
		switch v.Kind {
		case platform.Accept, platform.Drop:
			w.decided = Decision{Chain: c.name, Rule: i, Comment: r.Comment}
			return v
		case platform.Return:
			return platform.Verdict{}
		case platform.Goto:
			return w.chain(w.table.chains[v.Chain])
		case platform.Jump:
			if v := w.chain(w.table.chains[v.Chain]); v.Kind != 0 {
				return v
			}
		}
	}
	return platform.Verdict{}
}

// rule returns the rule's verdict, zero if it does not match or has none.
func (w *walk) rule(r *rule) platform.Verdict {
	for _, m := range r.Matches {
		if !w.match(m) {
			return platform.Verdict{}
		}
	}
	if r.Limit != nil && !r.bucket.take(w.now) {
		return platform.Verdict{}
	}
	if r.Log != nil {
		w.kernel.log(*r.Log, w.packet)
	}
	if r.Counter {
		r.Packets++
		r.Bytes += uint64(len(w.packet.network))
	}
	if r.VMap == nil {
		return r.Verdict
	}
	if key, ok := w.packet.key(r.VMap.Fields); ok {
		if e, ok := w.lookup(r.VMap.Map, key); ok {
			return e.Verdict
		}
	}
	return platform.Verdict{}
}

func (w *walk) lookup(name, key string) (*element, bool) {
	return w.table.sets[name].lookup(key, len(w.packet.network), w.now)
}

func (w *walk) match(m platform.Match) bool {
	key, ok := w.packet.key(m.Fields)
	if !ok {
		return false
	}
	if m.Mask != "" {
		key = masked(key, m.Mask)
	}
	switch m.Op {
	case platform.OpEq:
		return key == m.Value
	case platform.OpNeq:
		return key != m.Value
	}
	var in bool
	if m.Set != "" {
		_, in = w.lookup(m.Set, key)
	} else {
		in = slices.Contains(m.Values, key)
	}
	return in == (m.Op == platform.OpIn)
}

func masked(key, mask string) string {
	b := []byte(key)
	for i := range b {
		b[i] &= mask[i]
	}
	return string(b)
}

// bucket is the token bucket of a limit; a token is what one packet costs.
type bucket struct {
	tokens, most, cost time.Duration
	last               time.Duration
}

func newBucket(l *platform.Limit, now time.Duration) bucket {
	if l == nil {
		return bucket{}
	}
	cost := time.Second / time.Duration(l.PerSecond)
	most := cost * time.Duration(l.Burst)
	return bucket{tokens: most, most: most, cost: cost, last: now}
}

func (b *bucket) take(now time.Duration) bool {
	b.tokens = min(b.tokens+now-b.last, b.most)
	b.last = now
	if b.tokens < b.cost {
		return false
	}
	b.tokens -= b.cost
	return true
}
