package policy

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

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
		d := Diff(readBack(t, fw), snap.want, 1)
		if d.Structure != "" || d.Elements == 0 {
			t.Fatalf("change %d: structure %q, %d elements", i, d.Structure, d.Elements)
		}
		for _, steps := range [][]platform.Step{d.Open, d.Switch, d.Close} {
			applySteps(t, fw, steps)
		}
		if d := Diff(readBack(t, fw), snap.want, 1); !d.Empty() {
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
		d := Diff(readBack(t, fw), step[1].Table(1), 1)
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
		base   bool
	}{
		{"same", func(*platform.Table) {}, "", false},
		{"a chain is gone", func(x *platform.Table) { x.Chains = x.Chains[1:] }, "chain care is missing", true},
		{"a rule is gone", func(x *platform.Table) { chainOf(t, x, ChainForward).Rules = chainOf(t, x, ChainForward).Rules[1:] }, "chain forward has other rules", true},
		{"another generation is in force", func(x *platform.Table) { chainOf(t, x, ChainConfirmed).Rules[0].Verdict.Chain = "gen_1" }, "chain confirmed has other rules", false},
		{"a rule of a generation", func(x *platform.Table) { chainOf(t, x, "leave4_2").Rules = nil }, "chain leave4_2 has other rules", false},
		{"a set is gone", func(x *platform.Table) { x.Sets = x.Sets[1:] }, "set broadcast_2 is missing", false},
		{"a set of another kind", func(x *platform.Table) { x.Sets[0].Counter = true }, "set broadcast_2 is of another kind", false},
		{"a stranger's chain", func(x *platform.Table) { x.Chains = append(x.Chains, platform.Chain{Name: "mine"}) }, "mine is not ours", true},
		{"a stranger's rule", func(x *platform.Table) { chainOf(t, x, ChainQuarantine).Rules = []platform.Rule{{Foreign: true}} }, "chain quarantine has other rules", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			have := c.Table(2).Canonical()
			tt.mutate(&have)
			d := Diff(have, want, 2)
			if d.Structure != tt.want || d.Base != tt.base {
				t.Errorf("structure %q, base %v, want %q, %v", d.Structure, d.Base, tt.want, tt.base)
			}
		})
	}
}

func TestGenerationsChange(t *testing.T) {
	fw, _ := loadFake(t, compileLab(t).Table(1))
	next := compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot()).Table(2)
	applySteps(t, fw, StageSteps(next, 2))
	have := readBack(t, fw)
	if !Staged(have, next, 2) {
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
	if got := fmt.Sprint(Generations(readBack(t, fw))); got != "map[2:true]" {
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
