package policy

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

func readBack(t testing.TB, fw *fake.Firewall) platform.Table {
	t.Helper()
	table, err := fw.Read(context.Background(), platform.FamilyBridge, TableName)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func applySteps(t testing.TB, fw *fake.Firewall, steps []platform.Step) {
	t.Helper()
	if err := fw.Apply(context.Background(), platform.Change{Family: platform.FamilyBridge, Table: TableName, Steps: steps}); err != nil {
		t.Fatal(err)
	}
}

func TestDeviceChangesAreElements(t *testing.T) {
	p := parseFile(t, "wide.policy.toml")
	all := wideSnapshot()
	fw, _ := loadFake(t, compile(t, p, all).Table(1))
	fewer := wideSnapshot()
	fewer.Devices = fewer.Devices[1:4]
	fewer.Devices[0].IPs = []netip.Addr{netip.MustParseAddr("10.20.9.200")}
	gone := snapshot()
	staged := wideSnapshot()
	staged.Devices[0].Identity.Confidence = 2
	for i, snap := range []*struct{ want platform.Table }{
		{compile(t, p, fewer).Table(1)}, {compile(t, p, gone).Table(1)}, {compile(t, p, staged).Table(1)}, {compile(t, p, all).Table(1)},
	} {
		d := Diff(readBack(t, fw), snap.want)
		if d.Structure != "" || d.Elements == 0 {
			t.Fatalf("change %d: structure %q, %d elements", i, d.Structure, d.Elements)
		}
		for _, steps := range [][]platform.Step{d.Open, d.Switch, d.Close} {
			applySteps(t, fw, steps)
		}
		if d := Diff(readBack(t, fw), snap.want); !d.Empty() {
			t.Fatalf("change %d: still differs: %+v", i, d)
		}
	}
}

// TestNothingIsCutInBetween: packets that pass before and after a change of
// devices pass between its transactions as well.
func TestNothingIsCutInBetween(t *testing.T) {
	p := parseFile(t, "lab.policy.toml")
	none, lab := compile(t, p, snapshot()), compileLab(t)
	for name, step := range map[string][2]*Compiled{"devices come": {none, lab}, "devices go": {lab, none}} {
		fw, _ := loadFake(t, step[0].Table(1))
		verdicts := func() (out []bool) {
			for _, r := range rows() {
				out = append(out, r.on(fw))
			}
			return out
		}
		d := Diff(readBack(t, fw), step[1].Table(1))
		states := [][]bool{verdicts()}
		for _, steps := range [][]platform.Step{d.Open, d.Switch, d.Close} {
			applySteps(t, fw, steps)
			states = append(states, verdicts())
		}
		for i, r := range rows() {
			if states[0][i] && states[3][i] && !(states[1][i] && states[2][i]) {
				t.Errorf("%s: %s: passes before and after, but not in between", name, r.name)
			}
		}
	}
}

func TestDiffNamesStructure(t *testing.T) {
	c := compileLab(t)
	want := c.Table(2)
	tests := []struct {
		name   string
		mutate func(*platform.Table)
		want   string
	}{
		{"same", func(*platform.Table) {}, ""},
		{"a chain is gone", func(x *platform.Table) { x.Chains = x.Chains[1:] }, "chain care is missing"},
		{"a rule is gone", func(x *platform.Table) { chainOf(t, x, ChainForward).Rules = chainOf(t, x, ChainForward).Rules[1:] }, "chain forward has other rules"},
		{"another generation is in force", func(x *platform.Table) { chainOf(t, x, ChainConfirmed).Rules[0].Verdict.Chain = "gen_1" }, "chain confirmed has other rules"},
		{"a rule of a generation", func(x *platform.Table) { chainOf(t, x, "leave4_2").Rules = nil }, "chain leave4_2 has other rules"},
		{"a set is gone", func(x *platform.Table) { x.Sets = x.Sets[1:] }, "set broadcast_2 is missing"},
		{"a set of another kind", func(x *platform.Table) { x.Sets[0].Counter = true }, "set broadcast_2 is of another kind"},
		{"a stranger's chain", func(x *platform.Table) { x.Chains = append(x.Chains, platform.Chain{Name: "mine"}) }, "chain mine is not ours"},
		{"a stranger's rule", func(x *platform.Table) { chainOf(t, x, ChainQuarantine).Rules = []platform.Rule{{Foreign: true}} }, "chain quarantine has other rules"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have := c.Table(2).Canonical()
			tt.mutate(&have)
			if d := Diff(have, want); d.Structure != tt.want {
				t.Errorf("structure %q, want %q", d.Structure, tt.want)
			}
		})
	}
}

func TestGenerationsChange(t *testing.T) {
	fw, _ := loadFake(t, compileLab(t).Table(1))
	next := compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot()).Table(2)
	applySteps(t, fw, StageSteps(next, 2))
	have := readBack(t, fw)
	if !Diff(Generation(have, 2), Generation(next, 2)).Empty() {
		t.Error("generation 2 is not found staged")
	}
	if n, comment := Confirmed(have); n != 1 || comment != compileLab(t).Comment() {
		t.Errorf("generation %d %q is in force, want 1", n, comment)
	}
	for _, w := range misjudgedBy(fw) {
		t.Errorf("staging changed the verdict: %s", w)
	}
	applySteps(t, fw, FlipSteps(next))
	applySteps(t, fw, DropSteps(readBack(t, fw), 1))
	if got := fmt.Sprint(Generations(readBack(t, fw))); got != "[2]" {
		t.Errorf("generations %s", got)
	}
}

func misjudgedBy(fw *fake.Firewall) (wrong []string) {
	for _, r := range rows() {
		if r.on(fw) != r.pass {
			wrong = append(wrong, r.name)
		}
	}
	return wrong
}

func TestGenOf(t *testing.T) {
	for name, want := range map[string]uint64{"gen_7": 7, "drop_leave_ward_3_12": 12, "open_all": 0, "claim4": 0, "x_07": 0, "x_": 0, "_9": 9, "to4_18446744073709551616": 0} {
		if got := genOf(name); got != want {
			t.Errorf("genOf(%s) = %d, want %d", name, got, want)
		}
	}
}

func TestRepairKeepsWhatIsInForce(t *testing.T) {
	c := compileLab(t)
	want := c.Table(1)
	for name, damage := range map[string][]platform.Step{
		"rules gone":       {{FlushChain: ChainForward}},
		"a stranger's":     {{AddChain: &platform.Chain{Name: "mine", Hook: &platform.Hook{Point: platform.HookForward, Priority: -300, Drop: true}}}, {AddSet: &platform.Set{Name: "mine_too", Key: []platform.KeyType{platform.KeyIPv4}}}},
		"a rule in ours":   {{AddChain: &platform.Chain{Name: ChainQuarantine, Rules: []platform.Rule{{Verdict: platform.Verdict{Kind: platform.Drop}}}}}},
		"an element":       {{AddElements: &platform.SetElements{Set: "claim4", Elements: []platform.Element{{Key: "\x0a\x00\x00\x01"}}}}},
		"another hook":     {{FlushChain: ChainForward}, {DeleteChain: ChainForward}, {AddChain: &platform.Chain{Name: ChainForward, Hook: &platform.Hook{Point: platform.HookForward}}}},
		"a set of another": {{FlushChain: ChainForward}, {DeleteSet: "claim6"}, {AddSet: &platform.Set{Name: "claim6", Key: []platform.KeyType{platform.KeyIPv4}}}},
	} {
		fw, _ := loadFake(t, want)
		if err := fw.Apply(context.Background(), BreakGlass(time.Hour)); err != nil {
			t.Fatal(err)
		}
		applySteps(t, fw, damage)
		if Diff(Base(readBack(t, fw)), Base(want)).Structure != "" {
			applySteps(t, fw, RepairSteps(readBack(t, fw), want))
		}
		d := Diff(readBack(t, fw), want)
		applySteps(t, fw, d.Close)
		applySteps(t, fw, d.Switch)
		if d := Diff(readBack(t, fw), want); !d.Empty() {
			t.Errorf("%s: after the repair: %+v", name, d)
		}
		for _, s := range readBack(t, fw).Sets {
			if s.Name == SetOpenAll && len(s.Elements) != 1 {
				t.Errorf("%s: the repair closed break-glass", name)
			}
		}
	}
}
