package policy

import (
	"slices"

	"github.com/wardkeeper/wardkeeper/platform"
)

// StageSteps are the steps that add generation n of the table, unreachable.
func StageSteps(t platform.Table, n uint64) []platform.Step {
	return create(t, func(name string) bool { return genOf(name) == n })
}

// create makes the named parts of a table. Elements of maps name chains and
// rules name sets: so first come the bare chains, then the sets, then the rules.
func create(t platform.Table, want func(string) bool) []platform.Step {
	var bare, sets, rules []platform.Step
	for _, c := range t.Chains {
		if !want(c.Name) {
			continue
		}
		empty := c
		empty.Rules = nil
		bare = append(bare, platform.Step{AddChain: &empty})
		if len(c.Rules) > 0 {
			full := c
			full.Hook = nil
			rules = append(rules, platform.Step{AddChain: &full})
		}
	}
	for _, s := range t.Sets {
		if want(s.Name) {
			sets = append(sets, platform.Step{AddSet: &s})
		}
	}
	return slices.Concat(bare, sets, rules)
}

// FlipSteps put generation n in force, in one transaction.
func FlipSteps(want platform.Table) []platform.Step {
	for _, c := range want.Chains {
		if c.Name == ChainConfirmed {
			return []platform.Step{{FlushChain: ChainConfirmed}, {AddChain: &c}}
		}
	}
	return nil
}

// DropSteps remove generation n from a table that was read back: rules let go
// of sets, then sets of chains.
func DropSteps(have platform.Table, n uint64) []platform.Step {
	var flush, sets, chains []platform.Step
	for _, c := range have.Chains {
		if genOf(c.Name) == n {
			flush = append(flush, platform.Step{FlushChain: c.Name})
			chains = append(chains, platform.Step{DeleteChain: c.Name})
		}
	}
	for _, s := range have.Sets {
		if genOf(s.Name) == n {
			sets = append(sets, platform.Step{DeleteSet: s.Name})
		}
	}
	return slices.Concat(flush, sets, chains)
}

// Staged reports whether the table that was read back holds all of generation n
// as wanted, whether in force or not.
func Staged(have, want platform.Table, n uint64) bool {
	of := func(t platform.Table) platform.Table {
		t.Chains = slices.DeleteFunc(slices.Clone(t.Chains), func(c platform.Chain) bool { return genOf(c.Name) != n })
		t.Sets = slices.DeleteFunc(slices.Clone(t.Sets), func(s platform.Set) bool { return genOf(s.Name) != n })
		return t
	}
	return Equal(of(have), of(want), n)
}
