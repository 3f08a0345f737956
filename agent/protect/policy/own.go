package policy

import (
	"net/netip"
	"slices"
)

// owns reports whether a frame to a group that is addressed to a is really for
// the member. The inventory's addresses are what hosts said of themselves, so a
// host may have any: not one that is declared behind the uplink, and not what
// looks like a directed broadcast. (Of subnets smaller than 256 it may still be
// one: SAFETY.md.)
func (c *Compiled) owns(m *Member, a netip.Addr) bool {
	return m.Mode != Observe && slices.Contains(m.Addrs, a) && !c.behind[a] && !looksBroadcast(a)
}

// uplinked are the single addresses that peers behind the uplink have, or had
// when a pair was made. A server that moved to the ward since is not held to
// where it stood: else its own frames would be taken for an intruder's.
func (c *Compiled) uplinked() map[netip.Addr]bool {
	out, ward := map[netip.Addr]bool{}, map[netip.Addr]bool{}
	for i := range c.in.Policy.Peers {
		q := &c.in.Policy.Peers[i]
		if q.Device != "" {
			for _, a := range c.in.Policy.addrsOf(q, c.in.Placement) {
				ward[a] = true
			}
			continue
		}
		for _, n := range q.All() {
			if n.IsSingleIP() {
				out[n.Addr()] = true
			}
		}
	}
	for _, p := range c.Pairs {
		if !p.onWard() && !ward[p.Addr] {
			out[p.Addr] = true
		}
	}
	return out
}

func looksBroadcast(a netip.Addr) bool { return a.Is4() && a.As4()[3] == 255 }

// owners says for each address whose verdict a frame to a group has: of several
// members with the address the most sternly treated, as a host that is only
// looked at may borrow the address of one that is fenced in.
func (c *Compiled) owners() map[netip.Addr]*Member {
	out := map[netip.Addr]*Member{}
	for i := range c.in.Placement.Members {
		m := &c.in.Placement.Members[i]
		for _, a := range m.Addrs {
			if o := out[a]; (o == nil || m.Mode > o.Mode) && c.owns(m, a) {
				out[a] = m
			}
		}
	}
	return out
}
