package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// dice rolls packets out of the things that a policy speaks of, and some that it
// does not.
type dice struct {
	*rand.Rand
	macs  []fact.MAC
	v4    []netip.Addr
	v6    []netip.Addr
	ports []uint16
	types []byte
}

func of[T any](d *dice, list []T) T { return list[d.IntN(len(list))] }

// diceFor collects them from a compiled policy.
func diceFor(seed uint64, c *Compiled) *dice {
	d := &dice{Rand: rand.New(rand.NewPCG(seed, 7)), types: []byte{0, 3, 5, 8, 11, 13, 1, 2, 128, 129, 130, 134, 135, 136, 143},
		ports: []uint16{67, 68, 546, 547, 53, 9999}}
	d.macs = []fact.MAC{mac(routerMAC), mac(intruderMAC), {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {1, 0, 0x5e, 0, 0, 0xfb}, {0x33, 0x33, 0, 0, 0, 1}}
	add := func(a netip.Addr) {
		if a.Is4() {
			d.v4 = append(d.v4, a)
		} else {
			d.v6 = append(d.v6, a)
		}
	}
	for _, s := range []string{"10.20.66.6", "203.0.113.9", "255.255.255.255", "10.20.7.255", "224.0.0.251", "239.255.255.250", "224.0.23.63", "224.0.1.129",
		"fd00:99::1", "2001:db8::1", "ff02::1", "ff02::fb", "ff02::c", "fe80::66"} {
		add(netip.MustParseAddr(s))
	}
	for _, m := range c.in.Placement.Members {
		d.macs = append(d.macs, m.MAC, m.MAC)
		for _, a := range m.Addrs {
			add(a)
		}
	}
	for _, p := range c.in.Policy.Peers {
		if p.Device != "" {
			d.macs = append(d.macs, p.MAC)
		}
		for _, n := range p.All() {
			add(n.Addr())
			add(lastAddr(n))
		}
	}
	for _, s := range c.in.Policy.Segments {
		for _, a := range s.Allow {
			for _, svc := range a.Services {
				d.ports = append(d.ports, svc.Lo, svc.Hi, svc.Hi+1)
			}
		}
	}
	return d
}

func (d *dice) frame() frame {
	f := frame{src: of(d, d.macs), dst: of(d, d.macs)}
	f.src[0] &^= 1 // the bridge drops a group address as a source
	if d.IntN(4) == 0 {
		f.vlans = of(d, [][]uint16{{30}, {30}, {30}, {0, 0}})
	}
	switch d.IntN(12) {
	case 0:
		return arp(f.src.String(), f.dst.String(), 1, f.src.String(), of(d, d.v4).String(), of(d, d.v4).String()).vlan(f.vlans...)
	case 1:
		f.etherType, f.body = of(d, []uint16{etherEAPOL, etherLLDP, etherPTP, 0x88a4, 0x8137}), make([]byte, 46)
		return f
	}
	list := d.v4
	f.etherType = etherIPv4
	if d.IntN(3) == 0 {
		list, f.etherType = d.v6, etherIPv6
	}
	f.ip = [2]netip.Addr{of(d, list), of(d, list)}
	sp, dp := of(d, d.ports), of(d, d.ports)
	switch d.IntN(8) {
	case 0, 1, 2:
		f.proto, f.payload = protoTCP, tcpBytes(sp, dp, of(d, []byte{syn, syn | ack, ack, rst, fin | ack, syn | fin, 0}))
	case 3, 4, 5:
		f.proto, f.payload = protoUDP, udpBytes(sp, dp)
	case 6:
		f.proto = protoICMP
		if f.etherType == etherIPv6 {
			f.proto = protoICMP6
		}
		target := of(d, d.v6).As16()
		f.payload = append(icmpBytes(of(d, d.types))[:8], target[:]...)
	case 7:
		f.proto, f.payload = of(d, []uint8{2, 47, 50, 132}), make([]byte, 32)
	}
	switch d.IntN(8) {
	case 0:
		f = f.later()
	case 1:
		f = f.first()
	case 2:
		f = f.atomic()
		if f.etherType == etherIPv6 {
			f.ext = []uint8{0, 60}
		} else {
			f.options = 8
		}
	}
	return f
}

// TestRulesAgreeWithPolicy sends random packets through the rules, and asks the
// policy itself about each.
func TestRulesAgreeWithPolicy(t *testing.T) {
	n := 60_000
	if testing.Short() {
		n = 6_000
	}
	for name, c := range map[string]*Compiled{"lab": compileLab(t), "wide": compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot()), "quarantine": compileQuarantine(t), "doubts": compileDoubts(t)} {
		t.Run(name, func(t *testing.T) {
			fw, _ := loadFake(t, c.Table(1))
			d := diceFor(1, c)
			ports := []string{up, w1, w2}
			seen := map[string]int{}
			for range n {
				f := d.frame()
				in, out := of(d, ports), of(d, ports)
				p, ok := f.packet(in, out)
				if in == out || !ok {
					continue
				}
				e := c.Explain(p)
				got := fw.Decide(fake.Packet{Frame: f.bytes(), In: in, Out: out})
				seen[e.Verdict]++
				if got.Accepted != (e.Verdict != Deny) {
					t.Fatalf("%+v %s→%s\nrules: passes %v by %s rule %d %s\npolicy: %v", f, in, out, got.Accepted, got.Chain, got.Rule, got.Comment, e)
				}
			}
			if seen[Pass] < n/20 || seen[Deny] < n/20 || seen[WouldDeny] == 0 {
				t.Errorf("one-sided dice: %v", seen)
			}
		})
	}
}

// TestStageCountsWouldDenies: in stage nothing is dropped, and each packet that
// enforcing would deny is counted, once.
func TestStageCountsWouldDenies(t *testing.T) {
	p := parseFile(t, "lab.policy.toml").Gentler()
	c := compile(t, p, labSnapshot())
	fw, _ := loadFake(t, c.Table(1))
	want := 0
	for _, r := range rows() {
		pkt, ok := r.frame.packet(r.in, r.out)
		if !ok {
			continue
		}
		want += counted(c.Explain(pkt))
		if d := fw.Decide(fake.Packet{Frame: r.frame.bytes(), In: r.in, Out: r.out}); !d.Accepted {
			t.Errorf("%s: dropped in stage by %s", r.name, d.Chain)
		}
	}
	got := uint64(0)
	for name, n := range counters(t, fw) {
		if len(name) > 5 && name[:5] == "stage" || name == "claim_stage" {
			got += n
		}
	}
	if got != uint64(want) || want == 0 {
		t.Errorf("%d would-be denies counted, want %d", got, want)
	}
}

// counted is how many verdict chains a packet comes through.
func counted(e Explanation) int {
	n := 0
	for _, w := range e.Why {
		if slices.Contains([]string{"claimed"}, fmt.Sprintf("%.7s", w)) || contains(w, "no entry") || contains(w, "unicast to") {
			n++
		}
	}
	return n
}
