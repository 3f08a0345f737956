package policy

import (
	"reflect"
	"slices"

	"github.com/wardkeeper/wardkeeper/platform"
)

// BaseSteps make the base out of whatever is there under the table's name, with
// no generation in force.
func BaseSteps(want platform.Table) []platform.Step {
	steps := []platform.Step{{DeleteTable: &struct{}{}}, {AddTable: &struct{}{}}}
	return append(steps, create(Base(want))...)
}

// StageSteps add generation n of the table, unreachable.
func StageSteps(want platform.Table, n uint64) []platform.Step { return create(Generation(want, n)) }

// RepairSteps put the base right in one transaction, and leave the generation in
// force where it is, and break-glass open: chains are emptied and filled again,
// what is not ours goes.
func RepairSteps(have, want platform.Table) []platform.Step {
	_, comment := Confirmed(have)
	var confirmed []platform.Rule
	for _, c := range have.Chains {
		if c.Name == ChainConfirmed && comment != "" {
			confirmed = c.Rules
		}
	}
	have, want = Base(have), Base(want)
	haveChain, haveSet := map[string]platform.Chain{}, map[string]platform.Set{}
	var flush, drop, dropSets, bare, sets, rules []platform.Step
	for _, c := range have.Chains {
		haveChain[c.Name] = c
		flush = append(flush, platform.Step{FlushChain: c.Name})
	}
	for _, s := range have.Sets {
		haveSet[s.Name] = s
	}
	for _, c := range want.Chains {
		h, ok := haveChain[c.Name]
		delete(haveChain, c.Name)
		if ok && !reflect.DeepEqual(h.Hook, c.Hook) {
			drop, ok = append(drop, platform.Step{DeleteChain: c.Name}), false
		}
		if !ok {
			bare = append(bare, platform.Step{AddChain: &platform.Chain{Name: c.Name, Hook: c.Hook}})
		}
		if c.Name == ChainConfirmed {
			c.Rules = confirmed
		}
		if len(c.Rules) > 0 {
			rules = append(rules, platform.Step{AddChain: &platform.Chain{Name: c.Name, Rules: c.Rules}})
		}
	}
	for name := range haveChain {
		drop = append(drop, platform.Step{DeleteChain: name})
	}
	for _, s := range want.Sets {
		h, ok := haveSet[s.Name]
		delete(haveSet, s.Name)
		if ok && sameKind(h, s) {
			continue
		}
		if ok {
			dropSets = append(dropSets, platform.Step{DeleteSet: s.Name})
		}
		sets = append(sets, platform.Step{AddSet: &s})
	}
	for name := range haveSet {
		dropSets = append(dropSets, platform.Step{DeleteSet: name})
	}
	return slices.Concat(flush, dropSets, drop, bare, sets, rules)
}

// create makes a table, or a part of one. Elements of maps name chains and
// rules name sets: so first come the bare chains, then the sets, then the rules.
func create(t platform.Table) []platform.Step {
	var bare, sets, rules []platform.Step
	for _, c := range t.Chains {
		bare = append(bare, platform.Step{AddChain: &platform.Chain{Name: c.Name, Hook: c.Hook}})
		if len(c.Rules) > 0 {
			rules = append(rules, platform.Step{AddChain: &platform.Chain{Name: c.Name, Rules: c.Rules}})
		}
	}
	for _, s := range t.Sets {
		sets = append(sets, platform.Step{AddSet: &s})
	}
	return slices.Concat(bare, sets, rules)
}

// FlipSteps put generation n in force, in one transaction.
func FlipSteps(want platform.Table) []platform.Step {
	for _, c := range want.Chains {
		if c.Name == ChainConfirmed {
			return []platform.Step{{FlushChain: ChainConfirmed}, {AddChain: &platform.Chain{Name: c.Name, Rules: c.Rules}}}
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
