package policy

import (
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

func TestSizeIsNeverLess(t *testing.T) {
	for name, c := range map[string]*Compiled{"lab": compileLab(t), "wide": compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot()), "none": compile(t, None(), wideSnapshot())} {
		n := 0
		for _, s := range c.Table(1).Sets {
			n += len(s.Elements)
		}
		if got := c.size(); got < n || got > 2*n+10 {
			t.Errorf("%s: size %d, and it has %d elements", name, got, n)
		}
	}
}

// TestFloodOfDevicesIsRefused: as many printers as one port may have, each with
// all the addresses it may have, in a segment whose devices may speak with each
// other. The rules would be millions; making them would end the agent.
func TestFloodOfDevicesIsRefused(t *testing.T) {
	p := parseText(t, `version = 1
[[segment]]
name  = "printers"
roles = ["printer"]
mode  = "enforce"
allow = [{ to = "printers", services = ["tcp/631"] }]
`)
	var flood []device.Device
	for i := range 1024 {
		d := dev(fact.MAC{0, 0x11, 0x33, 0, byte(i >> 8), byte(i)}.String(), "printer")
		for k := range device.MaxIPs {
			d.IPs = append(d.IPs, netip.AddrFrom4([4]byte{10, byte(k), byte(i >> 8), byte(i)}))
		}
		flood = append(flood, d)
	}
	in := Input{Policy: p, Placement: p.Place(snapshot(flood...), testRoles), Internal: internal(), Uplink: up}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Compile(in)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "set elements, at most 200000") {
		t.Errorf("error %v", err)
	}
	if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 64 {
		t.Errorf("%d MiB to say no", mb)
	}
}
