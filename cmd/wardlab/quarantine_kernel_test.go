//go:build linux

package main

// Quarantine on the real kernel: the packets and the verdicts of
// agent/protect/policy.

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

// quarantined is the ward that quarantine.packets.tsv is about: an outsider, the
// printer and the pump are quarantined, the monitor and the pump's peer on the
// ward under the interlock.
func quarantined(t *testing.T, d time.Duration) *policy.Compiled {
	t.Helper()
	mac := func(last byte) fact.MAC { return fact.MAC{0, 0x11, 0x22, 0, 0, last} }
	c := compiled(t, "lab.policy.toml")
	in := c.Input()
	for _, a := range []string{"10.20.7.13", "fd00:20:7::13"} {
		in.Pairs = append(in.Pairs, policy.Pair{Device: device.IDOf(mac(1)), MAC: mac(1), Peer: "bed", Addr: netip.MustParseAddr(a), PeerMAC: mac(3)})
	}
	for _, m := range []byte{0x66, 4, 1, 2, 3} {
		in.Quarantine = append(in.Quarantine, policy.Quarantine{Device: device.IDOf(mac(m)), MAC: mac(m), Interlock: m == 2 || m == 3, Left: d})
	}
	c, err := policy.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestQuarantineVerdictsOnKernel(t *testing.T) {
	rows := packetsOf(t, "quarantine.packets.tsv")
	if len(rows) < 50 {
		t.Fatalf("%d rows, want at least 50", len(rows))
	}
	r := openRig(t, rig.Options{})
	hosttest.EvalTable(t, r, quarantined(t, time.Hour).Table(1), rows)
	for _, q := range policy.QuarantinesIn(readTable(t, r)) {
		if q.Left < 50*time.Minute || q.Left > time.Hour {
			t.Errorf("%s has %v left of an hour", q.Device, q.Left)
		}
	}
}

// TestKernelQuarantineEndsByItself, and an exempt device has its pairs back; what
// is renewed does not end before (trap 5); what is released is free at once.
func TestKernelQuarantineEndsByItself(t *testing.T) {
	r := openRig(t, rig.Options{})
	ctx := context.Background()
	put := func(m byte, interlock bool, d time.Duration) {
		t.Helper()
		mac := fact.MAC{0, 0x11, 0x22, 0, 0, m}
		if err := r.Firewall().Apply(ctx, policy.QuarantineChange(policy.Quarantine{Device: device.IDOf(mac), MAC: mac, Interlock: interlock, Left: d})); err != nil {
			t.Fatal(err)
		}
	}
	passes := func(when, name string, pass bool) {
		t.Helper()
		row := named(t, name)[:1]
		row[0].Name, row[0].Want = when+": "+name, map[string]bool{hosttest.Uplink: pass}
		hosttest.EvalRows(t, r, row)
	}
	if err := r.Firewall().Apply(ctx, compiled(t, "lab.policy.toml").Table(1).Load()); err != nil {
		t.Fatal(err)
	}
	const pump, monitor = "pump opens tls to its server", "monitor data to the central station"
	put(1, false, time.Hour)
	passes("quarantine", pump, true)
	put(1, true, 3*time.Second)
	put(2, true, 3*time.Second)
	put(2, true, time.Hour)
	passes("interlock", pump, false)
	passes("interlock", monitor, false)
	r.Advance(4500 * time.Millisecond)
	passes("over", pump, true)
	passes("renewed", monitor, false)
	for range 2 {
		if err := r.Firewall().Apply(ctx, policy.ReleaseChange(fact.MAC{0, 0x11, 0x22, 0, 0, 2})); err != nil {
			t.Fatal(err)
		}
		passes("released", monitor, true)
	}
	if left := policy.QuarantinesIn(readTable(t, r)); len(left) != 0 {
		t.Errorf("the kernel still has %+v", left)
	}
	if strings.Count(policy.TableText(readTable(t, r)), " for ") != 0 {
		t.Error("something with a timeout is left")
	}
}
