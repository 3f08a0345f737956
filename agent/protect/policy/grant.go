package policy

import (
	"net/netip"
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// grants is what an allow-list comes to: which tuples pass, seen from one
// device. The device itself is not in them, so a segment's are made once.
type grants struct {
	// asked are TCP and UDP services by who asks: To, the device asks; From,
	// the other side does. An answer needs no grant of its own.
	asked map[Direction][]tuple
	// icmp are ICMP types by the way they travel: To, out of the device.
	icmp map[Direction][]tuple
	// whole are IP protocols, all of them or one, both ways.
	whole []tuple
	// broadcast are services of frames sent to ff:ff:ff:ff:ff:ff.
	broadcast []tuple
	ethers    []uint16 // EtherTypes, both ways
	open      bool     // whole networks are allowed: hosts of this ward may be among them
}

// tuple is a box of addresses by numbers, of one protocol, with a host of the
// ward (mac) or wherever it is (no mac).
type tuple struct {
	mac   fact.MAC
	proto uint8 // IP protocol; 0 where box numbers are protocols
	box
}

func (t tuple) near() bool { return t.mac != fact.MAC{} }

// side is the other end of an allow entry.
type side struct {
	mac  fact.MAC
	nets []netip.Prefix
}

// grantsOf expands a segment's allow-list.
func (in *Input) grantsOf(s *Segment) grants {
	g := grants{asked: map[Direction][]tuple{}, icmp: map[Direction][]tuple{}}
	for _, a := range s.Allow {
		if a.Kind == GroupTarget {
			g.addGroup(a)
			continue
		}
		g.open = g.open || a.Kind == AnyTarget || a.Kind == InternalTarget
		for _, other := range in.sides(a) {
			for _, n := range other.nets {
				g.open = g.open || other.mac == fact.MAC{} && !n.IsSingleIP()
				for _, svc := range a.Services {
					g.add(a.Dir, svc, other.mac, n)
				}
			}
		}
	}
	slices.Sort(g.ethers)
	g.ethers = slices.Compact(g.ethers)
	return g
}

// sides are the ends that a target stands for.
func (in *Input) sides(a Allow) []side {
	switch a.Kind {
	case AnyTarget:
		return []side{{nets: []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}}}
	case InternalTarget:
		return []side{{nets: in.Internal}}
	case PeerTarget:
		peer := in.Policy.peer(a.Name)
		if peer.Device == "" {
			return []side{{nets: peer.All()}}
		}
		return []side{{peer.MAC, singles(in.Policy.addrsOf(peer, in.Placement))}}
	case SegmentTarget:
		var out []side
		for _, m := range in.Placement.Members {
			if m.Segment == a.Name {
				out = append(out, side{m.MAC, singles(m.Addrs)})
			}
		}
		return out
	}
	return nil
}

// possible is what the allow-list could come to, whoever is on the ward: it
// decides which sets a generation has, so that a device that comes or goes only
// changes elements.
func (in *Input) possible(s *Segment) grants {
	g := in.grantsOf(s)
	someone := fact.MAC{2}
	for _, a := range s.Allow {
		if a.Kind != SegmentTarget && (a.Kind != PeerTarget || in.Policy.peer(a.Name).Device == "") {
			continue
		}
		for _, n := range singles([]netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}) {
			for _, svc := range a.Services {
				g.add(a.Dir, svc, someone, n)
			}
		}
	}
	return g
}

func singles(list []netip.Addr) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, a := range list {
		out[i] = netip.PrefixFrom(a, a.BitLen())
	}
	return out
}

func (g *grants) add(dir Direction, svc Service, mac fact.MAC, n netip.Prefix) {
	b := boxOf(n, svc.Lo, svc.Hi)
	v4 := n.Addr().Is4()
	types := func(d Direction, proto uint8, lo, hi uint16) {
		g.icmp[d] = append(g.icmp[d], tuple{mac, proto, boxOf(n, lo, hi)})
	}
	switch svc.Proto {
	case TCP:
		g.asked[dir] = append(g.asked[dir], tuple{mac, protoTCP, b})
	case UDP:
		g.asked[dir] = append(g.asked[dir], tuple{mac, protoUDP, b})
	case ICMP:
		if v4 {
			types(dir, protoICMP, svc.Lo, svc.Hi)
			if svc.Lo != svc.Hi { // icmp/any is both ways
				types(dir.Reverse(), protoICMP, svc.Lo, svc.Hi)
			}
		}
	case ICMP6:
		if !v4 {
			types(dir, protoICMP6, svc.Lo, svc.Hi)
			if svc.Lo != svc.Hi {
				types(dir.Reverse(), protoICMP6, svc.Lo, svc.Hi)
			}
		}
	case Echo: // RFC 792 types 8 and 0, RFC 4443 types 128 and 129
		if v4 {
			types(dir, protoICMP, 8, 8)
			types(dir.Reverse(), protoICMP, 0, 0)
		} else {
			types(dir, protoICMP6, 128, 128)
			types(dir.Reverse(), protoICMP6, 129, 129)
		}
	case IP:
		g.whole = append(g.whole, tuple{mac, 0, b})
	case Ether:
		g.ethers = append(g.ethers, svc.Lo)
	}
}

// addGroup adds what is sent to a named group.
func (g *grants) addGroup(a Allow) {
	grp, _ := groupNamed(a.Name)
	for _, svc := range a.Services {
		for _, n := range singles(grp.Addrs) {
			g.add(To, svc, fact.MAC{}, n)
		}
		if grp.Broadcast {
			g.broadcast = append(g.broadcast, tuple{proto: protoUDP, box: boxOf(netip.PrefixFrom(broadcast4(), 32), svc.Lo, svc.Hi)})
		}
	}
	if a.Name == "ptp" { // the same over Ethernet (IEEE 1588 Annex F)
		g.ethers = append(g.ethers, etherPTP)
	}
}
