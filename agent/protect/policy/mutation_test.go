package policy

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// counters are the packets counted in each chain.
func counters(t testing.TB, fw *fake.Firewall) map[string]uint64 {
	t.Helper()
	table, err := fw.Read(context.Background(), platform.FamilyBridge, TableName)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]uint64{}
	for _, c := range table.Chains {
		for _, r := range c.Rules {
			if r.Counter {
				out[c.Name] += r.Packets
			}
		}
	}
	return out
}

// chainOf finds a chain to mutate.
func chainOf(t testing.TB, table *platform.Table, name string) *platform.Chain {
	t.Helper()
	for i := range table.Chains {
		if table.Chains[i].Name == name {
			return &table.Chains[i]
		}
	}
	t.Fatalf("no chain %s", name)
	return nil
}

// without removes the rules whose text holds the part.
func without(t testing.TB, table *platform.Table, chain, part string) {
	t.Helper()
	c := chainOf(t, table, chain)
	n := len(c.Rules)
	c.Rules = slices.DeleteFunc(c.Rules, func(r platform.Rule) bool { return contains(RuleText(r), part) })
	if len(c.Rules) == n {
		t.Fatalf("chain %s has no rule with %q", chain, part)
	}
}

// TestMutationsAreNoticed breaks the rules in the ways that were seen to leak or
// to cut, and wants the table of packets to notice.
func TestMutationsAreNoticed(t *testing.T) {
	last := func(t testing.TB, table *platform.Table, chain string) {
		c := chainOf(t, table, chain)
		var frag, rest []platform.Rule
		for _, r := range c.Rules {
			if contains(RuleText(r), "fragment&") {
				frag = append(frag, r)
			} else {
				rest = append(rest, r)
			}
		}
		end := len(rest) - 1 // before the refusal
		c.Rules = slices.Concat(rest[:end], frag, rest[end:])
	}
	tests := []struct {
		name   string
		mutate func(t testing.TB, table *platform.Table)
		notice string // a row that must be misjudged
	}{
		{"fragment rules last, leaving", func(t testing.TB, x *platform.Table) { last(t, x, "leave4_1") }, "later fragment to a stranger, dressed as dhcp"},
		{"fragment rules last, reaching", func(t testing.TB, x *platform.Table) { last(t, x, "reach4_1") }, "later fragment of a stranger, dressed as dhcp"},
		{"no fragment rules, ipv6", func(t testing.TB, x *platform.Table) { without(t, x, "reach6_1", "in pair6_net_1 return  # later") }, "later fragment to the printer over ipv6"},
		{"no fragment rules", func(t testing.TB, x *platform.Table) { without(t, x, "leave4_1", "in pair4_1") }, "later fragment to dns"},
		{"no claimed-address drop", func(t testing.TB, x *platform.Table) { without(t, x, "forward", "claim4") }, "intruder: arp says it is the server"},
		{"no claim by advertisement", func(t testing.TB, x *platform.Table) { without(t, x, "forward", "nd-target in claim6") }, "intruder: advertises the server's address"},
		{"answers may open", func(t testing.TB, x *platform.Table) {
			for _, name := range []string{"reach4_1", "leave4_1"} {
				for i, r := range chainOf(t, x, name).Rules {
					chainOf(t, x, name).Rules[i].Matches = slices.DeleteFunc(r.Matches, func(m platform.Match) bool { return m.Fields[0] == platform.TCPFlags })
				}
			}
		}, "dns opens a connection from port 53"},
		{"no exempt pairs", func(t testing.TB, x *platform.Table) { without(t, x, "forward", "exempt pair") }, "server pings the pump"},
		{"exempt whatever the port", func(t testing.TB, x *platform.Table) {
			c := chainOf(t, x, "forward")
			for i, r := range c.Rules {
				c.Rules[i].Matches = slices.DeleteFunc(r.Matches, func(m platform.Match) bool { return m.Fields[0] == platform.MetaOIFName && m.Op == platform.OpEq })
			}
		}, "pump to its server out of a ward port"},
		{"dhcp from anywhere", func(t testing.TB, x *platform.Table) {
			c := chainOf(t, x, "reach4_1")
			for i, r := range c.Rules {
				c.Rules[i].Matches = slices.DeleteFunc(r.Matches, func(m platform.Match) bool { return m.Fields[0] == platform.MetaIIFName })
			}
		}, "intruder: forged dhcp answer to the pump"},
		{"group frames unchecked", func(t testing.TB, x *platform.Table) { without(t, x, "gen_1", "own4") }, "intruder: unicast to the pump in a broadcast frame"},
		{"housekeeping accepts instead of returning", func(t testing.TB, x *platform.Table) {
			c := chainOf(t, x, "leave4_1")
			for i := range c.Rules {
				if contains(RuleText(c.Rules[i]), "DHCP") {
					c.Rules[i].Verdict = accept()
				}
			}
		}, "intruder: the printer's mac, dhcp to the pump"},
		{"one side is enough", func(t testing.TB, x *platform.Table) { without(t, x, "gen_1", "mac-to in device_1") }, "intruder: smb to the pump"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := compileLab(t).Table(1)
			tt.mutate(t, &table)
			wrong := misjudged(t, table)
			if !slices.ContainsFunc(wrong, func(w string) bool { return strings.HasPrefix(w, tt.notice+" (") }) {
				t.Errorf("%q is judged as before; misjudged are %d:\n%s", tt.notice, len(wrong), strings.Join(wrong, "\n"))
			}
		})
	}
}
