package policy

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// family is one of the two IP versions, with all that differs in the rules.
type family struct {
	v6           bool
	name         string
	ether        uint16
	key          platform.KeyType
	saddr, daddr platform.Field
	icmp         uint8
	icmpType     platform.Field
}

func families() [2]family {
	return [2]family{
		{false, "4", etherIPv4, platform.KeyIPv4, platform.IPv4Saddr, platform.IPv4Daddr, protoICMP, platform.ICMPType},
		{true, "6", etherIPv6, platform.KeyIPv6, platform.IPv6Saddr, platform.IPv6Daddr, protoICMP6, platform.ICMPv6Type},
	}
}

// what a shelf's elements say.
type what uint8

const (
	askedWhat what = iota + 1 // a TCP or UDP service
	icmpWhat                  // an ICMP type
	wholeWhat                 // an IP protocol
	pairWhat                  // that anything at all passes: decides later fragments
)

// shelf is one set of a generation: elements of one kind and shape. Exact tuples
// are in hash sets, whose cost does not grow; networks and ranges are in small
// interval sets of disjoint boxes.
type shelf struct {
	what   what
	dir    Direction // who asks, or how an ICMP type travels; 0: both ways
	v6     bool
	near   bool // with hosts of this ward, by MAC and address
	ranged bool
}

func (s shelf) name() string {
	n := [...]string{askedWhat: s.dir.String(), icmpWhat: "icmp_" + s.dir.String(), wholeWhat: "proto", pairWhat: "pair"}[s.what]
	n += families()[b2i(s.v6)].name
	if s.near {
		n += "_ward"
	}
	if s.ranged {
		n += "_net"
	}
	return n
}

func (s shelf) set(n uint64) platform.Set {
	key := []platform.KeyType{platform.KeyEtherAddr}
	if s.near {
		key = append(key, platform.KeyEtherAddr)
	}
	key = append(key, families()[b2i(s.v6)].key)
	switch s.what {
	case askedWhat:
		key = append(key, platform.KeyProto, platform.KeyService)
	case icmpWhat:
		key = append(key, platform.KeyICMPType)
	case wholeWhat:
		key = append(key, platform.KeyProto)
	}
	return platform.Set{Name: gen(s.name(), n), Key: key, Interval: s.ranged}
}

// fields are what a rule looks up in the shelf's set: port is THSport or THDport.
func (s shelf) fields(leaving bool, port platform.Field) []platform.Field {
	self, other, addr := platform.EtherDaddr, platform.EtherSaddr, families()[b2i(s.v6)].saddr
	if leaving {
		self, other, addr = other, self, families()[b2i(s.v6)].daddr
	}
	f := []platform.Field{self}
	if s.near {
		f = append(f, other)
	}
	f = append(f, addr)
	switch s.what {
	case askedWhat:
		f = append(f, platform.MetaL4Proto, port)
	case icmpWhat:
		f = append(f, families()[b2i(s.v6)].icmpType)
	case wholeWhat:
		f = append(f, platform.MetaL4Proto)
	}
	return f
}

// content is an element without the device's own MAC in front; mac is the other
// side's, zero if it is not of this ward.
type content struct {
	mac      fact.MAC
	key, end string
}

// of completes the element for one device.
func (c content) of(device string) platform.Element {
	e := platform.Element{Key: device + c.key}
	if c.end != c.key {
		e.KeyEnd = device + c.end
	}
	return e
}

// shelves sorts grants into sets.
func (g *grants) shelves() map[shelf][]content {
	out := map[shelf][]content{}
	var pairs []tuple
	put := func(s shelf, list []tuple, key func(tuple, netip.Addr, uint16) string) {
		if s.what != pairWhat {
			pairs = append(pairs, list...)
		}
		for _, v6 := range []bool{false, true} {
			for _, near := range []bool{false, true} {
				for _, ranged := range []bool{false, true} {
					s.v6, s.near, s.ranged = v6, near, ranged
					cut := points
					if ranged {
						cut = disjoint
					}
					els := boxElements(list, cut, func(t tuple) bool {
						return t.from.Is6() == v6 && t.near() == near && (s.what == wholeWhat || !t.single()) == ranged
					}, key)
					if len(els) > 0 {
						out[s] = els
					}
				}
			}
		}
	}
	for _, d := range []Direction{To, From} {
		put(shelf{what: askedWhat, dir: d}, g.asked[d], askKey)
		put(shelf{what: icmpWhat, dir: d}, g.icmp[d], numberKey)
	}
	put(shelf{what: wholeWhat}, g.whole, numberKey)
	for i := range pairs {
		pairs[i].lo, pairs[i].hi, pairs[i].proto = 0, 0, 0
	}
	put(shelf{what: pairWhat}, pairs, addrKey)
	return out
}

// boxElements makes the tuples that want takes into elements, in order, no point
// twice: cut is disjoint, or points for sets that take no ranges.
func boxElements(list []tuple, cut func([]box) []box, want func(tuple) bool, key func(tuple, netip.Addr, uint16) string) []content {
	type lane struct {
		mac   fact.MAC
		proto uint8
	}
	boxes := map[lane][]box{}
	for _, t := range list {
		if want(t) {
			l := lane{t.mac, t.proto}
			boxes[l] = append(boxes[l], t.box)
		}
	}
	var out []content
	for l, in := range boxes {
		t := tuple{mac: l.mac, proto: l.proto}
		for _, b := range cut(in) {
			out = append(out, content{l.mac, key(t, b.from, b.lo), key(t, b.to, b.hi)})
		}
	}
	slices.SortFunc(out, func(a, b content) int { return cmp.Compare(a.key, b.key) })
	return out
}

func always(tuple) bool { return true }

// macKey is the other side's MAC where it is of this ward.
func (t tuple) macKey() string {
	if t.near() {
		return platform.MACKey(t.mac)
	}
	return ""
}

func askKey(t tuple, a netip.Addr, n uint16) string {
	return t.macKey() + platform.AddrKey(a) + platform.ByteKey(t.proto) + platform.Uint16Key(n)
}

func numberKey(t tuple, a netip.Addr, n uint16) string {
	return t.macKey() + platform.AddrKey(a) + platform.ByteKey(uint8(n))
}

func addrKey(t tuple, a netip.Addr, _ uint16) string { return t.macKey() + platform.AddrKey(a) }

func castKey(t tuple, _ netip.Addr, n uint16) string {
	return platform.ByteKey(t.proto) + platform.Uint16Key(n)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
