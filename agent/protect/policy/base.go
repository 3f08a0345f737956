package policy

import (
	"net/netip"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Log prefixes of claimed addresses; those of segments are made by logPrefix.
const (
	prefixClaimDrop  = "wk drop claim -"
	prefixClaimStage = "wk stage claim -"
)

// base adds what stands in front of every generation. The order of the base
// chain is the safety case: what comes first cannot be cut by what comes later.
func (c *Compiled) base(t *platform.Table, n uint64) {
	up := c.in.Uplink
	c.baseSets(t)
	t.Chains = append(t.Chains,
		platform.Chain{Name: ChainForward, Hook: &platform.Hook{Point: platform.HookForward, Priority: priority}, Rules: c.order(up)},
		refusal("claim_drop", prefixClaimDrop, Enforce),
		refusal("claim_stage", prefixClaimStage, Stage),
		platform.Chain{Name: ChainCare, Rules: care(up)},
		platform.Chain{Name: ChainConfirmed, Rules: []platform.Rule{
			rule(jump(gen("gen", n)), c.Comment()),
		}},
	)
	t.Chains = append(t.Chains, quarantineChains(up)...)
}

// The places, also of what is not built yet:
//
//	1 break-glass
//	2 claimed-address drop
//	3 exempt pairs, and what their devices need besides
//	4 quarantine: ChainQuarantine. Of a device under the interlock place 3 lets
//	  nothing through, for as long as its element in the kernel lives: pairs are
//	  never removed, so they are back without anybody's doing. A pair of another
//	  device with it stays: that one was not named.
//	5 trial generation: an element of MapTrial, a goto, until it is confirmed
//	6 confirmed generation
//
// A lease that fails open and the grace of a clinical segment come last: in the
// verdict chains of an enforced segment, in front of the drop (see refusal). So
// they can but let through what would be dropped, and cut nothing.
func (c *Compiled) order(up string) []platform.Rule {
	open := func(comment string, m platform.Match) platform.Rule {
		return platform.Rule{Matches: []platform.Match{m}, Counter: true, Verdict: accept(), Comment: comment}
	}
	r := []platform.Rule{
		open("1 break-glass: gateway", within(SetOpenAll, platform.MetaIIFType)),
		open("1 break-glass: port", within(SetOpenPort, platform.MetaIIFName)),
		open("1 break-glass: port", within(SetOpenPort, platform.MetaOIFName)),
		open("1 break-glass: device", within(SetOpenDevice, platform.EtherSaddr)),
		open("1 break-glass: device", within(SetOpenDevice, platform.EtherDaddr)),
	}
	for _, cl := range []struct {
		set string
		v   platform.Verdict
	}{{"claim", turn("claim_drop")}, {"watch", jump("claim_stage")}} {
		const why = "2 claimed address: "
		r = append(r,
			rule(cl.v, why+"sender", notFrom(up), protocol(etherIPv4), within(cl.set+"4", platform.IPv4Saddr)),
			rule(cl.v, why+"ARP sender", notFrom(up), protocol(etherARP), within(cl.set+"4", platform.ARPSenderIP)),
			rule(cl.v, why+"sender", notFrom(up), protocol(etherIPv6), within(cl.set+"6", platform.IPv6Saddr)),
			rule(cl.v, why+"advertised", notFrom(up), protocol(etherIPv6), l4(protoICMP6),
				icmpTypes(platform.ICMPv6Type, 136), within(cl.set+"6", platform.NDTarget)),
		)
	}
	// What hides behind a second tag the rules cannot read, and some hosts can.
	r = append(r, platform.Rule{Matches: []platform.Match{notFrom(up), notTo(up)},
		VMap: &platform.VMap{Fields: []platform.Field{platform.MetaProtocol}, Map: "nested"}, Comment: "2 claimed address: hidden"})
	from, to := outside(setInterlocked, platform.EtherSaddr), outside(setInterlocked, platform.EtherDaddr)
	for _, f := range families() {
		const why = "3 exempt pair"
		r = append(r,
			rule(accept(), why, outTo(up), protocol(f.ether), within("exempt_to"+f.name, platform.EtherSaddr, f.daddr), from),
			rule(accept(), why, protocol(f.ether), within("exempt_from"+f.name, platform.MetaIIFName, f.saddr, platform.EtherDaddr), to),
			rule(accept(), why+", ward", protocol(f.ether), within("exempt_ward"+f.name, platform.EtherSaddr, platform.EtherDaddr, f.daddr), from),
			rule(accept(), why+", ward", protocol(f.ether), within("exempt_ward"+f.name, platform.EtherDaddr, platform.EtherSaddr, f.saddr), to),
		)
	}
	return append(r,
		rule(jump(ChainCare), "3 exempt device: its groups and housekeeping", within("exempt_device", platform.EtherSaddr), from),
		rule(jump(ChainCare), "3 exempt device: its housekeeping", within("exempt_device", platform.EtherDaddr), to),
		rule(jump(ChainQuarantine), "4 quarantine"),
		platform.Rule{VMap: &platform.VMap{Fields: []platform.Field{platform.MetaIIFType}, Map: MapTrial}, Comment: "5 trial generation"},
		rule(jump(ChainConfirmed), "6 confirmed generation"),
	)
}

// care is what an exempt device cannot live without, besides its pairs: on the
// wire of its port, its named groups, and with the hospital behind the uplink.
func care(up string) []platform.Rule {
	v4, v6 := protocol(etherIPv4), protocol(etherIPv6)
	with := func(first []platform.Match, more ...platform.Match) []platform.Match { return append(first, more...) }
	list := func(m ...platform.Match) []platform.Match { return m }
	return []platform.Rule{
		rule(accept(), "", protocol(etherARP, etherEAPOL, etherLLDP)),
		rule(back(), "no ports to read", v4, laterFragment(false)),
		rule(back(), "no ports to read", v6, laterFragment(true)),
		rule(accept(), "group", toGroup(), v4, within("exempt_group4", platform.EtherSaddr, platform.IPv4Daddr, platform.MetaL4Proto, platform.THDport)),
		rule(accept(), "group", toGroup(), v6, within("exempt_group6", platform.EtherSaddr, platform.IPv6Daddr, platform.MetaL4Proto, platform.THDport)),
		rule(accept(), "broadcast", toBroadcast(), v4, within("exempt_broadcast", platform.EtherSaddr, platform.MetaL4Proto, platform.THDport)),
		rule(accept(), "DHCP", with(list(outTo(up), v4), ports(68, 67)...)...),
		rule(accept(), "DHCP", with(list(inFrom(up), v4), ports(67, 68)...)...),
		rule(accept(), "IGMP", outTo(up), v4, l4(protoIGMP)),
		rule(accept(), "ICMP errors", outTo(up), v4, l4(protoICMP), icmpTypes(platform.ICMPType, icmpErrors()...)),
		rule(accept(), "ICMP errors", inFrom(up), v4, l4(protoICMP), icmpTypes(platform.ICMPType, icmpErrors()...)),
		rule(accept(), "DHCPv6", with(list(outTo(up), v6), ports(546, 547)...)...),
		rule(accept(), "DHCPv6", with(list(inFrom(up), v6), ports(547, 546)...)...),
		rule(accept(), "ND, MLD, errors", outTo(up), v6, l4(protoICMP6), icmpTypes(platform.ICMPv6Type, careLeaving6()...)),
		rule(accept(), "ND, MLD, errors", inFrom(up), v6, l4(protoICMP6), icmpTypes(platform.ICMPv6Type, careReaching6()...)),
	}
}

// icmpErrors: unreachable, time exceeded, parameter problem (RFC 792).
func icmpErrors() []uint8 { return []uint8{3, 11, 12} }

// careLeaving6: errors (RFC 4443), router and neighbour solicitation, neighbour
// advertisement (RFC 4861), multicast listener reports (RFC 2710, RFC 3810). No
// device of a ward is a router.
func careLeaving6() []uint8 { return []uint8{1, 2, 3, 4, 131, 132, 133, 135, 136, 143} }

// careReaching6: the same from the other end, with router advertisements and
// listener queries.
func careReaching6() []uint8 { return []uint8{1, 2, 3, 4, 130, 134, 135, 136} }

// baseSets adds the sets of the base, with their elements.
func (c *Compiled) baseSets(t *platform.Table) {
	t.Sets = append(append(t.Sets, openSets()...),
		platform.Set{Name: MapTrial, Key: []platform.KeyType{platform.KeyIfType}, Map: true, Timeout: true})
	t.Sets = append(t.Sets, quarantineSets(c.in.Quarantine)...)
	for _, f := range families() {
		t.Sets = append(t.Sets, addrSet("claim"+f.name, f, c.claims.drop), addrSet("watch"+f.name, f, c.claims.stage))
		to := platform.Set{Name: "exempt_to" + f.name, Key: []platform.KeyType{platform.KeyEtherAddr, f.key}}
		from := platform.Set{Name: "exempt_from" + f.name, Key: []platform.KeyType{platform.KeyIfName, f.key, platform.KeyEtherAddr}}
		ward := platform.Set{Name: "exempt_ward" + f.name, Key: []platform.KeyType{platform.KeyEtherAddr, platform.KeyEtherAddr, f.key}}
		for _, p := range c.Pairs {
			mac, addr := platform.MACKey(p.MAC), platform.AddrKey(p.Addr)
			switch {
			case p.Addr.Is6() != f.v6:
			case p.onWard():
				ward.Elements = append(ward.Elements, platform.Element{Key: mac + platform.MACKey(p.PeerMAC) + addr})
			default:
				to.Elements = append(to.Elements, platform.Element{Key: mac + addr})
				from.Elements = append(from.Elements, platform.Element{Key: platform.NameKey(c.in.Uplink) + addr + mac})
			}
		}
		t.Sets = append(t.Sets, to, from, ward)
	}
	nested := platform.Set{Name: "nested", Map: true, Key: []platform.KeyType{platform.KeyEtherType}}
	verdict := map[Mode]platform.Verdict{Stage: jump("claim_stage"), Enforce: turn("claim_drop")}
	if v, ok := verdict[c.in.sternest()]; ok {
		for _, tag := range tags() {
			nested.Elements = append(nested.Elements, platform.Element{Key: platform.Uint16Key(tag), Verdict: v})
		}
	}
	t.Sets = append(t.Sets, nested)
	c.exemptSets(t)
}

// exemptSets adds what exempt devices have besides their pairs.
func (c *Compiled) exemptSets(t *platform.Table) {
	devices := platform.Set{Name: "exempt_device", Key: []platform.KeyType{platform.KeyEtherAddr}}
	casts := platform.Set{Name: "exempt_broadcast", Interval: true, Key: []platform.KeyType{platform.KeyEtherAddr, platform.KeyProto, platform.KeyService}}
	peers := platform.Set{Name: "exempt_peer", Key: []platform.KeyType{platform.KeyEtherAddr}}
	exempt, peer := map[string]bool{}, map[fact.MAC]bool{}
	for _, p := range c.Pairs {
		if p.onWard() && !peer[p.PeerMAC] {
			peer[p.PeerMAC] = true
			peers.Elements = append(peers.Elements, platform.Element{Key: platform.MACKey(p.PeerMAC)})
		}
		if k := platform.MACKey(p.MAC); !exempt[k] {
			exempt[k] = true
			devices.Elements = append(devices.Elements, platform.Element{Key: k})
		}
	}
	for _, f := range families() {
		s := platform.Set{Name: "exempt_group" + f.name, Interval: true,
			Key: []platform.KeyType{platform.KeyEtherAddr, f.key, platform.KeyProto, platform.KeyService}}
		c.eachGroup(exempt, func(mac string, g *grants) {
			for _, e := range boxElements(g.asked[To], disjoint, func(t tuple) bool { return t.from.Is6() == f.v6 }, askKey) {
				s.Elements = append(s.Elements, e.of(mac))
			}
		})
		t.Sets = append(t.Sets, s)
	}
	c.eachGroup(exempt, func(mac string, g *grants) {
		for _, e := range boxElements(g.broadcast, disjoint, always, castKey) {
			casts.Elements = append(casts.Elements, e.of(mac))
		}
	})
	t.Sets = append(t.Sets, devices, peers, casts)
}

// eachGroup calls do for each exempt device with what its segment sends to
// named groups.
func (c *Compiled) eachGroup(exempt map[string]bool, do func(mac string, g *grants)) {
	for _, m := range c.in.Placement.Members {
		mac := platform.MACKey(m.MAC)
		segments := c.in.Policy.segmentsOf(&m)
		if len(segments) == 0 || !exempt[mac] {
			continue
		}
		g := grants{asked: map[Direction][]tuple{}}
		for _, s := range segments {
			for _, a := range s.Allow {
				if a.Kind == GroupTarget {
					g.addGroup(a)
				}
			}
		}
		do(mac, &g)
	}
}

// addrSet is a set of addresses of one family.
func addrSet(name string, f family, list []netip.Addr) platform.Set {
	s := platform.Set{Name: name, Key: []platform.KeyType{f.key}}
	for _, a := range list {
		if a.Is6() == f.v6 {
			s.Elements = append(s.Elements, platform.Element{Key: platform.AddrKey(a)})
		}
	}
	return s
}
