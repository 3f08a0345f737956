package platform

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChangeValidate(t *testing.T) {
	mac := MACKey([6]byte{2, 0, 0, 0, 0, 1})
	set := func(s Set) Step { s.Name = "s"; return Step{AddSet: &s} }
	rule := func(r Rule) Step { return Step{AddChain: &Chain{Name: "c", Rules: []Rule{r}}} }
	match := func(m ...Match) Step { return rule(Rule{Matches: m}) }
	v6 := Match{Fields: []Field{MetaL4Proto}, Op: OpEq, Value: ByteKey(58)}
	tests := []struct {
		name string
		step Step
		want string
	}{
		{"nothing", Step{}, "step 0: 0 actions, want 1"},
		{"two", Step{DeleteSet: "a", DeleteChain: "b"}, "step 0: 2 actions, want 1"},
		{"no key", set(Set{}), "step 0: set s: 0 key fields, want 1 to 5"},
		{"unknown key", set(Set{Key: []KeyType{99}}), "step 0: set s: unknown key type 99"},
		{"short key", set(Set{Key: []KeyType{KeyEtherAddr}, Elements: []Element{{Key: "ab"}}}),
			"step 0: set s: element 6162: key of 2 bytes, want 6"},
		{"range in hash", set(Set{Key: []KeyType{KeyEtherAddr}, Elements: []Element{{Key: mac, KeyEnd: mac}}}),
			"step 0: set s: element 020000000001: range in a set without intervals"},
		{"backwards in the second field", set(Set{Interval: true, Key: []KeyType{KeyProto, KeyService}, Elements: []Element{{Key: "\x06\x00\x09", KeyEnd: "\x07\x00\x08"}}}),
			"step 0: set s: element 060009: field 1 ends before it begins"},
		{"timeout", set(Set{Key: []KeyType{KeyEtherAddr}, Elements: []Element{{Key: mac, Timeout: 1}}}),
			"step 0: set s: element 020000000001: timeout in a set without timeouts"},
		{"map without verdict", set(Set{Map: true, Key: []KeyType{KeyEtherAddr}, Elements: []Element{{Key: mac}}}),
			"step 0: set s: element 020000000001: a verdict belongs into each element of a map, and only there"},
		{"chain name", Step{AddChain: &Chain{Name: "a b"}}, `step 0: chain: name "a b": want letters, digits and _`},
		{"hook", Step{AddChain: &Chain{Name: "c", Hook: &Hook{}}}, "step 0: chain c: unknown hook 0"},
		{"field", match(Match{Fields: []Field{77}, Op: OpEq}), "step 0: chain c: rule 0: match 0: unknown field 77"},
		{"value", match(Match{Fields: []Field{THDport}, Op: OpEq, Value: "a"}), "step 0: chain c: rule 0: match 0: value of 1 bytes, want 2 and no set"},
		{"two fields", match(Match{Fields: []Field{EtherSaddr, IPv4Daddr}, Op: OpIn, Values: []string{"a"}}), "step 0: chain c: rule 0: match 0: 2 fields"},
		{"twice", match(Match{Fields: []Field{MetaL4Proto}, Op: OpIn, Values: []string{"a", "a"}}), "step 0: chain c: rule 0: match 0: value 61 twice"},
		{"icmpv6 without protocol", match(Match{Fields: []Field{ICMPv6Type}, Op: OpEq, Value: "\x87"}),
			"step 0: chain c: rule 0: match 0: an ICMPv6 type wants meta l4proto 58 before it in the rule"},
		{"icmpv6", match(v6, Match{Fields: []Field{ICMPv6Type}, Op: OpEq, Value: "\x87"}), ""},
		{"icmp after 58", match(v6, Match{Fields: []Field{ICMPType}, Op: OpEq, Value: "\x08"}),
			"step 0: chain c: rule 0: match 1: an ICMP type cannot follow meta l4proto 58"},
		{"jump nowhere", rule(Rule{Verdict: Verdict{Kind: Jump}}), `step 0: chain c: rule 0: verdict 4 with chain ""`},
		{"drop somewhere", rule(Rule{Verdict: Verdict{Kind: Drop, Chain: "x"}}), `step 0: chain c: rule 0: verdict 2 with chain "x"`},
		{"limit", rule(Rule{Limit: &Limit{PerSecond: 5}}), "step 0: chain c: rule 0: limit without rate or burst"},
		{"foreign", rule(Rule{Foreign: true}), "step 0: chain c: rule 0: a rule of someone else cannot be loaded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Change{Family: FamilyBridge, Table: "t", Steps: []Step{tt.step}}.Validate()
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestCanonical(t *testing.T) {
	a := Table{
		Name: "t", Sets: []Set{{Name: "b"}, {Name: "a", Elements: []Element{{Key: "2", KeyEnd: "2", Expires: 9}, {Key: "1", Packets: 1}}}},
		Chains: []Chain{{Name: "c", Rules: []Rule{{Packets: 4, Matches: []Match{{Values: []string{"z", "y"}}}}, {}}, Hook: &Hook{}}},
	}
	b := Table{
		Name: "t", Sets: []Set{{Name: "a", Elements: []Element{{Key: "1"}, {Key: "2"}}}, {Name: "b", Elements: []Element{}}},
		Chains: []Chain{{Name: "c", Rules: []Rule{{Matches: []Match{{Values: []string{"y", "z"}}}}, {Matches: []Match{}}}, Hook: &Hook{}}},
	}
	if diff := cmp.Diff(b.Static(), a.Static()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	a.Static().Chains[0].Hook.Drop = true
	if a.Chains[0].Hook.Drop || a.Sets[0].Name != "b" || a.Chains[0].Rules[0].Packets != 4 {
		t.Error("the original was changed")
	}
}
