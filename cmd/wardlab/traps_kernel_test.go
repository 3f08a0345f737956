//go:build linux

package main

// The ten traps of reference/enforcement.md §0 on the real kernel. Each was seen
// to cut or to leak real packets.

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

// named are the rows whose names begin so.
func named(t *testing.T, names ...string) []hosttest.Row {
	t.Helper()
	var out []hosttest.Row
	for _, r := range packets(t) {
		if slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(r.Name, n) }) {
			out = append(out, r)
		}
	}
	if len(out) < len(names) {
		t.Fatalf("%d rows for %q", len(out), names)
	}
	return out
}

func TestKernelTrap01PriorityWithBridgeNetfilter(t *testing.T) {
	// The rules stand before the bridge does, and br_netfilter is active.
	table := compiled(t, "lab.policy.toml").Table(1)
	r := openRig(t, rig.Options{BridgeNetfilter: true, Before: func() {
		if err := linux.NewFirewall(linux.FirewallOptions{}).Apply(context.Background(), table.Load()); err != nil {
			t.Fatal(err)
		}
	}})
	rows := named(t, "an outsider telnets to the pump", "server opens a connection to the pump", "intruder: smb")
	for i, row := range rows { // br_netfilter takes the padding of short frames away
		rows[i].Frame = row.Frame[:14+int(row.Frame[16])<<8+int(row.Frame[17])]
	}
	hosttest.EvalRows(t, r, rows)
}

func TestKernelTrap02ThousandsOfElements(t *testing.T) {
	const n = 3000
	r := openRig(t, rig.Options{})
	key := func(i int) string { return string([]byte{0, 0x11, 0x33, 0, byte(i >> 8), byte(i)}) }
	hash := platform.Set{Name: "device_1", Key: []platform.KeyType{platform.KeyEtherAddr}}
	ranges := platform.Set{Name: "to4_net_1", Interval: true, Key: []platform.KeyType{platform.KeyEtherAddr, platform.KeyIPv4, platform.KeyProto, platform.KeyService}}
	for i := range n {
		hash.Elements = append(hash.Elements, platform.Element{Key: key(i)})
		at := func(ip, port string) string { return key(i) + ip + "\x06" + port }
		ranges.Elements = append(ranges.Elements, platform.Element{Key: at("\x0a\x00\x00\x00", "\x00\x50"), KeyEnd: at("\x0a\xff\xff\xff", "\x00\x5a")})
	}
	want := platform.Table{Family: platform.FamilyBridge, Name: policy.TableName, Sets: []platform.Set{hash, ranges}}
	if err := r.Firewall().Apply(context.Background(), want.Load()); err != nil {
		t.Fatal(err)
	}
	if d := policy.Diff(readTable(t, r), want); !d.Empty() {
		t.Errorf("%s, %d elements are missing", d.Structure, d.Elements)
	}
}

func TestKernelTrap03SmallBuffers(t *testing.T) {
	// Buffers of a user namespace: whatever the error says, reading back tells.
	openRig(t, rig.Options{})
	fw := linux.NewFirewall(linux.FirewallOptions{SocketBuffer: 212_992})
	want := compiled(t, "wide.policy.toml").Table(1)
	for i := range 400 {
		want.Chains = append(want.Chains, platform.Chain{Name: fmt.Sprintf("more_%d_1", i), Rules: []platform.Rule{{Counter: true}, {Counter: true}}})
	}
	if err := fw.Apply(context.Background(), want.Load()); err != nil {
		t.Logf("apply: %v", err)
	}
	got, err := fw.Read(context.Background(), platform.FamilyBridge, policy.TableName)
	if err != nil {
		t.Fatalf("neither committed nor refused cleanly: %v", err)
	}
	if d := policy.Diff(got, want); !d.Empty() {
		t.Errorf("read back: %s, %d elements", d.Structure, d.Elements)
	}
}

func TestKernelTrap04Boxes(t *testing.T) {
	// Overlapping networks and ranges of the policy, made disjoint, are all there.
	r := openRig(t, rig.Options{})
	want := compiled(t, "wide.policy.toml").Table(1)
	if err := r.Firewall().Apply(context.Background(), want.Load()); err != nil {
		t.Fatal(err)
	}
	if d := policy.Diff(readTable(t, r), want); !d.Empty() {
		t.Errorf("%s, %d elements are missing", d.Structure, d.Elements)
	}
}

func TestKernelTrap05RenewedBreakGlass(t *testing.T) {
	r := openRig(t, rig.Options{})
	telnet := named(t, "an outsider telnets to the pump")
	open := func(row hosttest.Row, pass bool) []hosttest.Row {
		row.Want = map[string]bool{hosttest.Ward1: pass}
		return []hosttest.Row{row}
	}
	if err := r.Firewall().Apply(context.Background(), compiled(t, "lab.policy.toml").Table(1).Load()); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for range 2 {
		if err := r.Firewall().Apply(context.Background(), policy.BreakGlass(2*time.Second)); err != nil {
			t.Fatal(err)
		}
		r.Advance(time.Second)
	}
	r.Advance(time.Until(start.Add(2200 * time.Millisecond))) // the first would have ended
	hosttest.EvalRows(t, r, open(telnet[0], true))
	r.Advance(time.Until(start.Add(3500 * time.Millisecond)))
	hosttest.EvalRows(t, r, open(telnet[0], false))
}

func TestKernelTrap06Tagged(t *testing.T) {
	r := openRig(t, rig.Options{})
	rows := packets(t)
	for i := range rows {
		if f := rows[i].Frame; f[12] != 0x81 || f[13] != 0 {
			rows[i].Frame = slices.Concat(f[:12], []byte{0x81, 0, 0, 30}, f[12:])
			rows[i].Name += ", tagged"
		}
	}
	hosttest.EvalTable(t, r, compiled(t, "lab.policy.toml").Table(1), rows)
}

func TestKernelTrap07FragmentsLastLeaks(t *testing.T) {
	// The order of the rules is what holds: with fragment rules last the kernel
	// lets through what the table of packets denies.
	table := compiled(t, "lab.policy.toml").Table(1)
	for i := range table.Chains {
		if c := &table.Chains[i]; c.Name == "leave4_1" || c.Name == "reach4_1" {
			var frag, rest []platform.Rule
			for _, rule := range c.Rules {
				if strings.Contains(policy.RuleText(rule), "fragment&") {
					frag = append(frag, rule)
				} else {
					rest = append(rest, rule)
				}
			}
			end := len(rest) - 1
			c.Rules = slices.Concat(rest[:end], frag, rest[end:])
		}
	}
	r := openRig(t, rig.Options{})
	rows := named(t, "later fragment to a stranger, dressed as dhcp")
	for i := range rows {
		rows[i].Want = map[string]bool{hosttest.Uplink: true} // the leak
	}
	hosttest.EvalTable(t, r, table, rows)
}

func TestKernelTrap08FlipLosesNothing(t *testing.T) {
	// Changes of generation under traffic that both allow, and both deny.
	flips := uint64(60)
	if testing.Short() {
		flips = 20
	}
	r := openRig(t, rig.Options{})
	lab := compiled(t, "lab.policy.toml")
	if err := r.Firewall().Apply(context.Background(), lab.Table(1).Load()); err != nil {
		t.Fatal(err)
	}
	pass := named(t, "a pc of the house prints")[0]
	deny := named(t, "smb to the printer (")[0]
	done := make(chan error, 1)
	go func() {
		fw := linux.NewFirewall(linux.FirewallOptions{})
		do := func(steps []platform.Step) error {
			return fw.Apply(context.Background(), platform.Change{Family: platform.FamilyBridge, Table: policy.TableName, Steps: steps})
		}
		for g := uint64(2); g < 2+flips; g++ {
			next := lab.Table(g)
			have, err := fw.Read(context.Background(), platform.FamilyBridge, policy.TableName)
			for _, steps := range [][]platform.Step{policy.StageSteps(next, g), policy.FlipSteps(next), policy.DropSteps(have, g-1)} {
				if err == nil {
					err = do(steps)
				}
			}
			if err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	sent, lost, leaked := 0, 0, 0
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		default:
		}
		number(pass.Frame, sent)
		number(deny.Frame, sent)
		r.Send(deny.In, deny.Frame)
		r.Send(pass.In, pass.Frame)
		sent++
		for came := false; !came; {
			switch got := r.Receive(hosttest.Ward2, time.Second); {
			case got == nil:
				lost++
				came = true
			case hex.EncodeToString(got) == hex.EncodeToString(pass.Frame):
				came = true
			case hex.EncodeToString(got) == hex.EncodeToString(deny.Frame):
				leaked++
			}
		}
	}
	if lost > 0 || leaked > 0 || sent < 3*int(flips) {
		t.Errorf("of %d packets each, %d allowed ones were lost and %d denied ones leaked", sent, lost, leaked)
	}
}

// number writes a number into the end of a frame's payload.
func number(frame []byte, n int) {
	copy(frame[len(frame)-2:], []byte{byte(n >> 8), byte(n)})
}

func TestKernelTrap09Stateless(t *testing.T) {
	// In the middle of connections: nothing is known of them, and they go on.
	r := openRig(t, rig.Options{})
	hosttest.EvalTable(t, r, compiled(t, "lab.policy.toml").Table(1),
		named(t, "an association runs since before", "dns data over tcp", "central station asks the monitor", "pacs answers"))
}

func TestKernelTrap10LinkLayer(t *testing.T) {
	r := openRig(t, rig.Options{})
	hosttest.EvalTable(t, r, compiled(t, "lab.policy.toml").Table(1), named(t, "pump speaks 802.1x", "printer speaks lldp"))
}
