package policy

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// allowed judges one side: what leaves (To) or reaches (From) the member.
func (c *Compiled) allowed(m *Member, d Direction, p Packet) (string, bool) {
	switch {
	case p.EtherType == etherARP || p.EtherType == etherEAPOL || p.EtherType == etherLLDP:
		return "housekeeping", true
	case p.isIP() && !p.LaterFragment && p.caring(d) && (d == To || p.In == c.in.Uplink):
		return "housekeeping", true
	}
	s := c.in.Policy.Segment(m.Segment)
	if s == nil {
		return "", false
	}
	other, addr := p.DstMAC, p.Dst
	if d == From {
		other, addr = p.SrcMAC, p.Src
	}
	for _, a := range s.Allow {
		if why, ok := c.entry(m, a, d, p, other, addr); ok {
			return why, true
		}
	}
	return "", false
}

// entry judges one allow entry: the other side, then the services.
func (c *Compiled) entry(m *Member, a Allow, d Direction, p Packet, other fact.MAC, addr netip.Addr) (string, bool) {
	name := fmt.Sprintf("%s = %s", a.Dir, a.Name)
	ether := slices.ContainsFunc(a.Services, func(s Service) bool { return s.Proto == Ether && s.Lo == p.EtherType })
	if ether || a.Name == "ptp" && p.EtherType == etherPTP {
		return name, true
	}
	if !p.isIP() {
		return "", false
	}
	if a.Kind == GroupTarget {
		g, _ := groupNamed(a.Name)
		switch {
		case p.LaterFragment:
			return name, slices.Contains(g.Addrs, addr)
		case d == To && slices.Contains(g.Addrs, addr) && p.Proto == protoUDP: // whatever MAC it was sent to
			return name, slices.ContainsFunc(a.Services, func(s Service) bool { return s.Lo <= p.DstPort && p.DstPort <= s.Hi })
		case d == To:
			return name, p.toGroupOf(a)
		}
		return name, slices.Contains(g.Addrs, addr) && p.Proto == protoUDP &&
			slices.ContainsFunc(a.Services, func(s Service) bool { return s.Lo <= p.SrcPort && p.SrcPort <= s.Hi })
	}
	at, near := false, false
	wide := a.Kind == AnyTarget || a.Kind == InternalTarget
	for _, o := range c.in.sides(a) {
		ward := o.mac != fact.MAC{}
		if ward && (o.mac != other || o.mac == m.MAC) {
			continue
		}
		near = near || ward && len(o.nets) > 0
		for _, n := range o.nets {
			at = at || n.Contains(addr)
			wide = wide || !ward && !n.IsSingleIP()
		}
	}
	v6 := p.EtherType == etherIPv6
	switch {
	case p.LaterFragment:
		return name, at
	case v6 && d == From && p.Proto == protoICMP6 && (p.SrcPort == 135 || p.SrcPort == 136):
		return name + ": neighbour discovery", near || wide
	case !at:
		return "", false
	case d == From && c.peerError(a, p):
		return name + ": ICMP error", true
	}
	for _, s := range a.Services {
		if s.covers(p, a.Dir == d) {
			return name + " " + s.String(), true
		}
	}
	return "", false
}

// peerError: errors of hosts that may be on this ward, as the peers of an entry.
func (c *Compiled) peerError(a Allow, p Packet) bool {
	if p.EtherType == etherIPv4 && (p.Proto != protoICMP || !slices.Contains(icmpErrors(), uint8(p.SrcPort))) {
		return false
	}
	if p.EtherType == etherIPv6 && (p.Proto != protoICMP6 || p.SrcPort < 1 || p.SrcPort > 4) {
		return false
	}
	for _, o := range c.in.sides(a) {
		if o.mac != (fact.MAC{}) && o.mac == p.SrcMAC {
			return true
		}
		for _, n := range o.nets {
			if o.mac == (fact.MAC{}) && !n.IsSingleIP() && n.Contains(p.Src) {
				return true
			}
		}
	}
	return false
}

// covers reports whether a packet is one of the service: asking goes the way of
// the entry, an answer the other way.
func (s Service) covers(p Packet, asking bool) bool {
	v6 := p.EtherType == etherIPv6
	port := p.SrcPort
	if asking {
		port = p.DstPort
	}
	in := func(n uint16) bool { return s.Lo <= n && n <= s.Hi }
	switch s.Proto {
	case TCP:
		return p.Proto == protoTCP && in(port) && (asking || !p.Opens)
	case UDP:
		return p.Proto == protoUDP && in(port)
	case ICMP:
		return !v6 && p.Proto == protoICMP && in(p.SrcPort) && (asking || s.Lo != s.Hi)
	case ICMP6:
		return v6 && p.Proto == protoICMP6 && in(p.SrcPort) && (asking || s.Lo != s.Hi)
	case Echo:
		kind := map[[2]bool]uint16{{false, true}: 8, {false, false}: 0, {true, true}: 128, {true, false}: 129}[[2]bool{v6, asking}]
		icmp := uint8(protoICMP)
		if v6 {
			icmp = protoICMP6
		}
		return p.Proto == icmp && p.SrcPort == kind
	case IP:
		return in(uint16(p.Proto))
	}
	return false
}
