package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Packet is the tuple of a packet on its way from one port to another.
type Packet struct {
	In, Out        string // ports
	SrcMAC, DstMAC fact.MAC
	EtherType      uint16     // inside a VLAN tag; of a second tag its own
	Src, Dst       netip.Addr // of IP; of ARP, its sender and target
	Proto          uint8
	// SrcPort and DstPort of TCP and UDP; SrcPort is the type of ICMP.
	SrcPort, DstPort uint16
	Opens            bool       // TCP: SYN without ACK
	LaterFragment    bool       // no ports
	NDTarget         netip.Addr // of a neighbour advertisement
}

// Explanation says what becomes of a packet, and why.
type Explanation struct {
	// Verdict is "pass", "would-deny" or "deny".
	Verdict string
	Why     []string // what decided, one line for each side that was asked
}

// Verdicts of an Explanation.
const (
	Pass      = "pass"
	WouldDeny = "would-deny"
	Deny      = "deny"
)

// Explain judges a packet by the policy itself, in the order of the base chain.
// It reads neither rules nor sets, so that the two can be checked against each
// other. Break-glass is not known here.
func (c *Compiled) Explain(p Packet) Explanation {
	up := c.in.Uplink
	e := Explanation{Verdict: Pass}
	worsen := func(m Mode, why string) {
		e.Why = append(e.Why, why)
		switch {
		case m == Enforce:
			e.Verdict = Deny
		case e.Verdict == Pass:
			e.Verdict = WouldDeny
		}
	}
	if p.In != up {
		for _, a := range p.claimed() {
			if slices.Contains(c.claims.drop, a) {
				worsen(Enforce, fmt.Sprintf("claimed address: %s lies behind the uplink", a))
				return e
			}
			if slices.Contains(c.claims.stage, a) {
				worsen(Stage, fmt.Sprintf("claimed address: %s lies behind the uplink", a))
				break
			}
		}
	}
	if m := c.in.sternest(); m != Observe && p.In != up && p.Out != up && slices.Contains(tags(), p.EtherType) {
		worsen(m, "claimed address: none can be read behind two VLAN tags")
		if m == Enforce {
			return e
		}
	}
	if why, ok := c.exempt(p); ok {
		e.Why = append(e.Why, why)
		return e
	}
	if why, ok := c.quarantine(p); why != "" {
		if !ok {
			worsen(Enforce, why)
			return e
		}
		e.Why = append(e.Why, why)
	}
	if m := c.ownAddress(p); m != nil {
		worsen(m.Mode, fmt.Sprintf("segment %s: unicast to %s in a group frame", m.Segment, p.Dst))
		if e.Verdict == Deny {
			return e
		}
	}
	for _, d := range []Direction{To, From} {
		self, port := p.SrcMAC, p.In
		if d == From {
			self, port = p.DstMAC, p.Out
		}
		m := c.member(func(m *Member) bool { return m.MAC == self && m.Mode != Observe })
		if m == nil || port == up {
			continue
		}
		if why, ok := c.allowed(m, d, p); ok {
			e.Why = append(e.Why, fmt.Sprintf("segment %s: %s", m.Segment, why))
			continue
		}
		worsen(m.Mode, fmt.Sprintf("segment %s: no entry allows it to %s %s", m.Segment, way(d), m.Device))
		if e.Verdict == Deny {
			return e
		}
	}
	if len(e.Why) == 0 {
		e.Why = []string{"neither side is under a segment"}
	}
	return e
}

// claimed are the addresses that the sender says are its own.
func (p *Packet) claimed() []netip.Addr {
	var out []netip.Addr
	if p.EtherType == etherIPv4 || p.EtherType == etherARP || p.EtherType == etherIPv6 {
		out = append(out, p.Src)
	}
	if p.NDTarget.IsValid() {
		out = append(out, p.NDTarget)
	}
	return out
}

func (p *Packet) isIP() bool { return p.EtherType == etherIPv4 || p.EtherType == etherIPv6 }

// exempt judges the pairs, and what exempt devices have besides.
func (c *Compiled) exempt(p Packet) (string, bool) {
	up := c.in.Uplink
	known := false
	for _, x := range c.Pairs {
		if c.interlocked(x.MAC) {
			continue
		}
		from, to := x.MAC == p.SrcMAC, x.MAC == p.DstMAC
		known = known || from || to
		if !p.isIP() {
			continue
		}
		switch {
		case from && x.Addr == p.Dst && (x.onWard() && x.PeerMAC == p.DstMAC || !x.onWard() && p.Out == up),
			to && x.Addr == p.Src && (x.onWard() && x.PeerMAC == p.SrcMAC || !x.onWard() && p.In == up):
			return fmt.Sprintf("exempt pair of %s and %s", x.Device, x.Peer), true
		}
	}
	if !known {
		return "", false
	}
	switch {
	case p.EtherType == etherARP || p.EtherType == etherEAPOL || p.EtherType == etherLLDP:
		return "exempt device: housekeeping", true
	case p.LaterFragment || !p.isIP():
		return "", false
	case p.Out == up && p.caring(To), p.In == up && p.caring(From):
		return "exempt device: housekeeping", true
	}
	m := c.member(func(m *Member) bool { return m.MAC == p.SrcMAC })
	if m == nil || !c.exemptDevice(p.SrcMAC) || c.interlocked(p.SrcMAC) {
		return "", false
	}
	for _, s := range c.in.Policy.segmentsOf(m) {
		for _, a := range s.Allow {
			if a.Kind == GroupTarget && p.toGroupOf(a) {
				return "exempt device: group " + a.Name, true
			}
		}
	}
	return "", false
}

func (c *Compiled) exemptDevice(m fact.MAC) bool {
	return slices.ContainsFunc(c.Pairs, func(x Pair) bool { return x.MAC == m })
}

// ownAddress is the member whose address a frame to a group is really for.
func (c *Compiled) ownAddress(p Packet) *Member {
	if p.In == c.in.Uplink || !p.DstMAC.Group() || !p.isIP() {
		return nil
	}
	var out *Member
	for i := range c.in.Placement.Members {
		if m := &c.in.Placement.Members[i]; c.owns(m, p.Dst) && (out == nil || m.Mode > out.Mode) {
			out = m
		}
	}
	return out
}

// caring is the IP housekeeping between a device and the hospital.
func (p *Packet) caring(d Direction) bool {
	v6 := p.EtherType == etherIPv6
	client, server, icmp, types := uint16(68), uint16(67), uint8(protoICMP), icmpErrors()
	if v6 {
		client, server, icmp, types = 546, 547, protoICMP6, careLeaving6()
	}
	if d == From {
		client, server = server, client
		if v6 {
			types = careReaching6()
		}
	}
	return p.Proto == protoUDP && p.SrcPort == client && p.DstPort == server ||
		p.Proto == icmp && p.SrcPort < 256 && slices.Contains(types, uint8(p.SrcPort)) ||
		p.Proto == protoIGMP && !v6 && d == To
}

// toGroupOf reports whether an entry for a named group covers the packet.
func (p *Packet) toGroupOf(a Allow) bool {
	g, _ := groupNamed(a.Name)
	if !p.DstMAC.Group() || p.Proto != protoUDP {
		return false
	}
	if !slices.Contains(g.Addrs, p.Dst) && !(g.Broadcast && p.EtherType == etherIPv4 && p.DstMAC == fact.MAC{255, 255, 255, 255, 255, 255}) {
		return false
	}
	return slices.ContainsFunc(a.Services, func(s Service) bool { return s.Lo <= p.DstPort && p.DstPort <= s.Hi })
}

// String is the verdict and its reasons on one line.
func (e Explanation) String() string { return e.Verdict + ": " + strings.Join(e.Why, "; ") }
