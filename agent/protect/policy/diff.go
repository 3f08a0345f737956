package policy

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Delta is what leads from one table to another.
type Delta struct {
	// Structure says what is not a matter of elements, "" if nothing: then only
	// another generation, or for the base another table, helps.
	Structure string
	// Base is set where Structure speaks of the base.
	Base bool
	// Open, Switch and Close are transactions in that order: first what lets
	// more through, then who is filtered, last what lets less through. Between
	// them nothing is cut that either table lets through.
	Open, Switch, Close []platform.Step
	// Elements is how many elements they add or remove.
	Elements int
	// Stale are generations that nothing needs any more.
	Stale []uint64
}

// Empty reports that the tables mean the same.
func (d Delta) Empty() bool { return d.Structure == "" && d.Elements == 0 && len(d.Stale) == 0 }

// Diff compares a table that was read back with the one of generation n.
// Elements of sets with timeouts are not compared: break-glass and trials belong
// to those who opened them.
func Diff(have, want platform.Table, n uint64) Delta {
	have, want = have.Static(), want.Static()
	var d Delta
	note := func(base bool, format string, args ...any) {
		if d.Structure == "" || base && !d.Base {
			d.Structure, d.Base = fmt.Sprintf(format, args...), base
		}
	}
	stale := map[uint64]bool{}
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
		switch base := genOf(c.Name) == 0; {
		case !ok:
			note(base, "chain %s is missing", c.Name)
		case !reflect.DeepEqual(h, c):
			note(base && c.Name != ChainConfirmed, "chain %s has other rules", c.Name)
		}
	}
	for _, s := range want.Sets {
		h, ok := sets[s.Name]
		delete(sets, s.Name)
		base := genOf(s.Name) == 0
		if !ok {
			note(base, "set %s is missing", s.Name)
			continue
		}
		a, b := h, s
		a.Elements, b.Elements, a.Size, b.Size, a.Comment, b.Comment = nil, nil, 0, 0, "", ""
		if !reflect.DeepEqual(a, b) {
			note(base, "set %s is of another kind", s.Name)
			continue
		}
		if !s.Timeout {
			d.elements(h, s)
		}
	}
	extra := func(name string) {
		switch g := genOf(name); g {
		case 0:
			note(true, "%s is not ours", name)
		case n:
			note(false, "%s is not ours", name)
		default:
			stale[g] = true
		}
	}
	for name := range chains {
		extra(name)
	}
	for name := range sets {
		extra(name)
	}
	for g := range stale {
		d.Stale = append(d.Stale, g)
	}
	return d
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
	case "device", "own4", "own6", "verdict_leave", "verdict_reach", "claim4", "claim6", "watch4", "watch6":
		return true
	}
	return false
}

// Equal reports whether two tables of generation n mean the same.
func Equal(have, want platform.Table, n uint64) bool { return Diff(have, want, n).Empty() }

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

// Generations are the numbers that occur in a table, whether in force or not.
func Generations(t platform.Table) map[uint64]bool {
	out := map[uint64]bool{}
	for _, s := range t.Sets {
		out[genOf(s.Name)] = true
	}
	for _, c := range t.Chains {
		out[genOf(c.Name)] = true
	}
	delete(out, 0)
	return out
}

// Comment is what the rule that puts a generation of c in force carries.
func (c *Compiled) Comment() string { return fmt.Sprintf("policy %d %s", c.Version, c.Hash) }
