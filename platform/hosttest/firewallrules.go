package hosttest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

func testNoTable(b *bench) {
	if _, err := b.fw.Read(b.ctx, platform.FamilyBridge, tableName); !errors.Is(err, platform.ErrNoTable) {
		b.Errorf("read: %v, want %v", err, platform.ErrNoTable)
	}
	b.apply(platform.Step{DeleteTable: &struct{}{}}) // missing is no error
	b.apply(platform.Step{AddTable: &struct{}{}})
	b.apply(platform.Step{AddTable: &struct{}{}})
	if diff := cmp.Diff(platform.Table{Family: platform.FamilyBridge, Name: tableName}, b.read()); diff != "" {
		b.Errorf("want -, got +:\n%s", diff)
	}
	b.apply(platform.Step{DeleteTable: &struct{}{}})
	if _, err := b.fw.Read(b.ctx, platform.FamilyBridge, tableName); !errors.Is(err, platform.ErrNoTable) {
		b.Errorf("read after delete: %v, want %v", err, platform.ErrNoTable)
	}
}

// testRoundTrip loads every word of the vocabulary and reads it back.
func testRoundTrip(b *bench) {
	want := everything()
	b.load(want)
	if diff := cmp.Diff(want.Static(), b.read().Static()); diff != "" {
		b.Errorf("want -, got +:\n%s", diff)
	}
	// The same again is the same.
	b.load(want)
	if diff := cmp.Diff(want.Static(), b.read().Static()); diff != "" {
		b.Errorf("the second time: want -, got +:\n%s", diff)
	}
}

// everything is a table that uses the whole vocabulary.
func everything() platform.Table {
	mac, v4 := platform.MACKey(MAC(1)), "\x0a\x00\x00\x01"
	v6 := "\xfd" + string(make([]byte, 14)) + "\x01"
	t := table(nil,
		platform.Chain{Name: "early", Hook: &platform.Hook{Point: platform.HookPrerouting, Priority: -300}},
		platform.Chain{Name: "empty"}, platform.Chain{Name: "strict", Hook: &platform.Hook{Point: platform.HookForward, Priority: 10, Drop: true}},
		platform.Chain{Name: "rules", Rules: everyRule()})
	t.Sets = []platform.Set{
		{Name: "single", Key: []platform.KeyType{platform.KeyEtherAddr}, Comment: "devices", Counter: true, Timeout: true, Size: 10,
			Elements: []platform.Element{{Key: mac}, {Key: platform.MACKey(MAC(2)), Timeout: 3600_000}}},
		{Name: "types", Key: []platform.KeyType{platform.KeyIfType}, Timeout: true, Elements: []platform.Element{{Key: "\x00\x01", Timeout: 60_000}}},
		{Name: "ports", Key: []platform.KeyType{platform.KeyIfName}, Elements: []platform.Element{{Key: platform.NameKey(Ward1)}}},
		{Name: "protocols", Key: []platform.KeyType{platform.KeyEtherType}, Elements: []platform.Element{{Key: "\x88\xf7"}}},
		{Name: "tuple4", Key: []platform.KeyType{platform.KeyEtherAddr, platform.KeyIPv4, platform.KeyProto, platform.KeyService}, Counter: true,
			Elements: []platform.Element{{Key: mac + v4 + "\x06\x01\xbb"}, {Key: mac + v4 + "\x11\x00\x35"}}},
		{Name: "tuple6", Key: []platform.KeyType{platform.KeyIfName, platform.KeyIPv6, platform.KeyICMPType},
			Elements: []platform.Element{{Key: platform.NameKey(Uplink) + v6 + "\x80"}}},
		{Name: "boxes", Key: []platform.KeyType{platform.KeyIPv4, platform.KeyService}, Interval: true, Counter: true, Timeout: true,
			Elements: []platform.Element{
				{Key: "\x0a\x00\x00\x00\x00\x50", KeyEnd: "\x0a\xff\xff\xff\x00\x5a"},
				{Key: "\x0b\x00\x00\x00\x00\x50", KeyEnd: "\x0b\x00\x00\x00\x00\x60", Timeout: 3600_000},
				{Key: "\x0c\x00\x00\x01\x00\x50"},
			}},
		{Name: "ranges", Key: []platform.KeyType{platform.KeyService}, Interval: true, Elements: []platform.Element{
			{Key: "\x00\x00"}, {Key: "\x00\x10", KeyEnd: "\x00\x1f"}, {Key: "\x00\x20", KeyEnd: "\x00\x2f"}, {Key: "\x00\x35"},
			{Key: "\xff\x00", KeyEnd: "\xff\xff"},
		}},
		{Name: "verdicts", Key: []platform.KeyType{platform.KeyEtherAddr}, Map: true, Timeout: true, Counter: true, Elements: []platform.Element{
			{Key: mac, Verdict: jump("empty")},
			{Key: platform.MACKey(MAC(2)), Verdict: platform.Verdict{Kind: platform.Goto, Chain: "empty"}, Timeout: 60_000},
			{Key: platform.MACKey(MAC(3)), Verdict: platform.Verdict{Kind: platform.Accept}},
			{Key: platform.MACKey(MAC(4)), Verdict: platform.Verdict{Kind: platform.Drop}},
			{Key: platform.MACKey(MAC(5)), Verdict: platform.Verdict{Kind: platform.Return}},
		}},
	}
	return t
}

// everyRule uses each field with each operator it can have.
func everyRule() []platform.Rule {
	var rules []platform.Rule
	for f := platform.MetaProtocol; f.Len() > 0; f++ {
		var before []platform.Match
		switch f {
		case platform.ICMPv6Type:
			before = []platform.Match{proto(58)}
		case platform.ARPOp:
			before = []platform.Match{etherType(0x0806)}
		}
		zero, ones := string(make([]byte, f.Len())), ""
		for range f.Len() {
			ones += "\x0f"
		}
		fields := []platform.Field{f}
		for _, m := range []platform.Match{
			{Fields: fields, Op: platform.OpEq, Value: ones},
			{Fields: fields, Op: platform.OpNeq, Value: ones},
			{Fields: fields, Op: platform.OpNeq, Mask: ones, Value: zero},
			{Fields: fields, Op: platform.OpIn, Values: []string{zero, ones}},
			{Fields: fields, Op: platform.OpNotIn, Values: []string{ones}},
		} {
			rules = append(rules, platform.Rule{Matches: append(before[:len(before):len(before)], m)})
		}
	}
	tuple := []platform.Field{platform.EtherSaddr, platform.IPv4Daddr, platform.MetaL4Proto, platform.THDport}
	return append(rules,
		platform.Rule{Matches: []platform.Match{in("tuple4", tuple...)}, Counter: true, Verdict: platform.Verdict{Kind: platform.Return}},
		platform.Rule{Matches: []platform.Match{in("tuple6", platform.MetaOIFName, platform.IPv6Daddr, platform.ICMPType)}},
		platform.Rule{Matches: []platform.Match{{Fields: []platform.Field{platform.EtherSaddr}, Op: platform.OpNotIn, Set: "single"}}},
		platform.Rule{Matches: []platform.Match{in("types", platform.MetaIIFType), in("ports", platform.MetaIIFName)}},
		platform.Rule{Matches: []platform.Match{in("boxes", platform.IPv4Saddr, platform.THSport), in("ranges", platform.THSport)}},
		platform.Rule{
			Limit: &platform.Limit{PerSecond: 50, Burst: 100}, Log: &platform.Log{Group: 7, Snaplen: 128, Prefix: "wardkeeper d"},
			Counter: true, Verdict: platform.Verdict{Kind: platform.Drop}, Comment: "everything a rule can have",
		},
		platform.Rule{Log: &platform.Log{Group: 0}},
		platform.Rule{Matches: []platform.Match{etherType(0x0800)}, Counter: true, Comment: "a map", VMap: &platform.VMap{Fields: []platform.Field{platform.EtherSaddr}, Map: "verdicts"}},
		platform.Rule{Verdict: jump("empty")},
		platform.Rule{Verdict: platform.Verdict{Kind: platform.Goto, Chain: "empty"}},
		platform.Rule{Verdict: platform.Verdict{Kind: platform.Accept}},
		platform.Rule{},
	)
}

func testVerdicts(b *bench) {
	goTo := func(c string) platform.Verdict { return platform.Verdict{Kind: platform.Goto, Chain: c} }
	n := func(v byte) platform.Match { return eq(platform.EtherSaddr, platform.MACKey(MAC(v))) }
	b.load(table(
		[]platform.Rule{
			{Matches: []platform.Match{n(1)}, Verdict: jump("one")},
			{Matches: []platform.Match{n(2)}, Verdict: goTo("one")},
			drop(n(1)),
			accept(n(3)),
			drop(n(3)),
			drop(n(4)),
			{Matches: []platform.Match{n(5)}, Verdict: platform.Verdict{Kind: platform.Return}},
			drop(n(5)),
			drop(n(2)),
			{Matches: []platform.Match{n(6)}, Verdict: jump("two")},
		},
		platform.Chain{Name: "one", Rules: []platform.Rule{{Verdict: platform.Verdict{Kind: platform.Return}}, drop()}},
		platform.Chain{Name: "two", Rules: []platform.Rule{{Verdict: jump("one")}, drop()}},
	))
	from := func(n byte) []byte { return Ethernet(MAC(9), MAC(n), 0x88b5, make([]byte, 46)) }
	b.want(false, "jump, return, next rule", from(1))
	b.want(true, "goto, return, policy", from(2))
	b.want(true, "accept", from(3))
	b.want(false, "drop", from(4))
	b.want(true, "return of a base chain", from(5))
	b.want(false, "two jumps", from(6))
	b.want(true, "no rule", from(7))
}

func testHooks(b *bench) {
	t := table([]platform.Rule{accept()},
		platform.Chain{Name: "pre", Hook: &platform.Hook{Point: platform.HookPrerouting, Priority: -300}, Rules: []platform.Rule{
			drop(eq(platform.EtherSaddr, platform.MACKey(MAC(1)))),
		}},
		platform.Chain{Name: "late", Hook: &platform.Hook{Point: platform.HookForward, Priority: 100, Drop: true}, Rules: []platform.Rule{
			accept(eq(platform.EtherSaddr, platform.MACKey(MAC(3)))),
		}})
	from := func(n byte) []byte { return Ethernet(MAC(9), MAC(n), 0x88b5, make([]byte, 46)) }
	t.Chains[2].Hook.Drop = false
	b.load(t)
	b.want(false, "prerouting", from(1))
	b.want(true, "policy accept", from(2))
	t.Chains[2].Hook.Drop = true
	b.load(t)
	b.want(false, "an accept does not save from the next chain's policy", from(2))
	b.want(true, "accepted by both", from(3))
}

// testValues proves the plain matches and the ports of a rule.
func testValues(b *bench) {
	EvalTable(b.T, b.rig, table([]platform.Rule{
		drop(etherType(0x0800), proto(17), platform.Match{Fields: []platform.Field{platform.THDport}, Op: platform.OpIn, Values: []string{"\x00\x35", "\x00\x43"}}),
		drop(etherType(0x0800), proto(6), platform.Match{Fields: []platform.Field{platform.TCPFlags}, Op: platform.OpEq, Mask: "\x12", Value: "\x02"}),
		drop(etherType(0x0800), proto(1), eq(platform.ICMPType, "\x08")),
		drop(etherType(0x0806), eq(platform.ARPOp, "\x00\x02"), eq(platform.ARPSenderIP, "\x0a\x00\x00\x05")),
		drop(etherType(0x0806), eq(platform.ARPOp, "\x00\x01"), platform.Match{Fields: []platform.Field{platform.ARPSenderHW}, Op: platform.OpNeq, Value: platform.MACKey(MAC(1))}),
		drop(etherType(0x86dd), proto(58), eq(platform.ICMPv6Type, "\x88"), eq(platform.NDTarget, "\xfd"+string(make([]byte, 14))+"\x05")),
		drop(eq(platform.MetaPktType, "\x01"), etherType(0x88b5)),
		drop(eq(platform.MetaIIFName, platform.NameKey(Ward1)), eq(platform.MetaOIFName, platform.NameKey(Ward3)), etherType(0x88b6)),
		drop(eq(platform.MetaIIFType, "\x00\x02")),
		drop(eq(platform.MetaIIFType, "\x00\x01"), etherType(0x88b7)),
		drop(etherType(0x0800), proto(17), platform.Match{Fields: []platform.Field{platform.IPv4Saddr}, Op: platform.OpNotIn, Values: []string{"\x0a\x00\x00\x01"}}),
	}), valueRows())
}

func valueRows() []Row {
	ward := func(pass bool) map[string]bool { return map[string]bool{Ward2: pass, Ward3: pass, Uplink: pass} }
	ip := func(proto uint8, payload []byte) []byte {
		return Ethernet(MAC(2), MAC(1), 0x0800, IPv4("10.0.0.1", "10.0.0.2", proto, 0, payload))
	}
	arp := func(op uint16, hw [6]byte, sender string) []byte {
		return Ethernet(Broadcast(), MAC(1), 0x0806, ARP(op, hw, sender, MAC(0), "10.0.0.9"))
	}
	advert := func(target string) []byte {
		return Ethernet(MAC(2), MAC(1), 0x86dd, IPv6("fd00::1", "fd00::2", 58, ICMP(136, 0, IPv6(target, target, 0, nil)[8:24])))
	}
	return []Row{
		{"dns", Ward1, ip(17, UDP(1000, 53, nil)), ward(false)},
		{"dhcp", Ward1, ip(17, UDP(68, 67, nil)), ward(false)},
		{"other udp", Ward1, ip(17, UDP(53, 1000, nil)), ward(true)},
		{"udp port in tcp", Ward1, ip(6, TCP(1000, 53, ACK)), ward(true)},
		{"syn", Ward1, ip(6, TCP(1000, 443, SYN)), ward(false)},
		{"syn ack", Ward1, ip(6, TCP(443, 1000, SYN|ACK)), ward(true)},
		{"echo request", Ward1, ip(1, ICMP(8, 0, nil)), ward(false)},
		{"echo reply", Ward1, ip(1, ICMP(0, 0, nil)), ward(true)},
		{"arp answer for the address", Ward1, arp(2, MAC(1), "10.0.0.5"), ward(false)},
		{"arp answer for another", Ward1, arp(2, MAC(1), "10.0.0.6"), ward(true)},
		{"arp request", Ward1, arp(1, MAC(1), "10.0.0.5"), ward(true)},
		{"arp request with another's mac", Ward1, arp(1, MAC(8), "10.0.0.6"), ward(false)},
		{"advertisement of the address", Ward1, advert("fd00::5"), ward(false)},
		{"advertisement of another", Ward1, advert("fd00::6"), ward(true)},
		{"broadcast", Ward1, Ethernet(Broadcast(), MAC(1), 0x88b5, make([]byte, 46)), ward(false)},
		{"multicast", Ward1, Ethernet([6]byte{1, 0, 0x5e, 0, 0, 1}, MAC(1), 0x88b5, make([]byte, 46)), ward(true)},
		{"one way out of three", Ward1, Ethernet(MAC(2), MAC(1), 0x88b6, make([]byte, 46)), map[string]bool{Ward2: true, Ward3: false, Uplink: true}},
		{"other way in", Uplink, Ethernet(MAC(2), MAC(1), 0x88b6, make([]byte, 46)), map[string]bool{Ward1: true, Ward2: true, Ward3: true}},
		{"interface type", Ward1, Ethernet(MAC(2), MAC(1), 0x88b7, make([]byte, 46)), ward(false)},
		{"other source", Ward1, Ethernet(MAC(2), MAC(1), 0x0800, IPv4("10.0.0.3", "10.0.0.2", 17, 0, UDP(9, 9, nil))), ward(false)},
		{"lldp", Ward1, Ethernet([6]byte{1, 0x80, 0xc2, 0, 0, 0xe}, MAC(1), 0x88cc, make([]byte, 46)), ward(true)},
		{"eapol", Ward1, Ethernet([6]byte{1, 0x80, 0xc2, 0, 0, 3}, MAC(1), 0x888e, make([]byte, 46)), ward(true)},
	}
}

func testIntervals(b *bench) {
	t := table([]platform.Rule{
		accept(etherType(0x0800), proto(17), in("ranges", platform.THDport)),
		accept(etherType(0x0800), in("boxes", platform.EtherSaddr, platform.IPv4Daddr, platform.MetaL4Proto, platform.THDport)),
		drop(),
	})
	mac := platform.MACKey(MAC(1))
	t.Sets = []platform.Set{
		{Name: "ranges", Interval: true, Key: []platform.KeyType{platform.KeyService}, Elements: []platform.Element{
			{Key: "\x00\x00", KeyEnd: "\x00\x05"}, {Key: "\x00\x06"}, {Key: "\xff\xf0", KeyEnd: "\xff\xff"},
		}},
		{Name: "boxes", Interval: true, Counter: true,
			Key: []platform.KeyType{platform.KeyEtherAddr, platform.KeyIPv4, platform.KeyProto, platform.KeyService},
			Elements: []platform.Element{
				{Key: mac + "\x0a\x00\x00\x00\x11\x13\x88", KeyEnd: mac + "\x0a\x00\x00\xff\x11\x13\x89"},
				{Key: mac + "\x0a\x00\x01\x00\x11\x13\x88", KeyEnd: mac + "\x0a\x00\x01\x7f\x11\x13\x88"},
				{Key: mac + "\x0a\x00\x00\x07\x06\x01\xbb"},
			}},
	}
	frame := func(dst string, proto uint8, port uint16) []byte {
		payload := UDP(1, port, nil)
		if proto == 6 {
			payload = TCP(1, port, ACK)
		}
		return Ethernet(MAC(2), MAC(1), 0x0800, IPv4("10.0.0.1", dst, proto, 0, payload))
	}
	var rows []Row
	add := func(pass bool, dst string, proto uint8, port uint16) {
		rows = append(rows, Row{Name: dst, In: Ward1, Frame: frame(dst, proto, port), Want: map[string]bool{Ward2: pass}})
	}
	for _, port := range []uint16{0, 3, 5, 6, 0xfff0, 0xffff} {
		add(true, "192.168.0.1", 17, port)
		add(false, "192.168.0.1", 6, port)
	}
	add(false, "192.168.0.1", 17, 7)
	add(false, "192.168.0.1", 17, 0xffef)
	add(true, "10.0.0.0", 17, 5000)
	add(true, "10.0.0.255", 17, 5001)
	add(false, "10.0.0.255", 17, 5002)
	add(false, "10.0.0.9", 6, 5000)
	add(true, "10.0.1.127", 17, 5000)
	add(false, "10.0.1.128", 17, 5000)
	add(false, "10.0.1.0", 17, 5001)
	add(true, "10.0.0.7", 6, 443)
	add(false, "10.0.0.8", 6, 443)
	EvalTable(b.T, b.rig, t, rows)
	for _, e := range b.set("boxes").Elements {
		if e.Packets == 0 {
			b.Errorf("box %x: no packet counted", e.Key)
		}
	}
}

func testVLAN(b *bench) {
	tagged := func(frame []byte) []byte { return Tag(frame, 0x8100, 0x6007) }
	EvalTable(b.T, b.rig, table([]platform.Rule{
		drop(etherType(0x0800), proto(17), eq(platform.THDport, "\x00\x35"), eq(platform.IPv4Saddr, "\x0a\x00\x00\x01")),
		drop(etherType(0x88b5)),
		drop(etherType(0x8100), eq(platform.EtherDaddr, platform.MACKey(MAC(2)))),
		drop(etherType(0x0004)),
	}), []Row{
		{"tagged dns", Ward1, tagged(udp(1, 53)), map[string]bool{Ward2: false, Uplink: false}},
		{"tagged other", Ward1, tagged(udp(1, 54)), map[string]bool{Ward2: true, Uplink: true}},
		{"priority tag", Ward1, Tag(plain(1), 0x8100, 0xe000), map[string]bool{Ward2: false}},
		{"provider tag", Ward1, Tag(plain(1), 0x88a8, 5), map[string]bool{Ward2: false}},
		{"two tags", Ward1, Tag(tagged(udp(1, 54)), 0x88a8, 5), map[string]bool{Ward2: false}},
		{"llc", Ward1, Ethernet(MAC(2), MAC(1), 40, make([]byte, 46)), map[string]bool{Ward2: false}},
		{"tagged llc", Ward1, tagged(Ethernet(MAC(2), MAC(1), 40, make([]byte, 46))), map[string]bool{Ward2: false}},
	})
}

// testFragments pins down what stateless rules see of fragments, the good and
// the bad (trap 7): ports of a later fragment are bytes of its payload.
func testFragments(b *bench) {
	later := func(payload []byte) []byte {
		return Ethernet(MAC(2), MAC(1), 0x0800, IPv4("10.0.0.1", "10.0.0.2", 17, 185, payload))
	}
	first := Ethernet(MAC(2), MAC(1), 0x0800, IPv4("10.0.0.1", "10.0.0.2", 17, 0x2000, UDP(1, 53, make([]byte, 40))))
	later6 := Ethernet(MAC(2), MAC(1), 0x86dd, IPv6("fd00::1", "fd00::2", 44, Fragment(17, 8, UDP(1, 53, nil))))
	port := eq(platform.THDport, "\x00\x35")
	offset := platform.Match{Fields: []platform.Field{platform.IPv4FragOff}, Op: platform.OpNeq, Mask: "\x1f\xff", Value: "\x00\x00"}
	pass, stop := map[string]bool{Ward2: true}, map[string]bool{Ward2: false}
	b.Run("ports alone", func(t *testing.T) {
		EvalTable(t, b.rig, table([]platform.Rule{drop(etherType(0x0800), proto(17), port)}), []Row{
			{"first fragment", Ward1, first, stop},
			{"later fragment whose payload looks like the port", Ward1, later(UDP(1, 53, nil)), stop},
			{"later fragment", Ward1, later(make([]byte, 40)), pass},
		})
	})
	b.Run("fragments first", func(t *testing.T) {
		EvalTable(t, b.rig, table([]platform.Rule{
			accept(etherType(0x0800), offset, platform.Match{Fields: []platform.Field{platform.MetaL4Proto}, Op: platform.OpNeq, Value: "\xff"}),
			drop(etherType(0x0800), proto(17), port),
		}), []Row{
			{"first fragment", Ward1, first, stop},
			{"later fragment whose payload looks like the port", Ward1, later(UDP(1, 53, nil)), pass},
		})
	})
	b.Run("ipv6", func(t *testing.T) {
		masked := platform.Match{Fields: []platform.Field{platform.IPv6FragOff}, Op: platform.OpNeq, Mask: "\xff\xf8", Value: "\x00\x00"}
		EvalTable(t, b.rig, table([]platform.Rule{drop(masked)}), []Row{
			{"later fragment", Ward1, later6, stop},
			{"later fragment behind options", Ward1, Ethernet(MAC(2), MAC(1), 0x86dd, IPv6("fd00::1", "fd00::2", 0, Options(44, Fragment(17, 8, UDP(1, 53, nil))))), stop},
			{"first fragment", Ward1, Ethernet(MAC(2), MAC(1), 0x86dd, IPv6("fd00::1", "fd00::2", 44, Fragment(17, 1, UDP(1, 53, nil)))), pass},
			{"no fragment", Ward1, Ethernet(MAC(2), MAC(1), 0x86dd, IPv6("fd00::1", "fd00::2", 17, UDP(1, 53, nil))), pass},
		})
		// 16 bytes of a transport header are not there in a later fragment.
		EvalTable(t, b.rig, table([]platform.Rule{
			drop(proto(58), platform.Match{Fields: []platform.Field{platform.NDTarget}, Op: platform.OpNeq, Value: string(make([]byte, 16))}),
		}), []Row{
			{"later fragment", Ward1, Ethernet(MAC(2), MAC(1), 0x86dd, IPv6("fd00::1", "fd00::2", 44, Fragment(58, 8, IPv6("fd00::1", "fd00::2", 0, nil)))), pass},
			{"whole", Ward1, Ethernet(MAC(2), MAC(1), 0x86dd, IPv6("fd00::1", "fd00::2", 58, IPv6("fd00::1", "fd00::2", 0, nil))), stop},
		})
	})
}

func testIPv6(b *bench) {
	ip := func(next uint8, payload []byte) []byte {
		return Ethernet(MAC(2), MAC(1), 0x86dd, IPv6("fd00::1", "fd00::2", next, payload))
	}
	dns := UDP(1, 53, nil)
	pass, stop := map[string]bool{Ward2: true}, map[string]bool{Ward2: false}
	EvalTable(b.T, b.rig, table([]platform.Rule{
		drop(etherType(0x86dd), proto(17), eq(platform.THDport, "\x00\x35"), eq(platform.IPv6Saddr, "\xfd"+string(make([]byte, 14))+"\x01")),
		drop(etherType(0x86dd), proto(51)),
	}), []Row{
		{"plain", Ward1, ip(17, dns), stop},
		{"other port", Ward1, ip(17, UDP(1, 54, nil)), pass},
		{"hop-by-hop", Ward1, ip(0, Options(17, dns)), stop},
		{"destination options", Ward1, ip(60, Options(17, dns)), stop},
		{"routing", Ward1, ip(43, append([]byte{17, 0, 0, 0, 0, 0, 0, 0}, dns...)), stop},
		{"three headers", Ward1, ip(0, Options(60, Options(44, Fragment(17, 1, dns)))), stop},
		{"hop-by-hop before tcp", Ward1, ip(0, Options(6, TCP(1, 53, SYN))), pass},
		{"authentication header ends the walk", Ward1, ip(51, append([]byte{17, 4, 0, 0}, make([]byte, 40)...)), stop},
		{"cut short", Ward1, ip(60, []byte{17}), pass},
	})
}
