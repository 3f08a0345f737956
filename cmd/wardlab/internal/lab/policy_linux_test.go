package lab

import (
	"context"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/linux"
	"github.com/wardkeeper/wardkeeper/rules"
)

// The compiled policy of the lab, in the kernel before the ward exists and
// without any agent, keeps the intruder out and loses no clinical packet: the
// hosts' own counts say so. What the run is then blamed for is only that nobody
// observed and reported.
func TestCompiledPolicyHoldsTheWard(t *testing.T) {
	if why := os.Getenv(refusedEnv); why != "" {
		t.Skip(why)
	}
	if testing.Short() {
		t.Skip("takes 15 s")
	}
	const seed = 11
	firewall := linux.NewFirewall(linux.FirewallOptions{})
	table := compiled(t, cast.New(seed))
	change := platform.Change{Family: platform.FamilyBridge, Table: policy.TableName,
		Steps: append([]platform.Step{{DeleteTable: &struct{}{}}, {AddTable: &struct{}{}}}, create(table)...)}
	if err := firewall.Apply(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		change.Steps = []platform.Step{{DeleteTable: &struct{}{}}}
		if err := firewall.Apply(context.Background(), change); err != nil {
			t.Error(err)
		}
	})
	var live strings.Builder
	s, err := Run(t.Context(), Options{For: leastRun, Seed: seed, Mode: "enforce", NoAgent: true, Out: io.Discard, Live: &live})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"no agent ran: nobody observed, enforced or reported"}, s.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s\n%s", diff, live.String())
	}
	for _, chain := range []string{"claim_drop", "drop_reach_infusion", "drop_leave_infusion", "drop_reach_monitoring", "drop_reach_imaging", "drop_reach_printers"} {
		if s.Kernel[chain] == 0 {
			t.Errorf("the kernel counted nothing in %s: %v", chain, s.Kernel)
		}
	}
}

// compiled is the table of the lab's policy for a ward whose roles are all
// confirmed.
func compiled(t *testing.T, c *cast.Cast) platform.Table {
	t.Helper()
	text, err := Policy(c, "enforce")
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse("policy.toml", []byte(text), set.Roles.Class)
	if err != nil {
		t.Fatal(err)
	}
	snap := &device.Snapshot{Seq: 1}
	for _, part := range cast.Parts() {
		if part.Role() == "" {
			continue
		}
		m := c.Member(part)
		role := device.Role(part.Role())
		class, ok := set.Roles.Class(role)
		if !ok {
			t.Fatalf("no role %s", role)
		}
		snap.Devices = append(snap.Devices, device.Device{ID: device.IDOf(fact.MAC(m.MAC)), MAC: fact.MAC(m.MAC), Port: part.Port(), IPs: []netip.Addr{m.Addr},
			Identity: device.Identity{Role: role, Class: class, Confidence: device.Confirmed}})
	}
	slices.SortFunc(snap.Devices, func(a, b device.Device) int { return strings.Compare(string(a.ID), string(b.ID)) })
	out, err := policy.Compile(policy.Input{Policy: p, Placement: p.Place(snap, set.Roles.Class), Internal: []netip.Prefix{c.Subnet}, Uplink: ward.Uplink})
	if err != nil {
		t.Fatal(err)
	}
	return out.Table(1)
}

// create makes a whole table: elements of maps name chains, and rules name sets.
func create(t platform.Table) []platform.Step {
	var bare, sets, rules []platform.Step
	for _, c := range t.Chains {
		empty, full := c, c
		empty.Rules, full.Hook = nil, nil
		bare = append(bare, platform.Step{AddChain: &empty})
		if len(c.Rules) > 0 {
			rules = append(rules, platform.Step{AddChain: &full})
		}
	}
	for _, s := range t.Sets {
		sets = append(sets, platform.Step{AddSet: &s})
	}
	return slices.Concat(bare, sets, rules)
}
