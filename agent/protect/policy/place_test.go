package policy

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

func TestPlace(t *testing.T) {
	wide := parseFile(t, "wide.policy.toml")
	lab := parseFile(t, "lab.policy.toml")
	likely := func(d device.Device) device.Device { d.Identity.Confidence = device.Likely; return d }
	pinned := func(d device.Device, r device.Role) device.Device {
		d.Pin = &device.Pin{Role: r, By: "cj", Reason: "label"}
		return d
	}
	tagged := func(d device.Device, tags ...string) device.Device { d.Tags = tags; return d }
	talking := func(d device.Device, peer string, by fact.Opener, answered bool) device.Device {
		d.Conversations = []device.Conversation{{Peer: netip.MustParseAddr(peer), Opener: by, Answered: answered}}
		return d
	}
	tests := []struct {
		name    string
		policy  *Policy
		device  device.Device
		segment string
		mode    Mode
		reason  string
	}{
		{"confirmed role", lab, dev(pumpMAC, "infusion-pump-lvp"), "infusion", Enforce, ""},
		{"likely role follows the default", lab, likely(dev(pumpMAC, "infusion-pump-lvp")), "", 0, ""},
		{"likely role follows a staged default", wide, likely(dev(pumpMAC, "ventilator")), "default", Stage, ""},
		{"pinned role", lab, pinned(likely(dev(pumpMAC, "printer")), "infusion-pump-lvp"), "infusion", Enforce, ""},
		{"role of no segment", lab, dev(pumpMAC, "workstation-pc"), "", 0, ""},
		{"by tag", wide, tagged(dev(pumpMAC, "workstation-pc"), "blue", "desk"), "desks", Enforce, ""},
		{"tag before role", wide, tagged(dev(pumpMAC, "lab-analyser"), "desk"), "desks", Enforce, ""},
		{"by id", wide, dev("00:11:22:00:00:0d", "ip-camera"), "desks", Enforce, ""},
		{"id of an unconfirmed device", wide, likely(dev("00:11:22:00:00:0d", "ip-camera")), "default", Stage, ""},
		{"life-sustaining without a clinical peer", wide, tagged(dev(pumpMAC, "ventilator"), "desk"), "desks", Stage, "life-sustaining, and its segment names no clinical peer"},
		{"asked by a clinical peer that its segment does not name", lab, talking(dev(pumpMAC, "infusion-pump-lvp"), "10.20.3.9", fact.OpenerPeer, true), "infusion", Stage,
			"life-sustaining, and it speaks with the clinical peer central, which its segment does not name"},
		{"asked so, and it never answered", lab, talking(dev(pumpMAC, "infusion-pump-lvp"), "10.20.3.9", fact.OpenerPeer, false), "infusion", Enforce, ""},
		{"asked by the peer that its segment names", lab, talking(dev(pumpMAC, "infusion-pump-lvp"), "10.20.3.5", fact.OpenerPeer, true), "infusion", Enforce, ""},
		{"behind a router", lab, device.Device{ID: "serial:1", Identity: device.Identity{Role: "printer", Confidence: device.Confirmed}}, "", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got Member
			if pl := tt.policy.Place(snapshot(tt.device), testRoles); len(pl.Members) > 0 {
				got = pl.Members[0]
			}
			if got.Segment != tt.segment || got.Mode != tt.mode || got.Reason != tt.reason {
				t.Errorf("placed in %q, %v, %q, want %q, %v, %q", got.Segment, got.Mode, got.Reason, tt.segment, tt.mode, tt.reason)
			}
		})
	}
}

func TestClassOnlyRises(t *testing.T) {
	p := parseFile(t, "wide.policy.toml")
	d := dev(pumpMAC, "lab-analyser")
	d.Identity.Class = device.LifeSustaining // the site raised it
	if m := p.Place(snapshot(d), testRoles).Members[0]; m.Class != device.LifeSustaining {
		t.Errorf("raised class: %v", m.Class)
	}
	d = dev(pumpMAC, "ventilator")
	d.Identity.Class = device.Other
	if m := p.Place(snapshot(d), testRoles).Members[0]; m.Class != device.LifeSustaining {
		t.Errorf("lowered class: %v", m.Class)
	}
	d.Identity.Confidence, d.Identity.Class, d.Identity.Role = device.Candidate, device.Other, "workstation-pc"
	if m := p.Place(snapshot(d), testRoles).Members[0]; m.Class != device.LifeSustaining {
		t.Errorf("class of an unconfirmed device: %v", m.Class)
	}
}

func TestPairsStay(t *testing.T) {
	p := parseFile(t, "lab.policy.toml")
	first := compile(t, p, labSnapshot()).Pairs
	var got []string
	for _, x := range first {
		got = append(got, string(x.Device)+" "+x.Peer+" "+x.Addr.String())
	}
	want := []string{pumpMAC + " pump-server " + serverIP, pumpMAC + " pump-server " + standbyIP, pumpMAC + " pump-server " + serverIP6, monitorMAC + " central " + centralIP}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pairs (-want +got)\n%s", diff)
	}
	// A role that changed, and an inventory that was lost.
	changed := labSnapshot()
	changed.Devices[0].Identity.Role = "printer"
	for name, snap := range map[string]*device.Snapshot{"role changed": changed, "inventory lost": {}} {
		again := compile(t, p, snap, first...)
		if diff := cmp.Diff(first, again.Pairs, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s: pairs (-want +got)\n%s", name, diff)
		}
		fw, _ := loadFake(t, again.Table(1))
		for _, r := range []string{"pump opens tls to its server", "server opens a connection to the pump"} {
			if !rowNamed(t, r).on(fw) {
				t.Errorf("%s: %s: cut", name, r)
			}
		}
	}
}

// TestPairsReadBack: the kernel's rules remember the pairs as well.
func TestPairsReadBack(t *testing.T) {
	for name, c := range map[string]*Compiled{"lab": compileLab(t), "wide": compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot())} {
		fw, _ := loadFake(t, c.Table(1))
		table, err := fw.Read(t.Context(), platform.FamilyBridge, TableName)
		if err != nil {
			t.Fatal(err)
		}
		diff := cmp.Diff(c.Pairs, PairsIn(table), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
			cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Peer" }, cmp.Ignore()))
		if diff != "" || len(c.Pairs) == 0 {
			t.Errorf("%s: pairs (-want +got)\n%s", name, diff)
		}
	}
	strange := platform.Table{Sets: []platform.Set{{Name: "exempt_ward4", Elements: []platform.Element{{Key: "short"}, {Key: "0123456789ab12"}}}}}
	if got := PairsIn(strange); got != nil {
		t.Errorf("pairs of a stranger's set: %v", got)
	}
}

func TestWardPairs(t *testing.T) {
	c := compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot())
	fw, _ := loadFake(t, c.Table(1))
	const bed, vent, pc = "00:11:22:00:00:09", "00:11:22:00:00:0a", intruderMAC
	for _, r := range []row{
		{"ventilator to the clinical bed", w1, w2, udpf(vent, "10.20.9.10", bed, "10.20.9.9", 1, 2), true, "exempt pair on the ward"},
		{"the bed answers", w2, w1, udpf(bed, "10.20.9.9", vent, "10.20.9.10", 2, 1), true, "exempt pair on the ward"},
		{"another host with the bed's address", w3, w1, udpf(pc, "10.20.9.9", vent, "10.20.9.10", 2, 1), false, "by MAC and address"},
		{"the bed with another address", w2, w1, udpf(bed, "10.20.9.77", vent, "10.20.9.10", 2, 1), false, "by MAC and address"},
	} {
		if got := r.on(fw); got != r.pass {
			t.Errorf("%s: passes %v, want %v (%s)", r.name, got, r.pass, r.why)
		}
	}
}

func TestAdmit(t *testing.T) {
	enforced := parseFile(t, "lab.policy.toml")
	veth := platform.Link{Name: "w1"}
	virtio := platform.Link{Name: "eth0", Bus: "virtio"}
	pci := platform.Link{Name: "eth1", Bus: "pci"}
	const only = `segment "infusion": mode "enforce" is refused: until the safety suite exists it is accepted only in a virtual ward (lab = true); mode "stage" counts and reports what would be denied`
	const hardware = `lab = true is refused: port "eth1" is hardware (/sys/class/net/eth1/device is on the pci bus); a virtual ward has only virtual ports`
	tests := []struct {
		name   string
		policy *Policy
		lab    bool
		links  []platform.Link
		want   string
	}{
		{"virtual ward", enforced, true, []platform.Link{veth, virtio}, ""},
		{"hardware in a virtual ward", enforced, true, []platform.Link{veth, pci}, hardware},
		{"hardware, nothing enforced", enforced.Gentler(), true, []platform.Link{pci}, hardware},
		{"hardware, no policy", nil, true, []platform.Link{pci}, hardware},
		{"ward, enforced", enforced, false, []platform.Link{pci}, only},
		{"ward, enforced, virtual ports", enforced, false, []platform.Link{veth}, only},
		{"ward, staged", enforced.Gentler(), false, []platform.Link{pci}, ""},
		{"ward, no policy", nil, false, []platform.Link{pci}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := Admit(tt.policy, tt.lab, tt.links); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("error\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A device on the ward that borrows the router's MAC and looks like a printer
// must not put the router under the printers' segment.
func TestBorrowedRouterMAC(t *testing.T) {
	c := compile(t, parseFile(t, "lab.policy.toml"), snapshot(dev(routerMAC, "printer", "10.20.7.99"), dev(intruderMAC, "workstation-pc")))
	fw, _ := loadFake(t, c.Table(1))
	for _, r := range []row{
		{"", w3, up, tcp(intruderMAC, intruderIP, routerMAC, "203.0.113.9", 40000, 443, syn), true, ""},
		{"", up, w3, tcp(routerMAC, "203.0.113.9", intruderMAC, intruderIP, 443, 40000, syn|ack), true, ""},
		{"", w2, w3, tcp(routerMAC, "10.20.7.99", intruderMAC, intruderIP, 40000, 445, syn), false, ""},
	} {
		if got := r.on(fw); got != r.pass {
			t.Errorf("%s→%s passes %v, want %v", r.in, r.out, got, r.pass)
		}
	}
}

func TestExplain(t *testing.T) {
	c := compileLab(t)
	tests := []struct{ row, want string }{
		{"server pings the pump", "pass: exempt pair of 00:11:22:00:00:01 and pump-server"},
		{"intruder: arp says it is the server", "deny: claimed address: 10.20.3.5 lies behind the uplink"},
		{"intruder: prints", "pass: segment printers: from = any-internal tcp/631"},
		{"intruder: smb to the pump", "deny: segment infusion: no entry allows it to reach 00:11:22:00:00:01"},
		{"camera calls home", "would-deny: segment cameras: no entry allows it to leave 00:11:22:00:00:05"},
		{"a pc browses", "pass: neither side is under a segment"},
		{"intruder: the printer's mac to the pump", "deny: segment printers: from = any-internal tcp/631; segment infusion: no entry allows it to reach 00:11:22:00:00:01"},
		{"monitor announces itself to the group", "pass: exempt device: group intellivue"},
	}
	for _, tt := range tests {
		r := rowNamed(t, tt.row)
		p, _ := r.frame.packet(r.in, r.out)
		if got := c.Explain(p).String(); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.row, got, tt.want)
		}
	}
}

// compileDoubts is the lab's ward where nobody is what it seems: the monitor's
// evidence speaks for a pump, with much for a monitor; the pump was tagged among
// the monitors; the ultrasound was pinned as a printer, and may be a monitor.
func compileDoubts(t testing.TB) *Compiled {
	t.Helper()
	p := parseFile(t, "lab.policy.toml")
	for i := range p.Segments {
		if p.Segments[i].Name == "monitoring" {
			p.Segments[i].Tags = []string{"bed"}
		}
	}
	snap := labSnapshot()
	for i := range snap.Devices {
		switch d := &snap.Devices[i]; d.MAC {
		case mac(monitorMAC):
			d.Identity.Role = "infusion-pump-lvp"
			d.Identity.Evidence = []device.Evidence{{Role: "infusion-pump-lvp", Weight: 9}, {Role: "patient-monitor", Weight: 7}, {Role: "patient-monitor", Weight: -2}}
		case mac(pumpMAC):
			d.Tags = []string{"bed"}
		case mac(ultrasoundMAC):
			d.Pin = &device.Pin{Role: "printer", By: "mia", Reason: "a trick"}
			d.Identity.RunnerUp = "patient-monitor"
		}
	}
	return compile(t, p, snap)
}

// TestDoubtsOpen: what a life-sustaining device may be as well, by its evidence,
// keeps it its clinical peers and groups, whatever one person pins or tags.
func TestDoubtsOpen(t *testing.T) {
	c := compileDoubts(t)
	judge(t, c,
		row{"monitor to its station", w2, up, udpf(monitorMAC, monitorIP, routerMAC, centralIP, 24105, 24105), true, "its evidence says monitor, too"},
		row{"monitor's connect indication", w2, w3, udpf(monitorMAC, monitorIP, everyone, "10.20.7.255", 24005, 24005), true, "a group of the monitors"},
		row{"pump to its server", w1, up, tcp(pumpMAC, pumpIP, routerMAC, serverIP, 40000, 443, syn), true, "its role, whatever the tag"},
		row{"pump to the station", w1, up, udpf(pumpMAC, pumpIP, routerMAC, centralIP, 1, 2), true, "the tag's peers as well"},
		row{"pump to a stranger", w1, up, tcp(pumpMAC, pumpIP, routerMAC, "203.0.113.9", 40000, 443, syn), false, "still fenced in"},
		row{"ultrasound to the station", w1, up, udpf(ultrasoundMAC, ultrasoundIP, routerMAC, centralIP, 24105, 24105), true, "it may be a monitor"})
	for id, want := range map[device.ID]Member{
		monitorMAC:    {Class: device.LifeSustaining, Segment: "infusion", Mode: Enforce, Also: []string{"monitoring"}},
		pumpMAC:       {Class: device.LifeSustaining, Segment: "monitoring", Mode: Enforce, Also: []string{"infusion"}},
		ultrasoundMAC: {Class: device.LifeSustaining, Segment: "printers", Mode: Stage, Also: []string{"monitoring"}, Reason: "its evidence also says patient-monitor: life-sustaining as long as it does, and its segment names no clinical peer"},
	} {
		got, _ := c.Member(id)
		want.Device, want.MAC, want.Addrs, want.Role = got.Device, got.MAC, got.Addrs, got.Role
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

func TestCandidates(t *testing.T) {
	d := dev(pumpMAC, "printer")
	d.Identity.RunnerUp = "ventilator"
	d.Identity.Evidence = []device.Evidence{{Role: "printer", Weight: 9}, {Role: "patient-monitor", Weight: 5}, {Role: "patient-monitor", Weight: -1},
		{Role: "infusion-pump-lvp", Weight: 1}, {Role: "infusion-pump-syringe", Weight: 3}, {Role: "infusion-pump-syringe", Weight: -3}}
	for least, want := range map[float64][]device.Role{0: {"infusion-pump-lvp", "patient-monitor", "ventilator"}, 4: {"patient-monitor"}, 5: nil} {
		if diff := cmp.Diff(want, Candidates(&d, testRoles, least)); diff != "" {
			t.Errorf("at least %v (-want +got):\n%s", least, diff)
		}
	}
}
