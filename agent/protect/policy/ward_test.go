package policy

import (
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// testRoles stands for rules/roles.toml.
func testRoles(r device.Role) (device.SafetyClass, bool) {
	c, ok := map[device.Role]device.SafetyClass{
		"infusion-pump-lvp": device.LifeSustaining, "infusion-pump-syringe": device.LifeSustaining,
		"patient-monitor": device.LifeSustaining, "ventilator": device.LifeSustaining,
		"ultrasound": device.Clinical, "lab-analyser": device.Clinical, "printer": device.Support, "ip-camera": device.Support,
		"workstation-pc": device.Other,
	}[r]
	return c, ok
}

func parseFile(t testing.TB, name string) *Policy {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(name, data, testRoles)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mac(s string) fact.MAC {
	m, err := fact.ParseMAC(s)
	if err != nil {
		panic(err)
	}
	return m
}

// dev is a device whose role is confirmed.
func dev(m string, role device.Role, ips ...string) device.Device {
	class, _ := testRoles(role)
	d := device.Device{ID: device.IDOf(mac(m)), MAC: mac(m), Identity: device.Identity{Role: role, Class: class, Confidence: device.Confirmed}}
	for _, ip := range ips {
		d.IPs = append(d.IPs, netip.MustParseAddr(ip))
	}
	return d
}

func snapshot(devices ...device.Device) *device.Snapshot {
	slices.SortFunc(devices, func(a, b device.Device) int { return cmpID(a.ID, b.ID) })
	return &device.Snapshot{Seq: 1, Devices: devices}
}

// The ward of lab.policy.toml.
const (
	pumpMAC, pumpIP             = "00:11:22:00:00:01", "10.20.7.11"
	monitorMAC, monitorIP       = "00:11:22:00:00:02", "10.20.7.12"
	ultrasoundMAC, ultrasoundIP = "00:11:22:00:00:03", "10.20.7.13"
	printerMAC, printerIP       = "00:11:22:00:00:04", "10.20.7.14"
	cameraMAC, cameraIP         = "00:11:22:00:00:05", "10.20.7.15"
	intruderMAC, intruderIP     = "00:11:22:00:00:66", "10.20.7.66"
	routerMAC                   = "00:11:22:00:00:fe"
	pumpIP6                     = "fd00:20:7::11"
	serverIP, standbyIP         = "10.20.3.5", "10.21.3.5"
	serverIP6                   = "fd00:20:3::5"
	centralIP, pacsIP, dnsIP    = "10.20.3.9", "10.20.4.7", "10.20.0.53"
)

func labSnapshot() *device.Snapshot {
	pc := dev(intruderMAC, "workstation-pc", intruderIP)
	pc.Identity.Confidence = device.Likely
	return snapshot(dev(pumpMAC, "infusion-pump-lvp", pumpIP, pumpIP6), dev(monitorMAC, "patient-monitor", monitorIP),
		dev(ultrasoundMAC, "ultrasound", ultrasoundIP), dev(printerMAC, "printer", printerIP),
		dev(cameraMAC, "ip-camera", cameraIP), pc)
}

func internal() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
}

func compile(t testing.TB, p *Policy, snap *device.Snapshot, pairs ...Pair) *Compiled {
	t.Helper()
	c, err := Compile(Input{Policy: p, Placement: p.Place(snap, testRoles), Pairs: pairs, Internal: internal(), Uplink: "uplink"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func compileLab(t testing.TB) *Compiled {
	t.Helper()
	return compile(t, parseFile(t, "lab.policy.toml"), labSnapshot())
}

// wideSnapshot is the ward of wide.policy.toml.
func wideSnapshot() *device.Snapshot {
	tagged := dev("00:11:22:00:00:0c", "workstation-pc", "10.20.9.12", "fd00:20:9::c")
	tagged.Tags = []string{"desk"}
	return snapshot(dev("00:11:22:00:00:09", "patient-monitor", "10.20.9.8", "fd00:20:9::9"), dev("00:11:22:00:00:0a", "ventilator", "10.20.9.10"),
		tagged, dev("00:11:22:00:00:0d", "workstation-pc", "10.20.9.13"), dev("00:11:22:00:00:0e", "lab-analyser", "10.20.9.14"),
		dev("00:11:22:00:00:0f", "ip-camera", "10.20.9.15"))
}
