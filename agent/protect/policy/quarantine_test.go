package policy

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	ultrasoundLocal = "fe80::13"
	ultrasoundIP6   = "fd00:20:7::13"
)

// cut is a quarantine of an hour.
func cut(m string, interlock bool) Quarantine {
	return Quarantine{Device: device.IDOf(mac(m)), MAC: mac(m), Owner: "mia", Reason: "odd traffic", Interlock: interlock, Left: time.Hour}
}

// bedPairs: the pump has the ultrasound as a peer on the ward.
func bedPairs() []Pair {
	var out []Pair
	for _, a := range []string{ultrasoundIP, ultrasoundIP6} {
		out = append(out, Pair{Device: pumpMAC, MAC: mac(pumpMAC), Peer: "bed", Addr: netip.MustParseAddr(a), PeerMAC: mac(ultrasoundMAC)})
	}
	return out
}

// compileQuarantine is the lab's ward with all kinds of quarantine: of an outsider
// and a printer, of the pump, which keeps its pairs, and under the interlock of
// the monitor and of the ultrasound, which is the pump's peer.
func compileQuarantine(t testing.TB) *Compiled {
	t.Helper()
	return compile(t, parseFile(t, "lab.policy.toml"), labSnapshot(), bedPairs()...).Quarantined([]Quarantine{
		cut(intruderMAC, false), cut(printerMAC, false), cut(pumpMAC, false), cut(monitorMAC, true), cut(ultrasoundMAC, true)})
}

// quarantineRows are packets on that ward, with a person's verdicts.
func quarantineRows() []row {
	const dhcpServer = "10.20.0.2"
	return []row{
		{"intruder to the hospital", w3, up, tcp(intruderMAC, intruderIP, routerMAC, "10.99.1.1", 40000, 445, syn), false, "quarantined"},
		{"the hospital to the intruder", up, w3, tcp(routerMAC, "10.99.1.1", intruderMAC, intruderIP, 40000, 3389, syn), false, "both ways"},
		{"intruder to a camera", w3, w2, tcp(intruderMAC, intruderIP, cameraMAC, cameraIP, 40000, 80, syn), false, "also from ward to ward"},
		{"a camera to the intruder", w2, w3, tcp(cameraMAC, cameraIP, intruderMAC, intruderIP, 80, 40000, syn|ack), false, "both ways, also on the ward"},
		{"intruder: tagged", w3, up, tcp(intruderMAC, intruderIP, routerMAC, "10.99.1.1", 40000, 445, syn).vlan(30), false, "a tag changes nothing"},
		{"intruder: two tags", w3, up, tcp(intruderMAC, intruderIP, routerMAC, "10.99.1.1", 40000, 445, syn).vlan(30, 40), false, "nothing is read from them"},
		{"intruder asks by arp", w3, up, arp(intruderMAC, everyone, 1, intruderMAC, intruderIP, "10.20.7.1"), true, "so that it can be seen"},
		{"intruder asks by arp, tagged", w3, up, arp(intruderMAC, everyone, 1, intruderMAC, intruderIP, "10.20.7.1").vlan(30), true, "a tag changes nothing"},
		{"intruder asks the ward by arp", w3, w2, arp(intruderMAC, everyone, 1, intruderMAC, intruderIP, printerIP), false, "with the uplink only"},
		{"router answers by arp", up, w3, arp(routerMAC, intruderMAC, 2, routerMAC, "10.20.7.1", intruderIP), true, "so that it can be seen"},
		{"a camera answers by arp", w2, w3, arp(cameraMAC, intruderMAC, 2, cameraMAC, cameraIP, intruderIP), false, "with the uplink only"},
		{"intruder asks dhcp", w3, up, udpf(intruderMAC, "0.0.0.0", everyone, "255.255.255.255", 68, 67), true, "so that it can be seen"},
		{"intruder asks the ward for dhcp", w3, w1, udpf(intruderMAC, "0.0.0.0", everyone, "255.255.255.255", 68, 67), false, "with the uplink only"},
		{"dhcp answers the intruder", up, w3, udpf(routerMAC, dhcpServer, intruderMAC, intruderIP, 67, 68), true, "so that it can be seen"},
		{"intruder plays dhcp server", w3, up, udpf(intruderMAC, intruderIP, everyone, "255.255.255.255", 67, 68), false, "it may only ask"},
		{"intruder: later fragment dressed as dhcp", w3, up, udpf(intruderMAC, intruderIP, routerMAC, "10.99.1.1", 68, 67).later(), false, "the bytes are not ports"},
		{"later fragment dressed as dhcp to the intruder", up, w3, udpf(routerMAC, "10.99.1.1", intruderMAC, intruderIP, 67, 68).later(), false, "the bytes are not ports"},
		{"intruder: udp behind a port of dhcp, by tcp", w3, up, tcp(intruderMAC, intruderIP, routerMAC, "10.99.1.1", 68, 67, syn), false, "DHCP is UDP"},
		{"intruder speaks 802.1x", w3, up, ether(intruderMAC, "01:80:c2:00:00:03", etherEAPOL), true, "so that NAC can see it"},
		{"802.1x to the intruder", up, w3, ether(routerMAC, intruderMAC, etherEAPOL), true, "so that NAC can see it"},
		{"intruder speaks 802.1x to the ward", w3, w2, ether(intruderMAC, cameraMAC, etherEAPOL), false, "with the uplink only"},
		{"intruder speaks lldp", w3, up, ether(intruderMAC, "01:80:c2:00:00:0e", etherLLDP), false, "not on the list"},
		{"intruder pings the router", w3, up, ip(intruderMAC, intruderIP, routerMAC, "10.20.7.1", 1, icmpBytes(8)), false, "not on the list"},
		{"intruder over ipv6", w3, up, udpf(intruderMAC, "fd00:20:7::66", routerMAC, "2001:db8::1", 40000, 53), false, "not on the list"},
		{"intruder finds its router over ipv6", w3, up, nd(intruderMAC, "fe80::66", "33:33:ff:00:00:01", "ff02::1:ff00:1", 135, "fe80::1"), false, "not on the list"},
		{"intruder to a group", w3, w1, udpf(intruderMAC, intruderIP, "01:00:5e:00:00:fb", "224.0.0.251", 5353, 5353), false, "not on the list"},
		{"its mac behind the uplink", up, w2, tcp(intruderMAC, "10.99.1.1", cameraMAC, cameraIP, 40000, 80, ack), true, "only a frame of the ward is this ward's device"},

		{"a pc prints", up, w2, tcp(routerMAC, "10.99.1.1", printerMAC, printerIP, 40000, 631, syn), false, "quarantine stands before the policy"},
		{"printer asks dhcp", w2, up, udpf(printerMAC, "0.0.0.0", everyone, "255.255.255.255", 68, 67), true, "so that it can be seen"},
		{"printer speaks mdns", w2, up, udpf(printerMAC, printerIP, "01:00:5e:00:00:fb", "224.0.0.251", 5353, 5353), false, "quarantine stands before the policy"},

		{"pump to its server", w1, up, tcp(pumpMAC, pumpIP, routerMAC, serverIP, 40000, 443, syn), true, "an exempt pair stands before quarantine"},
		{"server to the pump", up, w1, tcp(routerMAC, serverIP, pumpMAC, pumpIP, 443, 40000, ack), true, "an exempt pair stands before quarantine"},
		{"pump to its standby server, later fragment", w1, up, tcp(pumpMAC, pumpIP, routerMAC, standbyIP, 1, 2, ack).later(), true, "an exempt pair stands before quarantine"},
		{"pump asks dhcp", w1, up, udpf(pumpMAC, "0.0.0.0", everyone, "255.255.255.255", 68, 67), true, "an exempt device"},
		{"pump asks by arp", w1, w3, arp(pumpMAC, everyone, 1, pumpMAC, pumpIP, "10.20.7.1"), true, "an exempt device"},
		{"pump asks dns", w1, up, udpf(pumpMAC, pumpIP, routerMAC, dnsIP, 40000, 53), false, "quarantine stands before the policy"},
		{"dns answers the pump", up, w1, udpf(routerMAC, dnsIP, pumpMAC, pumpIP, 53, 40000), false, "quarantine stands before the policy"},

		{"monitor to its station", w2, up, udpf(monitorMAC, monitorIP, routerMAC, centralIP, 24105, 24105), false, "interlock: without its pairs"},
		{"station to the monitor", up, w2, udpf(routerMAC, centralIP, monitorMAC, monitorIP, 24105, 24105), false, "interlock: without its pairs"},
		{"monitor's connect indication", w2, up, udpf(monitorMAC, monitorIP, everyone, "10.20.7.255", 24005, 24005), false, "interlock: without its groups"},
		{"monitor asks by arp", w2, up, arp(monitorMAC, everyone, 1, monitorMAC, monitorIP, "10.20.7.1"), true, "so that it can be seen"},
		{"monitor asks the ward by arp", w2, w1, arp(monitorMAC, everyone, 1, monitorMAC, monitorIP, "10.20.7.1"), false, "with the uplink only"},
		{"monitor asks dhcp", w2, up, udpf(monitorMAC, "0.0.0.0", everyone, "255.255.255.255", 68, 67), true, "so that it can be seen"},
		{"router says unreachable to the monitor", up, w2, ip(routerMAC, "10.20.7.1", monitorMAC, monitorIP, 1, icmpBytes(3)), false, "not on the list"},

		{"pump to its peer on the ward", w1, w3, udpf(pumpMAC, pumpIP, ultrasoundMAC, ultrasoundIP, 40000, 5000), true, "the pair is the pump's, and nobody named the pump"},
		{"its peer to the pump", w3, w1, udpf(ultrasoundMAC, ultrasoundIP, pumpMAC, pumpIP, 5000, 40000), true, "the pair is the pump's, and nobody named the pump"},
		{"its peer answers the pump by arp", w3, w1, arp(ultrasoundMAC, pumpMAC, 2, ultrasoundMAC, ultrasoundIP, pumpIP), true, "a pair needs it"},
		{"its peer finds the pump over ipv6", w3, w1, nd(ultrasoundMAC, ultrasoundLocal, "33:33:ff:00:00:11", "ff02::1:ff00:11", 135, pumpIP6), true, "a pair needs it"},
		{"its peer to the pump over ipv6", w3, w1, udpf(ultrasoundMAC, ultrasoundIP6, pumpMAC, pumpIP6, 5000, 40000), true, "the pair is the pump's, and nobody named the pump"},
		{"later fragment dressed as neighbour discovery", w3, up, ip(ultrasoundMAC, ultrasoundLocal, routerMAC, "fe80::1", protoICMP6, icmpBytes(135)).later(), false, "the bytes are not a type"},
		{"ultrasound to the pacs", w3, up, tcp(ultrasoundMAC, ultrasoundIP, routerMAC, pacsIP, 40000, 104, syn), false, "quarantined"},

		{"camera to the pacs", w2, up, tcp(cameraMAC, cameraIP, routerMAC, pacsIP, 40000, 554, syn), true, "not quarantined"},
		{"intruder borrows the server's address", w3, up, arp(intruderMAC, everyone, 1, intruderMAC, serverIP, serverIP), false, "a claimed address stands before"},
	}
}

func TestQuarantineVerdicts(t *testing.T) {
	c := compileQuarantine(t)
	judge(t, c, quarantineRows()...)
	fw, _ := loadFake(t, c.Table(1))
	for _, r := range quarantineRows() {
		if r.pass || !strings.Contains(r.why, "quarantine") && !strings.Contains(r.why, "interlock") {
			continue
		}
		before := counters(t, fw)
		r.on(fw)
		n := counters(t, fw)
		if n["quarantine_drop_leave"]+n["quarantine_drop_reach"] != before["quarantine_drop_leave"]+before["quarantine_drop_reach"]+1 {
			t.Errorf("%s: not counted as quarantined", r.name)
		}
	}
	if why := c.Explain(Packet{In: w2, Out: up, SrcMAC: mac(printerMAC), EtherType: etherIPv4, Src: netip.MustParseAddr(printerIP), Dst: netip.MustParseAddr(pacsIP), Proto: protoTCP}).String(); why != "deny: quarantine: "+printerMAC+", by mia: odd traffic" {
		t.Errorf("explained as %q", why)
	}
}

// TestQuarantineOfNobody: all other packets are judged as before, with the chains
// there and nobody in them, or with somebody else in them.
func TestQuarantineOfNobody(t *testing.T) {
	for _, w := range misjudged(t, compileLab(t).Quarantined([]Quarantine{cut("00:11:22:00:00:99", true)}).Table(1)) {
		t.Error(w)
	}
}

func TestQuarantineGolden(t *testing.T) {
	c := compileQuarantine(t)
	text := c.Text()
	golden(t, "quarantine.golden.txt", text)
	var b strings.Builder
	b.WriteString("# packet\tin\tout\tverdict\twhy\tframe\n# made by go test ./agent/protect/policy -run TestQuarantineGolden -update\n")
	for _, r := range quarantineRows() {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%s\n", r.name, r.in, r.out, map[bool]string{true: "pass", false: "deny"}[r.pass], r.why, hex.EncodeToString(r.frame.bytes()))
	}
	golden(t, "quarantine.packets.tsv", b.String())
	if a := compile(t, parseFile(t, "lab.policy.toml"), labSnapshot(), bedPairs()...); a.Comment() != c.Comment() || !Diff(Generation(a.Table(1), 1), Generation(c.Table(1), 1)).Empty() {
		t.Error("a quarantine makes another generation")
	}
}

// TestQuarantineMutationsAreNoticed breaks place 4, and what place 3 knows of it.
func TestQuarantineMutationsAreNoticed(t *testing.T) {
	strip := func(chain string, f platform.Field, op platform.Op) func(t testing.TB, x *platform.Table) {
		return func(t testing.TB, x *platform.Table) {
			c := chainOf(t, x, chain)
			for i, r := range c.Rules {
				c.Rules[i].Matches = slices.DeleteFunc(r.Matches, func(m platform.Match) bool { return m.Fields[0] == f && m.Op == op })
			}
		}
	}
	for name, m := range map[string]struct {
		mutate func(t testing.TB, x *platform.Table)
		notice string
	}{
		"pairs stay under the interlock": {strip(ChainForward, platform.EtherSaddr, platform.OpNotIn), "monitor to its station"},
		"its station reaches it":         {strip(ChainForward, platform.EtherDaddr, platform.OpNotIn), "station to the monitor"},
		"the ward may answer":            {strip("quarantine_reach", platform.MetaIIFName, platform.OpEq), "a camera answers by arp"},
		"no fragment rule, reaching":     {func(t testing.TB, x *platform.Table) { without(t, x, "quarantine_reach", "ip-fragment") }, "later fragment dressed as dhcp to the intruder"},
		"ND for everybody":               {strip("quarantine_leave", platform.EtherSaddr, platform.OpIn), "intruder finds its router over ipv6"},
		"no groups without its pairs":    {func(t testing.TB, x *platform.Table) { without(t, x, ChainForward, "exempt_device") }, "pump asks by arp"},
		"no quarantine":                  {func(t testing.TB, x *platform.Table) { without(t, x, ChainForward, "4 quarantine") }, "intruder to the hospital"},
		"one way only":                   {func(t testing.TB, x *platform.Table) { without(t, x, ChainQuarantine, "mac-to") }, "the hospital to the intruder"},
		"whatever the port":              {strip(ChainQuarantine, platform.MetaIIFName, platform.OpNeq), "its mac behind the uplink"},
		"housekeeping with the ward":     {strip("quarantine_leave", platform.MetaOIFName, platform.OpEq), "intruder asks the ward by arp"},
		"no fragment rule":               {func(t testing.TB, x *platform.Table) { without(t, x, "quarantine_leave", "ip-fragment") }, "intruder: later fragment dressed as dhcp"},
		"before the pairs": {func(t testing.TB, x *platform.Table) {
			c := chainOf(t, x, ChainForward)
			i := slices.IndexFunc(c.Rules, func(r platform.Rule) bool { return r.Comment == "4 quarantine" })
			q := c.Rules[i]
			c.Rules = append([]platform.Rule{q}, slices.Delete(c.Rules, i, i+1)...)
		}, "pump to its server"},
	} {
		t.Run(name, func(t *testing.T) {
			table := compileQuarantine(t).Table(1)
			m.mutate(t, &table)
			wrong := misjudgedOf(t, table, quarantineRows())
			if !slices.ContainsFunc(wrong, func(w string) bool { return strings.HasPrefix(w, m.notice+" (") }) {
				t.Errorf("%q is judged as before; misjudged are %d:\n%s", m.notice, len(wrong), strings.Join(wrong, "\n"))
			}
		})
	}
}

// TestQuarantineEndsByItself: the kernel ends it, and gives a device its pairs
// back, with nobody there.
func TestQuarantineEndsByItself(t *testing.T) {
	c := compileQuarantine(t)
	fw, clock := loadFake(t, c.Table(1))
	clock.mono += time.Hour - time.Second
	if rowNamed(t, "monitor data to the central station").on(fw) || rowNamed(t, "a pc prints over ipv6").on(fw) {
		t.Error("quarantine ended early")
	}
	clock.mono += 2 * time.Second
	for _, r := range rows() {
		if r.on(fw) != r.pass {
			t.Errorf("after the end, %s: passes %v", r.name, r.on(fw))
		}
	}
}

// TestBreakGlassSuspendsQuarantine: place 1 is in front of place 4, of the
// interlock as well.
func TestBreakGlassSuspendsQuarantine(t *testing.T) {
	for name, change := range map[string]platform.Change{
		"gateway": BreakGlass(time.Minute), "port": open(SetOpenPort, platform.NameKey(w2)), "device": open(SetOpenDevice, platform.MACKey(mac(monitorMAC))),
	} {
		fw, clock := loadFake(t, compileQuarantine(t).Table(1))
		if err := fw.Apply(context.Background(), change); err != nil {
			t.Fatal(err)
		}
		data := rowNamed(t, "monitor data to the central station")
		if !data.on(fw) {
			t.Errorf("%s: open, and the monitor is cut", name)
		}
		clock.mono += 2 * time.Minute
		if data.on(fw) {
			t.Errorf("%s: over, and the quarantine is gone", name)
		}
	}
}

func open(set, key string) platform.Change {
	c := BreakGlass(time.Minute)
	c.Steps[0].RenewElements.Set, c.Steps[0].RenewElements.Elements[0].Key = set, key
	return c
}

// TestTrap05RenewedQuarantine: what is renewed lasts for its new time, be it
// longer or shorter.
func TestTrap05RenewedQuarantine(t *testing.T) {
	fw, clock := loadFake(t, compileLab(t).Table(1))
	prints := rowNamed(t, "a pc prints over ipv6")
	put := func(d time.Duration) {
		t.Helper()
		q := cut(printerMAC, false)
		q.Left = d
		if err := fw.Apply(context.Background(), QuarantineChange(q)); err != nil {
			t.Fatal(err)
		}
	}
	put(10 * time.Minute)
	clock.mono += 8 * time.Minute
	put(10 * time.Minute)
	clock.mono += 8 * time.Minute
	if prints.on(fw) {
		t.Error("it ended before the time of its renewal was over")
	}
	put(time.Minute)
	clock.mono += 61 * time.Second
	if !prints.on(fw) {
		t.Error("it was not made shorter")
	}
}

// TestQuarantineSteps: from any list to any other, in the kernel, whatever has
// expired meanwhile; and what the kernel has is read back.
func TestQuarantineSteps(t *testing.T) {
	base := compile(t, parseFile(t, "lab.policy.toml"), labSnapshot())
	short := cut(cameraMAC, true)
	short.Left = time.Minute
	later := cut(printerMAC, false)
	later.Left = 2 * time.Hour
	lists := [][]Quarantine{nil, {cut(printerMAC, false), short}, {later, cut(cameraMAC, false)}, {cut(printerMAC, true)}, {cut(monitorMAC, true), cut(cameraMAC, false)}}
	for i, from := range lists {
		for k, to := range lists {
			for _, age := range []time.Duration{0, 2 * time.Minute} {
				fw, clock := loadFake(t, base.Quarantined(from).Table(1))
				have := readBack(t, fw)
				clock.mono += age
				want := base.Quarantined(to).Table(1)
				d := Diff(have, want)
				if d.Structure != "" || d.Empty() != (i == k) {
					t.Fatalf("%d to %d: %+v", i, k, d)
				}
				for _, steps := range [][]platform.Step{d.Open, d.Switch, d.Close} {
					if len(steps) > 0 {
						applySteps(t, fw, steps)
					}
				}
				if age == 0 && !Diff(readBack(t, fw), want).Empty() {
					t.Errorf("%d to %d: still differs", i, k)
				}
				if age > 0 {
					continue
				}
				if diff := cmp.Diff(brief(to), brief(QuarantinesIn(readBack(t, fw)))); diff != "" {
					t.Errorf("%d to %d (-want +read):\n%s", i, k, diff)
				}
			}
		}
	}
	// One at a time, as a person's act does it.
	fw, _ := loadFake(t, base.Table(1))
	for _, q := range []Quarantine{cut(printerMAC, true), cut(printerMAC, false), later, cut(cameraMAC, true)} {
		if err := fw.Apply(context.Background(), QuarantineChange(q)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := fw.Apply(context.Background(), ReleaseChange(mac(cameraMAC))); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(brief([]Quarantine{later}), brief(QuarantinesIn(readBack(t, fw)))); diff != "" {
		t.Errorf("(-want +read):\n%s", diff)
	}
}

// brief is what the kernel knows of a list.
func brief(list []Quarantine) []string {
	var out []string
	for _, q := range list {
		out = append(out, fmt.Sprint(q.MAC, q.Interlock, q.Left))
	}
	return out
}

// An element without an end is not ours.
func TestQuarantineWithoutAnEnd(t *testing.T) {
	base := compileLab(t)
	fw, _ := loadFake(t, base.Table(1))
	c := QuarantineChange(cut(printerMAC, false))
	for _, s := range c.Steps {
		if s.RenewElements != nil {
			s.RenewElements.Elements[0].Timeout = 0
		}
	}
	if err := fw.Apply(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	for _, want := range []*Compiled{base.Quarantined([]Quarantine{cut(printerMAC, false)}), base} {
		d := Diff(readBack(t, fw), want.Table(1))
		if d.Empty() {
			t.Error("not noticed")
		}
		applySteps(t, fw, append(d.Open, d.Close...))
		if !Diff(readBack(t, fw), want.Table(1)).Empty() {
			t.Error("not mended")
		}
	}
}
