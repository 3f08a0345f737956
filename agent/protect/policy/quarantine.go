package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Quarantine cuts a device to what shows that it is there: ARP and DHCP with the
// uplink, and 802.1X. The kernel ends it, whether the agent lives or not.
type Quarantine struct {
	Device device.ID
	MAC    fact.MAC
	Owner  string // who said so
	Reason string
	// Interlock: its exempt pairs are out as well, for as long. Without it they
	// stand in front of the quarantine, and pass.
	Interlock bool
	Left      time.Duration // from now on
}

// Sets of quarantine: their elements have timeouts, and are ours alone.
const (
	setQuarantined = "quarantined"
	setInterlocked = "interlocked" // a subset: asked before a pair passes
)

// Log prefixes of quarantine.
const (
	prefixQuarantineLeave = "wk quarantine leave -"
	prefixQuarantineReach = "wk quarantine reach -"
)

// quarantineSlack is how far the kernel's end of a quarantine may lie from the
// one that is wanted.
const quarantineSlack = 5 * time.Second

// Quarantined is the same policy with another list of quarantines.
func (c *Compiled) Quarantined(list []Quarantine) *Compiled {
	out := *c
	out.in.Quarantine = list
	return &out
}

// quarantineSets are the sets with an element for each quarantine.
func quarantineSets(list []Quarantine) []platform.Set {
	all := platform.Set{Name: setQuarantined, Key: []platform.KeyType{platform.KeyEtherAddr}, Timeout: true}
	inter := all
	inter.Name = setInterlocked
	for _, q := range list {
		e := platform.Element{Key: platform.MACKey(q.MAC), Timeout: timeout(q.Left)}
		all.Elements = append(all.Elements, e)
		if q.Interlock {
			inter.Elements = append(inter.Elements, e)
		}
	}
	return []platform.Set{all, inter}
}

// QuarantineChange puts one quarantine into the kernel, in place of another of
// the same device.
func QuarantineChange(q Quarantine) platform.Change {
	c := ReleaseChange(q.MAC)
	for _, s := range quarantineSets([]Quarantine{q}) {
		if len(s.Elements) > 0 {
			c.Steps = append(c.Steps, platform.Step{RenewElements: &platform.SetElements{Set: s.Name, Elements: s.Elements}})
		}
	}
	return c
}

// ReleaseChange takes a device out of quarantine, and is no error where it is
// in none.
func ReleaseChange(mac fact.MAC) platform.Change {
	c := platform.Change{Family: platform.FamilyBridge, Table: TableName}
	for _, s := range quarantineSets([]Quarantine{{MAC: mac, Interlock: true}}) {
		e := &platform.SetElements{Set: s.Name, Elements: s.Elements}
		c.Steps = append(c.Steps, platform.Step{AddElements: e}, platform.Step{DeleteElements: e})
	}
	return c
}

// QuarantinesIn are the quarantines of a table that was read back: what the
// kernel knows of them.
func QuarantinesIn(t platform.Table) []Quarantine {
	left := map[string]map[fact.MAC]time.Duration{setQuarantined: {}, setInterlocked: {}}
	for _, s := range t.Sets {
		if list := left[s.Name]; list != nil && s.Timeout && len(s.Key) == 1 && s.Key[0] == platform.KeyEtherAddr {
			for _, e := range s.Elements {
				list[fact.MAC([]byte(e.Key))] = time.Duration(e.Expires) * time.Millisecond
			}
		}
	}
	var out []Quarantine
	for mac, d := range left[setQuarantined] {
		_, inter := left[setInterlocked][mac]
		out = append(out, Quarantine{Device: device.IDOf(mac), MAC: mac, Interlock: inter, Left: d})
	}
	slices.SortFunc(out, func(a, b Quarantine) int { return cmp.Compare(a.Device, b.Device) })
	return out
}

// KnowsQuarantine reports whether a table that was read back has the sets of
// quarantine: then it is known who is in none.
func KnowsQuarantine(t platform.Table) bool {
	n := 0
	for _, want := range quarantineSets(nil) {
		for _, s := range t.Sets {
			if s.Name == want.Name && sameKind(s, want) {
				n++
			}
		}
	}
	return n == 2
}

// timed compares a set of quarantines. What is gone opens, what is new closes.
func (d *Delta) timed(have, want platform.Set) {
	old := map[string]platform.Element{}
	for _, e := range have.Elements {
		old[e.Key] = e
	}
	var renew, gone []platform.Element
	for _, e := range want.Elements {
		o, ok := old[e.Key]
		delete(old, e.Key)
		if off := time.Duration(o.Expires-e.Timeout) * time.Millisecond; !ok || o.Timeout == 0 || off.Abs() > quarantineSlack {
			renew = append(renew, e)
		}
	}
	for _, e := range have.Elements {
		if o, left := old[e.Key]; left {
			gone = append(gone, platform.Element{Key: o.Key, Timeout: leastTimeout})
		}
	}
	d.Elements += len(renew) + len(gone)
	if len(gone) > 0 { // one that has expired meanwhile must not abort the transaction, nor live again
		e := &platform.SetElements{Set: want.Name, Elements: gone}
		d.Open = append(d.Open, platform.Step{AddElements: e}, platform.Step{DeleteElements: e})
	}
	if len(renew) > 0 {
		d.Close = append(d.Close, platform.Step{RenewElements: &platform.SetElements{Set: want.Name, Elements: renew}})
	}
}

// quarantineChains are place 4 of the base chain. What a quarantined device may
// do returns to the places behind: quarantine only narrows. By port as well: the
// MAC of a router, borrowed on the ward, must not cut off the router.
func quarantineChains(up string) []platform.Chain {
	side := func(name, refuse string, self platform.Field, there platform.Match, from, to uint16) platform.Chain {
		nd := []platform.Match{protocol(etherIPv6), l4(protoICMP6), icmpTypes(platform.ICMPv6Type, 135, 136)}
		return platform.Chain{Name: name, Rules: []platform.Rule{
			rule(back(), "housekeeping", there, protocol(etherARP, etherEAPOL)),
			rule(turn(refuse), "no ports to read", protocol(etherIPv4), laterFragment(false)),
			rule(turn(refuse), "no ports to read", protocol(etherIPv6), laterFragment(true)),
			rule(back(), "DHCP", append([]platform.Match{there, protocol(etherIPv4)}, ports(from, to)...)...),
			rule(back(), "ND: an exempt pair needs it", append(nd, within("exempt_peer", self))...),
			rule(turn(refuse), ""),
		}}
	}
	const leave, reach, dropLeave, dropReach = "quarantine_leave", "quarantine_reach", "quarantine_drop_leave", "quarantine_drop_reach"
	return []platform.Chain{
		{Name: ChainQuarantine, Rules: []platform.Rule{
			rule(jump(leave), "", notFrom(up), within(setQuarantined, platform.EtherSaddr)),
			rule(jump(reach), "", notTo(up), within(setQuarantined, platform.EtherDaddr)),
		}},
		side(leave, dropLeave, platform.EtherSaddr, outTo(up), 68, 67),
		side(reach, dropReach, platform.EtherDaddr, inFrom(up), 67, 68),
		refusal(dropLeave, prefixQuarantineLeave, Enforce),
		refusal(dropReach, prefixQuarantineReach, Enforce),
	}
}

// interlocked reports whether the pairs of the device are out.
func (c *Compiled) interlocked(mac fact.MAC) bool {
	return slices.ContainsFunc(c.in.Quarantine, func(q Quarantine) bool { return q.Interlock && q.MAC == mac })
}

// quarantine judges the packet by the quarantines: why is "" if it meets none.
func (c *Compiled) quarantine(p Packet) (why string, passes bool) {
	passes = true
	for _, d := range []Direction{To, From} {
		self, port, other := p.SrcMAC, p.In, p.Out
		if d == From {
			self, port, other = p.DstMAC, p.Out, p.In
		}
		i := slices.IndexFunc(c.in.Quarantine, func(q Quarantine) bool { return q.MAC == self })
		if i < 0 || port == c.in.Uplink {
			continue
		}
		q := c.in.Quarantine[i]
		if !c.inQuarantine(p, d, self, other) {
			return fmt.Sprintf("quarantine: %s, by %s: %s", q.Device, q.Owner, q.Reason), false
		}
		why = fmt.Sprintf("quarantine: %s may do this", q.Device)
	}
	return why, passes
}

// inQuarantine is what a quarantined device may do; other is the port at the
// other side.
func (c *Compiled) inQuarantine(p Packet, d Direction, self fact.MAC, other string) bool {
	from, to := uint16(68), uint16(67)
	if d == From {
		from, to = to, from
	}
	switch {
	case p.EtherType == etherARP || p.EtherType == etherEAPOL:
		return other == c.in.Uplink
	case p.LaterFragment:
		return false
	case p.EtherType == etherIPv4:
		return other == c.in.Uplink && p.Proto == protoUDP && p.SrcPort == from && p.DstPort == to
	case p.EtherType == etherIPv6:
		return p.Proto == protoICMP6 && (p.SrcPort == 135 || p.SrcPort == 136) && c.exemptPeer(self)
	}
	return false
}

// exemptPeer reports whether a device of the ward is the peer of an exempt pair.
func (c *Compiled) exemptPeer(mac fact.MAC) bool {
	return slices.ContainsFunc(c.Pairs, func(x Pair) bool { return x.onWard() && x.PeerMAC == mac })
}
