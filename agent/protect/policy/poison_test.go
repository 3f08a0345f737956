package policy

import (
	"net/netip"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// What an intruder makes the inventory believe by sending under addresses that
// are not its own must neither open a device nor cut one off.

func judge(t *testing.T, c *Compiled, rows ...row) {
	t.Helper()
	fw, _ := loadFake(t, c.Table(1))
	for _, r := range rows {
		if got := r.on(fw); got != r.pass {
			t.Errorf("%s: passes %v, want %v (%s)", r.name, got, r.pass, r.why)
		}
		if p, ok := r.frame.packet(r.in, r.out); ok {
			if e := c.Explain(p); (e.Verdict != Deny) != r.pass {
				t.Errorf("%s: explained as %v, want pass %v (%s)", r.name, e, r.pass, r.why)
			}
		}
	}
}

// stagedStranger is a host that is only staged, and whose MAC sorts first.
func stagedStranger(ips ...string) device.Device {
	d := dev("00:01:00:00:00:01", "workstation-pc", ips...)
	d.Identity.Confidence = device.Candidate
	return d
}

func TestStagedHostWithThePumpsAddress(t *testing.T) {
	p := parseFile(t, "lab.policy.toml")
	p.Default = Stage
	snap := labSnapshot()
	snap = snapshot(append(snap.Devices, stagedStranger(pumpIP, pumpIP6))...)
	judge(t, compile(t, p, snap),
		row{"udp to the pump in a broadcast frame", w3, w1, udpf(intruderMAC, intruderIP, everyone, pumpIP, 1, 2), false, "the sternest owner decides"},
		row{"the same over ipv6", w3, w1, udpf(intruderMAC, "fd00:20:7::66", "33:33:00:00:00:01", pumpIP6, 1, 2), false, "the sternest owner decides"})
}

func TestHostWithTheServersAddress(t *testing.T) {
	// A cluster of servers may use a group MAC for its one address.
	snap := labSnapshot()
	for i := range snap.Devices {
		if snap.Devices[i].MAC == mac(printerMAC) {
			snap.Devices[i].IPs = append(snap.Devices[i].IPs, netip.MustParseAddr(pacsIP), netip.MustParseAddr("10.20.7.255"))
		}
	}
	judge(t, compile(t, parseFile(t, "lab.policy.toml"), snap),
		row{"ultrasound to the pacs, a cluster", w1, up, tcp(ultrasoundMAC, ultrasoundIP, "03:bf:0a:14:04:07", pacsIP, 40000, 104, syn), true, "the pacs is behind the uplink"},
		row{"a host's directed broadcast", w3, up, udpf(intruderMAC, intruderIP, everyone, "10.20.7.255", 138, 138), true, "a broadcast is nobody's own address"})
}
