package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// What happens in the life of a ward must cut no life-sustaining device off its
// clinical peers.

func parseText(t *testing.T, text string) *Policy {
	t.Helper()
	p, err := Parse("text", []byte(text), testRoles)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const centralMAC = "00:11:22:00:00:07"

// monitors is a ward of monitors with one central station.
func monitors(version, central string) string {
	return "version = " + version + "\n[peers.central]\nclinical = true\n" + central + `
[[segment]]
name  = "monitoring"
roles = ["patient-monitor"]
mode  = "enforce"
allow = [{ to = "central", services = ["udp/24105"] }]
`
}

// TestCentralStationMovesToTheWard: its pairs of before stay, but nobody takes
// its address for a borrowed one once the policy says that it is on the ward.
func TestCentralStationMovesToTheWard(t *testing.T) {
	before := compile(t, parseText(t, monitors("1", `addresses = ["`+centralIP+`"]`)), labSnapshot())
	snap := labSnapshot()
	station := dev(centralMAC, "workstation-pc", centralIP)
	snap = snapshot(append(snap.Devices, station)...)
	for name, where := range map[string]string{
		"with its address":       `device = "` + centralMAC + `"` + "\n" + `addresses = ["` + centralIP + `"]`,
		"the inventory knows it": `device = "` + centralMAC + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			judge(t, compile(t, parseText(t, monitors("2", where)), snap, before.Pairs...),
				row{"monitor to the station", w2, w3, udpf(monitorMAC, monitorIP, centralMAC, centralIP, 24105, 24105), true, "exempt pair on the ward"},
				row{"station to the monitor", w3, w2, udpf(centralMAC, centralIP, monitorMAC, monitorIP, 24105, 24105), true, "exempt pair on the ward"},
				row{"station answers arp", w3, w2, arp(centralMAC, monitorMAC, 2, centralMAC, centralIP, monitorIP), true, "it is where the policy says"},
				row{"another host with its address", w3, w2, udpf(intruderMAC, centralIP, monitorMAC, monitorIP, 24105, 24105), false, "by MAC and address"},
				row{"monitor to the old place", w2, up, udpf(monitorMAC, monitorIP, routerMAC, centralIP, 24105, 24105), true, "the pair of before stays"})
		})
	}
	judge(t, compile(t, parseText(t, monitors("2", `addresses = ["10.20.3.10"]`)), snap, before.Pairs...),
		row{"a host with the old address", w3, w2, arp(centralMAC, monitorMAC, 2, centralMAC, centralIP, monitorIP), false, "still an address behind the uplink"})
}

// TestWardPeerWithANewAddress: a peer on the ward, known by its device, gets a
// pair for the address it has now, and keeps that of before.
func TestWardPeerWithANewAddress(t *testing.T) {
	p := parseText(t, monitors("1", `device = "`+centralMAC+`"`))
	at := func(ip string, pairs ...Pair) *Compiled {
		return compile(t, p, snapshot(append(labSnapshot().Devices, dev(centralMAC, "workstation-pc", ip))...), pairs...)
	}
	c := at("10.20.7.201", at("10.20.7.200").Pairs...)
	for _, ip := range []string{"10.20.7.200", "10.20.7.201"} {
		judge(t, c,
			row{"monitor to " + ip, w2, w3, udpf(monitorMAC, monitorIP, centralMAC, ip, 24105, 24105), true, "exempt pair on the ward"},
			row{ip + " to the monitor", w3, w2, udpf(centralMAC, ip, monitorMAC, monitorIP, 1, 2), true, "exempt pair on the ward"})
	}
	c = compile(t, p, labSnapshot(), c.Pairs...)
	judge(t, c, row{"the inventory lost it", w2, w3, udpf(monitorMAC, monitorIP, centralMAC, "10.20.7.201", 1, 2), true, "the pair of before stays"})
}

// TestOrderOfTheBase: what is numbered in the base chain comes in that order, and
// nothing else is there. Quarantine stands behind the exempt pairs.
func TestOrderOfTheBase(t *testing.T) {
	var got []string
	for _, c := range compileLab(t).Table(1).Chains {
		for _, r := range c.Rules {
			if c.Name != ChainForward {
				continue
			}
			place, _, _ := strings.Cut(r.Comment, ":")
			place, _, _ = strings.Cut(place, ",")
			if n := len(got); n == 0 || got[n-1] != place {
				got = append(got, place)
			}
		}
	}
	want := []string{"1 break-glass", "2 claimed address", "3 exempt pair", "3 exempt device", "4 quarantine", "5 trial generation", "6 confirmed generation"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got)\n%s", diff)
	}
}

// TestRouterAsAPeer: between a pump and a server in another network the address
// to borrow is the router's. Declared, and named by a segment, it is guarded.
func TestRouterAsAPeer(t *testing.T) {
	const router = "10.20.7.1"
	text := strings.Replace(monitors("1", `addresses = ["`+centralIP+`"]`), "allow = [", `allow = [{ to = "router", services = ["icmp/echo"] }, `, 1)
	judge(t, compile(t, parseText(t, text+"[peers.router]\naddresses = [\""+router+"\"]\n"), labSnapshot()),
		row{"intruder: arp says it is the router", w3, w2, arp(intruderMAC, monitorMAC, 2, intruderMAC, router, monitorIP), false, "claimed address"},
		row{"the router answers", up, w2, arp(routerMAC, monitorMAC, 2, routerMAC, router, monitorIP), true, "it is behind the uplink"})
}

func TestAddressInTwoPlaces(t *testing.T) {
	text := monitors("1", `addresses = ["`+centralIP+`"]`) + "[peers.bed]\ndevice = \"" + centralMAC + "\"\nstandby = [\"" + centralIP + "\"]\n"
	_, err := Parse("ward.toml", []byte(text), testRoles)
	if want := `ward.toml:12: peer "bed": address "10.20.3.9" is on the ward, and peer "central" has it behind the uplink`; err == nil || err.Error() != want {
		t.Errorf("error\n got %v\nwant %s", err, want)
	}
}

// TestDeviceWithPairsStaysLifeSustaining: what was once confirmed as a monitor
// is not fenced in as a printer because its evidence changed, only because a
// person says so.
func TestDeviceWithPairsStaysLifeSustaining(t *testing.T) {
	p := parseFile(t, "lab.policy.toml")
	pairs := compile(t, p, labSnapshot()).Pairs
	snap := labSnapshot()
	for i := range snap.Devices {
		if d := &snap.Devices[i]; d.MAC == mac(monitorMAC) {
			d.Identity.Role, d.Identity.Class = "printer", device.Support
		}
	}
	pl := p.Place(snap, testRoles, pairs...)
	c, err := Compile(Input{Policy: p, Placement: pl, Pairs: pairs, Internal: internal(), Uplink: up})
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := c.Member(device.ID(monitorMAC)); m.Class != device.LifeSustaining || m.Mode != Stage || !strings.HasPrefix(m.Reason, "it has exempt pairs") {
		t.Errorf("a monitor that looks like a printer: %+v", m)
	}
	judge(t, c,
		row{"its data", w2, up, udpf(monitorMAC, monitorIP, routerMAC, centralIP, 24105, 24105), true, "exempt pair"},
		row{"its connect indication", w2, up, udpf(monitorMAC, monitorIP, everyone, "10.20.7.255", 24005, 24005), true, "only staged"})
	for i := range snap.Devices {
		if d := &snap.Devices[i]; d.MAC == mac(monitorMAC) {
			d.Pin = &device.Pin{Role: "printer", By: "cj", Reason: "label"}
		}
	}
	if m := p.Place(snap, testRoles, pairs...).Members[1]; m.Class != device.Support || m.Mode != Enforce {
		t.Errorf("pinned as a printer: %+v", m)
	}
}
