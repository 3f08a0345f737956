package policy

import (
	"fmt"
	"net/netip"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Input is all that rules are made of.
type Input struct {
	Policy    *Policy
	Placement Placement
	Pairs     []Pair         // exempt pairs of old: they stay
	Internal  []netip.Prefix // the site's networks
	Uplink    string         // port towards the hospital
	// Quarantine has each device once. It is in the base: no generation changes
	// with it.
	Quarantine []Quarantine
}

// Compiled is a policy as rules, whatever the number of their generation.
type Compiled struct {
	Version  int    // of the policy
	Hash     string // of all but the devices: another one is another generation
	Pairs    []Pair // those of the input, and what the placement adds
	Segments []SegmentSize

	in     Input
	claims claims
	behind map[netip.Addr]bool // addresses that lie behind the uplink
}

// SegmentSize counts the devices of a segment by what is done to them.
type SegmentSize struct {
	Name                       string
	Mode                       Mode
	Observed, Staged, Enforced int
}

// None is the policy of a gateway without a policy file: it filters nothing.
func None() *Policy { return &Policy{Default: Observe} }

// Compile makes rules. It is pure: the same input gives the same rules.
func Compile(in Input) (*Compiled, error) {
	if in.Uplink == "" {
		return nil, fmt.Errorf("compile policy %d: no uplink port", in.Policy.Version)
	}
	c := &Compiled{Version: in.Policy.Version, in: in}
	c.Hash = hash(struct {
		Layout   int
		Policy   *Policy
		Internal []netip.Prefix
		Uplink   string
	}{layoutVersion, in.Policy, in.Internal, in.Uplink})
	c.Pairs = in.Policy.pairs(in.Placement, in.Pairs)
	c.behind = c.uplinked()
	c.claims = in.claims(c.Pairs, c.behind)
	c.Segments = in.sizes()
	if n := c.size(); n > maxElements {
		return nil, fmt.Errorf("compile policy %d: %d set elements, at most %d: use networks instead of single addresses", in.Policy.Version, n, maxElements)
	}
	return c, nil
}

// Input is what the rules were made of, with the pairs of old.
func (c *Compiled) Input() Input { return c.in }

func (in *Input) sizes() []SegmentSize {
	var out []SegmentSize
	index := map[string]int{}
	for _, s := range in.Policy.Segments {
		index[s.Name] = len(out)
		out = append(out, SegmentSize{Name: s.Name, Mode: s.Mode})
	}
	if in.Policy.Default != Observe {
		index[defaultSegment] = len(out)
		out = append(out, SegmentSize{Name: defaultSegment, Mode: in.Policy.Default})
	}
	for _, m := range in.Placement.Members {
		i, ok := index[m.Segment]
		if !ok {
			continue
		}
		switch m.Mode {
		case Observe:
			out[i].Observed++
		case Stage:
			out[i].Staged++
		case Enforce:
			out[i].Enforced++
		}
	}
	return out
}

// claims are the addresses of uplink peers that no frame of a ward port may
// claim: dropped where an enforced segment relies on them, counted where only a
// staged one does.
type claims struct{ drop, stage []netip.Addr }

func (in *Input) claims(pairs []Pair, behind map[netip.Addr]bool) claims {
	mode := map[netip.Addr]Mode{}
	for i := range in.Policy.Segments {
		s := &in.Policy.Segments[i]
		for _, a := range s.Allow {
			if a.Kind != PeerTarget {
				continue
			}
			peer := in.Policy.peer(a.Name)
			for _, n := range peer.All() {
				// A whole network may well reach into the ward.
				if peer.Device == "" && n.IsSingleIP() {
					mode[n.Addr()] = max(mode[n.Addr()], s.Mode)
				}
			}
		}
	}
	if in.sternest() == Enforce {
		for _, p := range pairs {
			if !p.onWard() && behind[p.Addr] {
				mode[p.Addr] = Enforce
			}
		}
	}
	var c claims
	for a, m := range mode {
		switch m {
		case Enforce:
			c.drop = append(c.drop, a)
		case Stage:
			c.stage = append(c.stage, a)
		}
	}
	c.drop, c.stage = sortedAddrs(c.drop), sortedAddrs(c.stage)
	return c
}

// sternest is the sternest mode of any segment.
func (in *Input) sternest() Mode {
	m := Observe
	for _, s := range in.Policy.Segments {
		m = max(m, s.Mode)
	}
	return m
}

// Table is the whole table with the rules as generation n.
func (c *Compiled) Table(n uint64) platform.Table {
	t := platform.Table{Family: platform.FamilyBridge, Name: TableName}
	c.base(&t, n)
	c.generation(&t, n)
	return t.Canonical()
}

// member finds the member with that id, nil if there is none.
func (c *Compiled) member(match func(*Member) bool) *Member {
	for i := range c.in.Placement.Members {
		if m := &c.in.Placement.Members[i]; match(m) {
			return m
		}
	}
	return nil
}

// Member is what the rules were made for of that device.
func (c *Compiled) Member(id device.ID) (Member, bool) {
	if m := c.member(func(m *Member) bool { return m.Device == id }); m != nil {
		return *m, true
	}
	return Member{}, false
}
