package fake

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// table is a table in the kernel.
type table struct {
	family platform.Family
	name   string
	sets   map[string]*set
	chains map[string]*chain
}

// chain is a chain in the kernel. Rules are shared between the copies of a
// transaction: they never change but for their counters and buckets.
type chain struct {
	name  string
	hook  *platform.Hook
	rules []*rule
}

type rule struct {
	platform.Rule
	bucket bucket
}

func (t *table) clone(now time.Duration) *table {
	c := &table{family: t.family, name: t.name, sets: map[string]*set{}, chains: map[string]*chain{}}
	for name, s := range t.sets {
		c.sets[name] = s.clone(now)
	}
	for name, ch := range t.chains {
		c.chains[name] = &chain{name: ch.name, hook: ch.hook, rules: slices.Clone(ch.rules)}
	}
	return c
}

func (t *table) read(now time.Duration) platform.Table {
	out := platform.Table{Family: t.family, Name: t.name}
	for _, s := range t.sets {
		out.Sets = append(out.Sets, s.read(now))
	}
	for _, c := range t.chains {
		read := platform.Chain{Name: c.name, Hook: c.hook}
		for _, r := range c.rules {
			read.Rules = append(read.Rules, r.Rule)
		}
		out.Chains = append(out.Chains, read)
	}
	return out.Canonical()
}

// transaction is a change on its way into a copy of its table.
type transaction struct {
	now    time.Duration
	family platform.Family
	name   string
	table  *table // nil: there is none
	// overlapLost is the fault of that name.
	overlapLost bool
}

// failed says which thing the kernel's error speaks of.
func failed(err errno, what, name string) error {
	return fmt.Errorf("%s %s: %w", what, name, err)
}

func (tx *transaction) step(s platform.Step) error {
	switch {
	case s.AddTable != nil:
		if tx.table == nil {
			tx.table = &table{family: tx.family, name: tx.name, sets: map[string]*set{}, chains: map[string]*chain{}}
		}
		return nil
	case s.DeleteTable != nil:
		tx.table = nil
		return nil
	case tx.table == nil:
		return failed(enoent, "table", tx.name)
	case s.AddSet != nil:
		return tx.addSet(*s.AddSet)
	case s.DeleteSet != "":
		return tx.deleteSet(s.DeleteSet)
	case s.AddChain != nil:
		return tx.addChain(*s.AddChain)
	case s.FlushChain != "":
		return tx.withChain(s.FlushChain, func(c *chain) error { c.rules = nil; return nil })
	case s.DeleteChain != "":
		return tx.deleteChain(s.DeleteChain)
	case s.AddElements != nil:
		return tx.withSet(*s.AddElements, (*set).add)
	case s.DeleteElements != nil:
		return tx.withSet(*s.DeleteElements, (*set).delete)
	case s.RenewElements != nil:
		return tx.withSet(*s.RenewElements, (*set).renew)
	}
	return nil
}

func (tx *transaction) addSet(shape platform.Set) error {
	have, exists := tx.table.sets[shape.Name]
	if exists && !have.like(shape) {
		return failed(eexist, "set", shape.Name)
	}
	if !exists {
		have = newSet(shape)
		tx.table.sets[shape.Name] = have
	}
	return tx.withSet(platform.SetElements{Set: shape.Name, Elements: shape.Elements}, (*set).add)
}

// withSet does something with each element; their verdicts must lead somewhere.
func (tx *transaction) withSet(e platform.SetElements, do func(*set, platform.Element, time.Duration) error) error {
	s, exists := tx.table.sets[e.Set]
	if !exists {
		return failed(enoent, "set", e.Set)
	}
	if err := s.Check(e.Elements); err != nil {
		return err
	}
	for _, element := range e.Elements {
		if to := element.Verdict.Chain; to != "" && tx.table.chains[to] == nil {
			return failed(enoent, "chain", to)
		}
		err := do(s, element, tx.now)
		if tx.overlapLost && errors.Is(err, eexist) && len(s.Key) > 1 {
			continue
		}
		if err != nil {
			return fmt.Errorf("set %s: element %x: %w", e.Set, element.Key, err)
		}
	}
	return nil
}

func (tx *transaction) deleteSet(name string) error {
	if _, exists := tx.table.sets[name]; !exists {
		return failed(enoent, "set", name)
	}
	for _, c := range tx.table.chains {
		if slices.ContainsFunc(c.rules, func(r *rule) bool { return usesSet(r.Rule, name) }) {
			return failed(ebusy, "set", name)
		}
	}
	delete(tx.table.sets, name)
	return nil
}

func usesSet(r platform.Rule, name string) bool {
	return r.VMap != nil && r.VMap.Map == name ||
		slices.ContainsFunc(r.Matches, func(m platform.Match) bool { return m.Set == name })
}

func (tx *transaction) withChain(name string, do func(*chain) error) error {
	c, exists := tx.table.chains[name]
	if !exists {
		return failed(enoent, "chain", name)
	}
	return do(c)
}

func (tx *transaction) addChain(c platform.Chain) error {
	have, exists := tx.table.chains[c.Name]
	switch {
	case !exists:
		have = &chain{name: c.Name, hook: c.Hook}
		tx.table.chains[c.Name] = have
	case c.Hook != nil && (have.hook == nil || have.hook.Point != c.Hook.Point || have.hook.Priority != c.Hook.Priority):
		return failed(eexist, "chain", c.Name)
	case c.Hook != nil:
		have.hook = c.Hook // the policy may change
	}
	for i, r := range c.Rules {
		if err := tx.resolve(r); err != nil {
			return fmt.Errorf("chain %s: rule %d: %w", c.Name, i, err)
		}
		r.Packets, r.Bytes = 0, 0
		have.rules = append(have.rules, &rule{Rule: copyRule(r), bucket: newBucket(r.Limit, tx.now)})
	}
	return nil
}

// copyRule keeps the rule when its maker changes the slices in it.
func copyRule(r platform.Rule) platform.Rule {
	t := platform.Table{Chains: []platform.Chain{{Rules: []platform.Rule{r}}}}
	return t.Canonical().Chains[0].Rules[0]
}

// resolve finds everything that a rule names.
func (tx *transaction) resolve(r platform.Rule) error {
	if to := r.Verdict.Chain; to != "" && tx.table.chains[to] == nil {
		return failed(enoent, "chain", to)
	}
	for _, m := range r.Matches {
		if err := tx.fits(m.Set, m.Fields, false); m.Set != "" && err != nil {
			return err
		}
	}
	if r.VMap != nil {
		return tx.fits(r.VMap.Map, r.VMap.Fields, true)
	}
	return nil
}

func (tx *transaction) fits(name string, fields []platform.Field, vmap bool) error {
	s, exists := tx.table.sets[name]
	if !exists {
		return failed(enoent, "set", name)
	}
	if vmap && !s.Map {
		return failed(einval, "set", name)
	}
	return s.Fits(fields)
}

func (tx *transaction) deleteChain(name string) error {
	if err := tx.withChain(name, func(*chain) error { return nil }); err != nil {
		return err
	}
	for _, c := range tx.table.chains {
		if c.name != name && slices.ContainsFunc(c.rules, func(r *rule) bool { return r.Verdict.Chain == name }) {
			return failed(ebusy, "chain", name)
		}
	}
	for _, s := range tx.table.sets {
		for _, e := range s.elements {
			if e.Verdict.Chain == name && !e.expired(tx.now) {
				return failed(ebusy, "chain", name)
			}
		}
	}
	delete(tx.table.chains, name)
	return nil
}

// maxJumps is how deep the kernel lets chains call each other.
const maxJumps = 16

// check refuses loops between chains.
func (tx *transaction) check() error {
	if tx.table == nil {
		return nil
	}
	for _, c := range tx.table.chains {
		if c.hook != nil && tx.table.depth(c, maxJumps) < 0 {
			return failed(emlink, "chain", c.name)
		}
	}
	return nil
}

// depth is what is left of the allowed jumps behind the chain, negative if there
// are too many: then it is a loop.
func (t *table) depth(c *chain, left int) int {
	least := left
	visit := func(v platform.Verdict) {
		if next := t.chains[v.Chain]; next != nil && least >= 0 {
			least = min(least, t.depth(next, left-1))
		}
	}
	if left < 0 {
		return left
	}
	for _, r := range c.rules {
		visit(r.Verdict)
		if r.VMap == nil {
			continue
		}
		for _, e := range t.sets[r.VMap.Map].elements {
			visit(e.Verdict)
		}
	}
	return least
}
