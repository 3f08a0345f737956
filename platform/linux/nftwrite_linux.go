package linux

import (
	"context"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// writer puts the steps of one change into the library's batch.
type writer struct {
	change platform.Change
	table  *nftables.Table
	// sets are the shapes of the sets that steps name. Those that the change
	// does not add itself are read from the kernel.
	sets   map[string]platform.Set
	nextID uint32 // of a set within the batch
}

func newWriter(change platform.Change) (*writer, error) {
	family, ok := familyOf(change.Family)
	if !ok {
		return nil, fmt.Errorf("%w: family %d", platform.ErrUnsupported, change.Family)
	}
	w := &writer{
		change: change,
		table:  &nftables.Table{Family: family, Name: change.Table},
		sets:   map[string]platform.Set{},
	}
	for _, s := range change.Steps {
		if s.AddSet != nil {
			w.sets[s.AddSet.Name] = *s.AddSet
		}
	}
	return w, nil
}

func familyOf(f platform.Family) (nftables.TableFamily, bool) {
	switch f {
	case platform.FamilyBridge:
		return nftables.TableFamilyBridge, true
	case platform.FamilyInet:
		return nftables.TableFamilyINet, true
	}
	return 0, false
}

// uses calls f with each set that the steps name: with elements of it, or with
// fields to look up in it.
func (w *writer) uses(f func(set string, elements []platform.Element, fields []platform.Field) error) error {
	for _, s := range w.change.Steps {
		for _, e := range []*platform.SetElements{s.AddElements, s.DeleteElements, s.RenewElements} {
			if e == nil {
				continue
			}
			if err := f(e.Set, e.Elements, nil); err != nil {
				return err
			}
		}
		if s.AddChain == nil {
			continue
		}
		for _, r := range s.AddChain.Rules {
			if r.VMap != nil {
				if err := f(r.VMap.Map, nil, r.VMap.Fields); err != nil {
					return err
				}
			}
			for _, m := range r.Matches {
				if m.Set == "" {
					continue
				}
				if err := f(m.Set, nil, m.Fields); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// needsSets reports whether a step names a set whose shape is not known.
func (w *writer) needsSets() bool {
	return w.uses(func(set string, _ []platform.Element, _ []platform.Field) error {
		_, err := w.known(set)
		return err
	}) != nil
}

func (w *writer) known(set string) (platform.Set, error) {
	s, known := w.sets[set]
	if !known {
		return s, fmt.Errorf("set %s: %w", set, unix.ENOENT)
	}
	return s, nil
}

// learnSets reads the shapes of the table's sets, over a connection of its own.
func (w *writer) learnSets(ctx context.Context, buffer int) error {
	r, err := newReader(w.change.Family, w.change.Table, buffer)
	if err != nil {
		return err
	}
	defer r.conn.close()
	defer r.conn.until(ctx)()
	sets, err := r.sets()
	if err != nil {
		return fmt.Errorf("read sets: %w", err)
	}
	for _, s := range sets {
		if _, own := w.sets[s.Name]; !own {
			w.sets[s.Name] = s.Set
		}
	}
	return nil
}

// write buffers all steps. It sends nothing.
func (w *writer) write(conn *nftables.Conn) error {
	if err := w.uses(func(name string, elements []platform.Element, fields []platform.Field) error {
		set, err := w.known(name)
		if err != nil {
			return err
		}
		if fields != nil {
			return set.Fits(fields)
		}
		return set.Check(elements)
	}); err != nil {
		return err
	}
	for i, s := range w.change.Steps {
		if err := w.step(conn, s); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return nil
}

func (w *writer) step(conn *nftables.Conn, s platform.Step) error {
	chain := func(name string) *nftables.Chain { return &nftables.Chain{Table: w.table, Name: name} }
	switch {
	case s.AddTable != nil:
		conn.AddTable(w.table)
	case s.DeleteTable != nil:
		// Adding it first makes deleting a missing one no error.
		conn.AddTable(w.table)
		conn.DelTable(w.table)
	case s.AddSet != nil:
		return w.addSet(conn, *s.AddSet)
	case s.DeleteSet != "":
		conn.DelSet(&nftables.Set{Table: w.table, Name: s.DeleteSet})
	case s.AddChain != nil:
		return w.addChain(conn, *s.AddChain)
	case s.FlushChain != "":
		conn.FlushChain(chain(s.FlushChain))
	case s.DeleteChain != "":
		conn.DelChain(chain(s.DeleteChain))
	case s.AddElements != nil:
		return w.add(conn, *s.AddElements)
	case s.DeleteElements != nil:
		return w.delete(conn, *s.DeleteElements)
	case s.RenewElements != nil:
		if err := w.add(conn, *s.RenewElements); err != nil {
			return err
		}
		if err := w.delete(conn, *s.RenewElements); err != nil {
			return err
		}
		return w.add(conn, *s.RenewElements)
	}
	return nil
}

func (w *writer) id() uint32 {
	w.nextID++
	return w.nextID
}

// set is the library's form of a set's shape.
func (w *writer) set(s platform.Set) (*nftables.Set, error) {
	types := make([]nftables.SetDatatype, len(s.Key))
	for i, k := range s.Key {
		types[i] = keyDatatype(k)
	}
	key := types[0]
	if len(types) > 1 {
		var err error
		if key, err = nftables.ConcatSetType(types...); err != nil {
			return nil, fmt.Errorf("set %s: %w", s.Name, err)
		}
	}
	n := &nftables.Set{
		Table: w.table, ID: w.id(), Name: s.Name, KeyType: key, Concatenation: len(types) > 1,
		Interval: s.Interval, HasTimeout: s.Timeout, Counter: s.Counter,
		Size: s.Size, Comment: s.Comment, KeyByteOrder: binaryutil.BigEndian,
	}
	if len(types) == 1 && (s.Key[0] == platform.KeyIfName || s.Key[0] == platform.KeyIfType) {
		n.KeyByteOrder = binaryutil.NativeEndian
	}
	if s.Map {
		n.IsMap, n.DataType = true, nftables.TypeVerdict
	}
	return n, nil
}

func (w *writer) addSet(conn *nftables.Conn, s platform.Set) error {
	set, err := w.set(s)
	if err != nil {
		return err
	}
	if err := conn.AddSet(set, nil); err != nil {
		return fmt.Errorf("add set %s: %w", s.Name, err)
	}
	return w.add(conn, platform.SetElements{Set: s.Name, Elements: s.Elements})
}

func (w *writer) add(conn *nftables.Conn, e platform.SetElements) error {
	set, err := w.set(w.sets[e.Set])
	if err != nil {
		return err
	}
	for _, chunk := range chunks(encodeElements(w.sets[e.Set], e.Elements)) {
		if err := conn.SetAddElements(set, chunk); err != nil {
			return fmt.Errorf("add to set %s: %w", e.Set, err)
		}
	}
	return nil
}

func (w *writer) delete(conn *nftables.Conn, e platform.SetElements) error {
	set, err := w.set(w.sets[e.Set])
	if err != nil {
		return err
	}
	elements := encodeElements(w.sets[e.Set], e.Elements)
	for i := range elements {
		// The key alone says which; a verdict would have to be resolved.
		elements[i].VerdictData, elements[i].Timeout = nil, 0
	}
	for _, chunk := range chunks(elements) {
		if err := conn.SetDeleteElements(set, chunk); err != nil {
			return fmt.Errorf("delete from set %s: %w", e.Set, err)
		}
	}
	return nil
}

func (w *writer) addChain(conn *nftables.Conn, c platform.Chain) error {
	chain := &nftables.Chain{Table: w.table, Name: c.Name}
	if c.Hook != nil {
		hook := nftables.ChainHookForward
		if c.Hook.Point == platform.HookPrerouting {
			hook = nftables.ChainHookPrerouting
		}
		policy := nftables.ChainPolicyAccept
		if c.Hook.Drop {
			policy = nftables.ChainPolicyDrop
		}
		chain.Type, chain.Hooknum, chain.Policy = nftables.ChainTypeFilter, hook, &policy
		chain.Priority = nftables.ChainPriorityRef(nftables.ChainPriority(c.Hook.Priority))
	}
	conn.AddChain(chain)
	for i, r := range c.Rules {
		exprs, err := w.exprs(conn, r)
		if err != nil {
			return fmt.Errorf("chain %s: rule %d: %w", c.Name, i, err)
		}
		conn.AddRule(&nftables.Rule{Table: w.table, Chain: chain, Exprs: exprs, UserData: commentData(r.Comment)})
	}
	return nil
}
