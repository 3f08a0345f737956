package policy

import "github.com/wardkeeper/wardkeeper/platform"

// Matches, named as nft spells them. `meta protocol` and never `ether type`:
// the latter does not see through a VLAN tag.

func equals(f platform.Field, v string) platform.Match {
	return platform.Match{Fields: []platform.Field{f}, Op: platform.OpEq, Value: v}
}

func differs(f platform.Field, v string) platform.Match {
	return platform.Match{Fields: []platform.Field{f}, Op: platform.OpNeq, Value: v}
}

func oneOf(f platform.Field, v ...string) platform.Match {
	if len(v) == 1 {
		return equals(f, v[0])
	}
	return platform.Match{Fields: []platform.Field{f}, Op: platform.OpIn, Values: v}
}

func within(set string, f ...platform.Field) platform.Match {
	return platform.Match{Fields: f, Op: platform.OpIn, Set: set}
}

func outside(set string, f platform.Field) platform.Match {
	return platform.Match{Fields: []platform.Field{f}, Op: platform.OpNotIn, Set: set}
}

func protocol(types ...uint16) platform.Match {
	v := make([]string, len(types))
	for i, t := range types {
		v[i] = platform.Uint16Key(t)
	}
	return oneOf(platform.MetaProtocol, v...)
}

func l4(proto uint8) platform.Match { return equals(platform.MetaL4Proto, platform.ByteKey(proto)) }

func icmpTypes(f platform.Field, types ...uint8) platform.Match {
	v := make([]string, len(types))
	for i, t := range types {
		v[i] = platform.ByteKey(t)
	}
	return oneOf(f, v...)
}

// ports are both ports of a UDP packet.
func ports(from, to uint16) []platform.Match {
	return []platform.Match{l4(protoUDP), equals(platform.THSport, platform.Uint16Key(from)), equals(platform.THDport, platform.Uint16Key(to))}
}

func inFrom(port string) platform.Match { return equals(platform.MetaIIFName, platform.NameKey(port)) }
func outTo(port string) platform.Match  { return equals(platform.MetaOIFName, platform.NameKey(port)) }
func notFrom(port string) platform.Match {
	return differs(platform.MetaIIFName, platform.NameKey(port))
}
func notTo(port string) platform.Match { return differs(platform.MetaOIFName, platform.NameKey(port)) }

// toGroup matches frames whose destination has the group bit.
func toGroup() platform.Match {
	bit := string([]byte{1, 0, 0, 0, 0, 0})
	return platform.Match{Fields: []platform.Field{platform.EtherDaddr}, Op: platform.OpEq, Mask: bit, Value: bit}
}

func toBroadcast() platform.Match { return equals(platform.EtherDaddr, "\xff\xff\xff\xff\xff\xff") }

// laterFragment matches packets whose transport header is in an earlier one. A
// load of a port would read whatever the sender put there.
func laterFragment(v6 bool) platform.Match {
	if v6 { // RFC 8200 §4.5: 13 bits of offset, 2 reserved, M
		return platform.Match{Fields: []platform.Field{platform.IPv6FragOff}, Op: platform.OpNeq, Mask: "\xff\xf8", Value: "\x00\x00"}
	}
	return platform.Match{Fields: []platform.Field{platform.IPv4FragOff}, Op: platform.OpNeq, Mask: "\x1f\xff", Value: "\x00\x00"}
}

// sound matches packets whose IP header the kernel could follow to a protocol:
// loading the protocol fails otherwise. 255 is reserved (IANA).
func sound() platform.Match { return differs(platform.MetaL4Proto, platform.ByteKey(255)) }

// noOpening matches all TCP but a SYN without ACK: nothing can be opened with it.
func noOpening() platform.Match {
	return platform.Match{Fields: []platform.Field{platform.TCPFlags}, Op: platform.OpNeq, Mask: "\x12", Value: "\x02"}
}

// rule puts matches and a verdict together.
func rule(v platform.Verdict, comment string, matches ...platform.Match) platform.Rule {
	return platform.Rule{Matches: matches, Verdict: v, Comment: comment}
}

func accept() platform.Verdict           { return platform.Verdict{Kind: platform.Accept} }
func back() platform.Verdict             { return platform.Verdict{Kind: platform.Return} }
func jump(chain string) platform.Verdict { return platform.Verdict{Kind: platform.Jump, Chain: chain} }
func turn(chain string) platform.Verdict { return platform.Verdict{Kind: platform.Goto, Chain: chain} }

// refusal is what a verdict chain does: a bounded sample to the log, an exact
// count, and the end of the packet unless the mode only looks. In front of that
// end is the place of leases, then of grace.
func refusal(name, prefix string, m Mode) platform.Chain {
	v := back()
	if m == Enforce {
		v = platform.Verdict{Kind: platform.Drop}
	}
	return platform.Chain{Name: name, Rules: []platform.Rule{
		{Limit: &platform.Limit{PerSecond: logPerSecond, Burst: logBurst}, Log: &platform.Log{Group: LogGroup, Snaplen: logSnaplen, Prefix: prefix}},
		{Counter: true, Verdict: v},
	}}
}
