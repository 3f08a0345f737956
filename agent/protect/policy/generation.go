package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/platform"
)

// generation adds everything whose name ends in _n.
func (c *Compiled) generation(t *platform.Table, n uint64) {
	up := c.in.Uplink
	used := c.usedShelves()
	c.fillSets(t, used, n)
	var rules []platform.Rule
	for _, f := range families() {
		// A host may take a packet for its own address out of a broadcast frame.
		rules = append(rules, platform.Rule{Matches: []platform.Match{notFrom(up), toGroup(), protocol(f.ether)},
			VMap:    &platform.VMap{Fields: []platform.Field{f.daddr}, Map: gen("own"+f.name, n)},
			Comment: "unicast in a group frame"})
	}
	// By port as well: the MAC of a router, borrowed on the ward, must not put
	// the router under a segment.
	t.Chains = append(t.Chains, platform.Chain{Name: gen("gen", n), Rules: append(rules,
		rule(jump(gen("leave", n)), "", notFrom(up), within(gen("device", n), platform.EtherSaddr)),
		rule(jump(gen("reach", n)), "", notTo(up), within(gen("device", n), platform.EtherDaddr)),
	)})
	for _, d := range []Direction{To, From} {
		c.side(t, used, d, n)
	}
	for _, s := range c.Segments {
		for _, m := range []Mode{Stage, Enforce} {
			if m > s.Mode { // an enforced segment also stages those it must not enforce
				continue
			}
			for _, d := range []Direction{To, From} {
				t.Chains = append(t.Chains, refusal(gen(verdictChain(m, d, s.Name), n), logPrefix(m, d, s.Name), m))
			}
		}
	}
}

// side adds the chains of frames that leave a device (To) or reach one (From).
// In them, return means that this side allows the frame; the other side's chain,
// if that is a device of a segment too, still has its say.
func (c *Compiled) side(t *platform.Table, used []shelf, d Direction, n uint64) {
	leaving := d == To
	self := platform.EtherDaddr
	if leaving {
		self = platform.EtherSaddr
	}
	refuse := gen("refuse_"+way(d), n)
	rules := []platform.Rule{rule(back(), "housekeeping", protocol(etherARP, etherEAPOL, etherLLDP))}
	for _, f := range families() {
		rules = append(rules, rule(turn(gen(way(d)+f.name, n)), "", protocol(f.ether)))
	}
	if c.usesEther() {
		rules = append(rules, rule(back(), "", within(gen("ether", n), self, platform.MetaProtocol)))
	}
	t.Chains = append(t.Chains,
		platform.Chain{Name: gen(way(d), n), Rules: append(rules, rule(turn(refuse), ""))},
		platform.Chain{Name: refuse, Rules: []platform.Rule{{VMap: &platform.VMap{Fields: []platform.Field{self}, Map: gen("verdict_"+way(d), n)}}}},
	)
	for _, f := range families() {
		var r []platform.Rule
		add := func(comment string, m ...platform.Match) { r = append(r, rule(back(), comment, m...)) }
		// Fragments first: of a later one, every load of a port reads what the
		// sender likes.
		for _, s := range used {
			if s.what == pairWhat && s.v6 == f.v6 {
				add("later fragment", laterFragment(f.v6), sound(), within(gen(s.name(), n), s.fields(leaving, 0)...))
			}
		}
		r = append(r, rule(turn(refuse), "later fragment", laterFragment(f.v6)))
		housekeeping(add, c.in.Uplink, f, leaving, used, n)
		services(add, f, d, used, n)
		if leaving && !f.v6 && c.usesBroadcast() {
			add("broadcast", toBroadcast(), within(gen("broadcast", n), platform.EtherSaddr, platform.MetaL4Proto, platform.THDport))
		}
		t.Chains = append(t.Chains, platform.Chain{Name: gen(way(d)+f.name, n), Rules: append(r, rule(turn(refuse), ""))})
	}
}

// housekeeping is what every device may do, whatever its segment says. Nothing
// of it lets a host of this ward send to a device that does not speak with it:
// what comes from the ward counts only between a device and its own peers.
func housekeeping(add func(string, ...platform.Match), up string, f family, leaving bool, used []shelf, n uint64) {
	client, server := uint16(68), uint16(67) // RFC 2131
	if f.v6 {
		client, server = 546, 547 // RFC 8415
	}
	errs := []platform.Match{l4(f.icmp), icmpTypes(f.icmpType, icmpErrors()...)}
	if f.v6 {
		errs[1] = icmpTypes(f.icmpType, 1, 2, 3, 4)
	}
	if leaving {
		add("DHCP", ports(client, server)...)
		if f.v6 {
			add("ND, MLD, ICMP errors", l4(protoICMP6), icmpTypes(f.icmpType, careLeaving6()...))
		} else {
			add("IGMP", l4(protoIGMP))
			add("ICMP errors", errs...)
		}
		return
	}
	add("DHCP", append([]platform.Match{inFrom(up)}, ports(server, client)...)...)
	if !f.v6 {
		add("ICMP errors", append([]platform.Match{inFrom(up)}, errs...)...)
	} else {
		add("ND, MLD, ICMP errors", inFrom(up), l4(protoICMP6), icmpTypes(f.icmpType, careReaching6()...))
		nd := []platform.Match{l4(protoICMP6), icmpTypes(f.icmpType, 135, 136)} // neighbours may use addresses we do not know
		add("ND of a ward peer", append(slices.Clone(nd), within(gen("near", n), platform.EtherDaddr, platform.EtherSaddr))...)
		add("ND within networks", append(slices.Clone(nd), within(gen("open", n), platform.EtherDaddr))...)
	}
	for _, s := range used {
		if s.what == pairWhat && s.v6 == f.v6 && (s.near || s.ranged) {
			add("ICMP errors of a peer", append(slices.Clone(errs), within(gen(s.name(), n), s.fields(false, 0)...))...)
		}
	}
}

// services are the requests and answers that allow-lists name. Stateless: an
// answer is known by its ports, and over TCP by not being a bare SYN.
func services(add func(string, ...platform.Match), f family, d Direction, used []shelf, n uint64) {
	leaving := d == To
	each := func(w what, dir Direction, do func(s shelf)) {
		for _, s := range used {
			if s.what == w && s.v6 == f.v6 && (dir == 0 || s.dir == dir) {
				do(s)
			}
		}
	}
	each(askedWhat, d, func(s shelf) {
		add("request", within(gen(s.name(), n), s.fields(leaving, platform.THDport)...))
	})
	each(askedWhat, d.Reverse(), func(s shelf) {
		m := within(gen(s.name(), n), s.fields(leaving, platform.THSport)...)
		add("answer", l4(protoTCP), noOpening(), m)
		add("answer", l4(protoUDP), m)
	})
	each(icmpWhat, d, func(s shelf) {
		add("", l4(f.icmp), within(gen(s.name(), n), s.fields(leaving, 0)...))
	})
	each(wholeWhat, 0, func(s shelf) {
		add("", within(gen(s.name(), n), s.fields(leaving, 0)...))
	})
}

// logPrefix tells the log's reader what became of the packet, on which side and
// by which segment.
func logPrefix(m Mode, d Direction, segment string) string {
	what := "stage"
	if m == Enforce {
		what = "drop"
	}
	return "wk " + what + " " + way(d) + " " + segment
}

// Refusal is what a log prefix says.
type Refusal struct {
	Mode       Mode
	Dir        Direction // To: it left the device; 0 for a claimed address
	Segment    string    // "" for a claimed address and quarantine
	Quarantine bool
}

// Claimed reports whether the sender claimed the address of another.
func (r Refusal) Claimed() bool { return r.Dir == 0 }

// ParsePrefix reads a prefix that logPrefix made, that of a claimed address, or
// of quarantine.
func ParsePrefix(prefix string) (Refusal, bool) {
	w := strings.Split(strings.TrimRight(prefix, "\x00"), " ")
	if len(w) != 4 || w[0] != "wk" {
		return Refusal{}, false
	}
	r := Refusal{Mode: Enforce, Segment: w[3]}
	switch w[1] {
	case "drop":
	case "stage":
		r.Mode = Stage
	case "quarantine":
		r.Quarantine, r.Segment = true, ""
	default:
		return Refusal{}, false
	}
	switch w[2] {
	case way(To):
		r.Dir = To
	case way(From):
		r.Dir = From
	case "claim":
		if r.Quarantine {
			return Refusal{}, false
		}
		r.Segment = ""
	default:
		return Refusal{}, false
	}
	return r, true
}

// usedShelves are the sets that the allow-lists can fill, whoever is there, in
// a fixed order.
func (c *Compiled) usedShelves() []shelf {
	all := map[shelf]bool{}
	for i := range c.in.Policy.Segments {
		g := c.in.possible(&c.in.Policy.Segments[i])
		for s := range g.shelves() {
			all[s] = true
		}
	}
	out := make([]shelf, 0, len(all))
	for s := range all {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b shelf) int {
		return cmp.Or(cmp.Compare(a.what, b.what), cmp.Compare(a.dir, b.dir), cmp.Compare(b2i(a.v6), b2i(b.v6)),
			cmp.Compare(b2i(a.ranged), b2i(b.ranged)), cmp.Compare(b2i(a.near), b2i(b.near)))
	})
	return out
}

func (c *Compiled) usesEther() bool {
	return c.anyGrants(func(g *grants) bool { return len(g.ethers) > 0 })
}

func (c *Compiled) usesBroadcast() bool {
	return c.anyGrants(func(g *grants) bool { return len(g.broadcast) > 0 })
}

func (c *Compiled) anyGrants(is func(*grants) bool) bool {
	return slices.ContainsFunc(c.in.Policy.Segments, func(s Segment) bool {
		g := c.in.possible(&s)
		return is(&g)
	})
}
