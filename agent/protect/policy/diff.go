package policy

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Delta is what leads from one table, or part of one, to another.
type Delta struct {
	// Structure says what is not a matter of elements, "" if nothing: then only
	// another generation, or a repair of the base, helps.
	Structure string
	// Open, Switch and Close are transactions in that order: first what lets
	// more through, then who is filtered, last what lets less through. Between
	// them nothing is cut that either table lets through.
	Open, Switch, Close []platform.Step
	// Elements is how many elements they add or remove.
	Elements int
}

// Empty reports that the tables mean the same.
func (d Delta) Empty() bool { return d.Structure == "" && d.Elements == 0 }

// Base is the part of a table that belongs to no generation, without the rule
// that puts one in force.
func Base(t platform.Table) platform.Table {
	t = part(t, 0)
	t.Chains = slices.Clone(t.Chains)
	for i := range t.Chains {
		if t.Chains[i].Name == ChainConfirmed {
			t.Chains[i].Rules = nil
		}
	}
	return t
}

// Generation is the part of a table that belongs to generation n.
func Generation(t platform.Table, n uint64) platform.Table { return part(t, n) }

func part(t platform.Table, n uint64) platform.Table {
	t.Chains = slices.DeleteFunc(slices.Clone(t.Chains), func(c platform.Chain) bool { return genOf(c.Name) != n })
	t.Sets = slices.DeleteFunc(slices.Clone(t.Sets), func(s platform.Set) bool { return genOf(s.Name) != n })
	return t
}

// Diff compares a table that was read back, or a part of it, with the same part
// as it should be. Of sets with timeouts only quarantine is compared: break-glass
// and trials belong to those who opened them.
func Diff(have, want platform.Table) Delta {
	left := map[string]platform.Set{} // with what is left of their timeouts
	for _, s := range have.Sets {
		left[s.Name] = s
	}
	have, want = have.Static(), want.Static()
	var d Delta
	note := func(format string, args ...any) {
		if d.Structure == "" {
			d.Structure = fmt.Sprintf(format, args...)
		}
	}
	chains := map[string]platform.Chain{}
	for _, c := range have.Chains {
		chains[c.Name] = c
	}
	sets := map[string]platform.Set{}
	for _, s := range have.Sets {
		sets[s.Name] = s
	}
	for _, c := range want.Chains {
		h, ok := chains[c.Name]
		delete(chains, c.Name)
		if !ok {
			note("chain %s is missing", c.Name)
		} else if !reflect.DeepEqual(h, c) {
			note("chain %s has other rules", c.Name)
		}
	}
	for _, s := range want.Sets {
		h, ok := sets[s.Name]
		delete(sets, s.Name)
		switch {
		case !ok:
			note("set %s is missing", s.Name)
		case !sameKind(h, s):
			note("set %s is of another kind", s.Name)
		case s.Name == setQuarantined, s.Name == setInterlocked:
			d.timed(left[s.Name], s)
		case !s.Timeout:
			d.elements(h, s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(chains)) {
		note("chain %s is not ours", name)
	}
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		note("set %s is not ours", name)
	}
	return d
}

// sameKind compares sets without their elements; what the kernel makes of a size
// or a comment that we did not ask for is its own business.
func sameKind(a, b platform.Set) bool {
	return slices.Equal(a.Key, b.Key) && a.Map == b.Map && a.Interval == b.Interval && a.Timeout == b.Timeout && a.Counter == b.Counter
}

// elements adds the steps for one set.
func (d *Delta) elements(have, want platform.Set) {
	type key struct{ lo, hi string }
	old := map[key]platform.Element{}
	for _, e := range have.Elements {
		old[key{e.Key, e.KeyEnd}] = e
	}
	var add, del []platform.Element
	for _, e := range want.Elements {
		k := key{e.Key, e.KeyEnd}
		o, ok := old[k]
		delete(old, k)
		if ok && o.Verdict == e.Verdict {
			continue
		}
		if ok {
			del = append(del, o)
		}
		add = append(add, e)
	}
	for _, e := range have.Elements {
		if _, left := old[key{e.Key, e.KeyEnd}]; left {
			del = append(del, e)
		}
	}
	d.Elements += len(add) + len(del)
	adding, deleting := &d.Open, &d.Close
	if closes(want.Name) || want.Interval && len(add) > 0 && len(del) > 0 {
		// Ranges that overlap may not be there together.
		adding, deleting = &d.Switch, &d.Switch
	}
	if len(del) > 0 {
		*deleting = append(*deleting, platform.Step{DeleteElements: &platform.SetElements{Set: want.Name, Elements: del}})
	}
	if len(add) > 0 {
		*adding = append(*adding, platform.Step{AddElements: &platform.SetElements{Set: want.Name, Elements: add}})
	}
}

// closes reports whether an element of the set makes something filtered.
func closes(set string) bool {
	if g := genOf(set); g != 0 {
		set = strings.TrimSuffix(set, gen("", g))
	}
	switch set {
	case "device", "own4", "own6", "verdict_leave", "verdict_reach", "claim4", "claim6", "watch4", "watch6", "nested":
		return true
	}
	return false
}

// Confirmed is the generation in force in a table that was read back, with the
// comment it carries; 0 if none is.
func Confirmed(t platform.Table) (n uint64, comment string) {
	for _, c := range t.Chains {
		if c.Name == ChainConfirmed && len(c.Rules) == 1 && c.Rules[0].Verdict.Kind == platform.Jump {
			return genOf(c.Rules[0].Verdict.Chain), c.Rules[0].Comment
		}
	}
	return 0, ""
}

// Generations are the numbers that occur in a table, in force or not, in order.
func Generations(t platform.Table) []uint64 {
	seen := map[uint64]bool{}
	for _, s := range t.Sets {
		seen[genOf(s.Name)] = true
	}
	for _, c := range t.Chains {
		seen[genOf(c.Name)] = true
	}
	delete(seen, 0)
	return slices.Sorted(maps.Keys(seen))
}

// Comment is what the rule that puts a generation of c in force carries.
func (c *Compiled) Comment() string { return fmt.Sprintf("policy %d %s", c.Version, c.Hash) }
