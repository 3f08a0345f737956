//go:build linux

package main

// The compiled policy of a lab ward on the real kernel: the same table of
// packets, with a person's verdicts, that agent/protect/policy judges on the
// fake. It stands here because the agent may not know platform/linux.

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

// TestMain runs the package's tests in a namespace of their own.
func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

const policyData = "../../agent/protect/policy/testdata/"

func openRig(t *testing.T, opt rig.Options) *rig.Rig {
	t.Helper()
	opt.Firewall = func() platform.Firewall { return linux.NewFirewall(linux.FirewallOptions{}) }
	return rig.Open(t, opt)
}

func wardRoles(r device.Role) (device.SafetyClass, bool) {
	switch r {
	case "infusion-pump-lvp", "infusion-pump-syringe", "patient-monitor", "ventilator":
		return device.LifeSustaining, true
	case "ultrasound", "lab-analyser":
		return device.Clinical, true
	case "printer", "ip-camera":
		return device.Support, true
	}
	return device.Other, r == "workstation-pc"
}

// wardSnapshot is the ward that agent/protect/policy's packets are about.
func wardSnapshot(t *testing.T) *device.Snapshot {
	t.Helper()
	snap := &device.Snapshot{Seq: 1}
	for _, d := range []struct {
		mac  string
		role device.Role
		ips  []string
	}{
		{"00:11:22:00:00:01", "infusion-pump-lvp", []string{"10.20.7.11", "fd00:20:7::11"}},
		{"00:11:22:00:00:02", "patient-monitor", []string{"10.20.7.12"}},
		{"00:11:22:00:00:03", "ultrasound", []string{"10.20.7.13"}},
		{"00:11:22:00:00:04", "printer", []string{"10.20.7.14"}},
		{"00:11:22:00:00:05", "ip-camera", []string{"10.20.7.15"}},
	} {
		m, err := fact.ParseMAC(d.mac)
		if err != nil {
			t.Fatal(err)
		}
		class, _ := wardRoles(d.role)
		x := device.Device{ID: device.IDOf(m), MAC: m, Identity: device.Identity{Role: d.role, Class: class, Confidence: device.Confirmed}}
		for _, ip := range d.ips {
			x.IPs = append(x.IPs, netip.MustParseAddr(ip))
		}
		snap.Devices = append(snap.Devices, x)
	}
	return snap
}

func wardPolicy(t *testing.T, name string) *policy.Policy {
	t.Helper()
	data, err := os.ReadFile(policyData + name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(name, data, wardRoles)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func compiled(t *testing.T, name string) *policy.Compiled {
	t.Helper()
	p := wardPolicy(t, name)
	c, err := policy.Compile(policy.Input{Policy: p, Placement: p.Place(wardSnapshot(t), wardRoles), Uplink: hosttest.Uplink,
		Internal: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// packets are the rows of lab.packets.tsv.
func packets(t *testing.T) []hosttest.Row {
	t.Helper()
	return packetsOf(t, "lab.packets.tsv")
}

func packetsOf(t *testing.T, file string) []hosttest.Row {
	t.Helper()
	data, err := os.ReadFile(policyData + file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []hosttest.Row
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		f := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 6 {
			t.Fatalf("row of %d fields: %s", len(f), line)
		}
		frame, err := hex.DecodeString(f[5])
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, hosttest.Row{Name: f[0] + " (" + f[4] + ")", In: f[1], Frame: frame, Want: map[string]bool{f[2]: f[3] == "pass"}})
	}
	return rows
}

func TestPolicyVerdictsOnKernel(t *testing.T) {
	rows := packets(t)
	if len(rows) < 60 {
		t.Fatalf("%d rows, want at least 60", len(rows))
	}
	r := openRig(t, rig.Options{})
	hosttest.EvalTable(t, r, compiled(t, "lab.policy.toml").Table(1), rows)
}

func TestPolicyReadsBackAsWritten(t *testing.T) {
	r := openRig(t, rig.Options{})
	for _, name := range []string{"lab.policy.toml", "wide.policy.toml"} {
		want := compiled(t, name).Table(3)
		if err := r.Firewall().Apply(context.Background(), want.Load()); err != nil {
			t.Fatal(err)
		}
		if d := policy.Diff(readTable(t, r), want); !d.Empty() {
			t.Errorf("%s: %s, %d elements", name, d.Structure, d.Elements)
		}
		if diff := cmp.Diff(want.Static(), readTable(t, r).Static()); diff != "" {
			t.Errorf("%s (-written +read)\n%s", name, diff)
		}
	}
}

func readTable(t *testing.T, r *rig.Rig) platform.Table {
	t.Helper()
	table, err := r.Firewall().Read(context.Background(), platform.FamilyBridge, policy.TableName)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestPolicyListedByNft compares with what nft itself says of the table, and
// that applying it twice changes nothing of it.
func TestPolicyListedByNft(t *testing.T) {
	nft, err := exec.LookPath("nft")
	if err != nil {
		if nft = "/usr/sbin/nft"; !exists(nft) {
			t.Skip("needs the package nftables")
		}
	}
	r := openRig(t, rig.Options{})
	list := func() []byte {
		t.Helper()
		out, err := exec.Command(nft, "-s", "-nn", "list", "table", "bridge", policy.TableName).CombinedOutput()
		if err != nil {
			t.Fatalf("nft: %v: %s", err, out)
		}
		return out
	}
	table := compiled(t, "lab.policy.toml").Table(1)
	var first []byte
	for i := range 2 {
		if err := r.Firewall().Apply(context.Background(), table.Load()); err != nil {
			t.Fatal(err)
		}
		got := list()
		if i == 0 {
			first = got
		} else if diff := cmp.Diff(string(first), string(got)); diff != "" {
			t.Errorf("applied twice (-once +twice)\n%s", diff)
		}
	}
	golden := filepath.Join("testdata", "lab.nft.txt")
	if os.Getenv("WARDLAB_UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, first, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, first) {
		t.Errorf("nft lists another table than %s (made with WARDLAB_UPDATE=1):\n%s", golden, cmp.Diff(string(want), string(first)))
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
