package enforce

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Keys in the store.
const (
	keyPairs     = "pairs"
	keyConfirmed = "confirmed"
)

// keptVersion changes when an older reader would misread a record.
const keptVersion = 1

// keptPairs are the exempt pairs. They end only by an act of a person, which a
// later issue brings.
type keptPairs struct {
	V     int           `json:"v"`
	Pairs []policy.Pair `json:"pairs"`
}

// keptConfirmed is what the rules in force were made of; the compiler is pure,
// so the same comes out again.
type keptConfirmed struct {
	V         int              `json:"v"`
	Policy    string           `json:"policy"` // the file
	Gentler   bool             `json:"gentler,omitempty"`
	Placement policy.Placement `json:"placement"`
	Internal  []netip.Prefix   `json:"internal"`
	Uplink    string           `json:"uplink"` // for a boot without a configuration
}

// maxPairs bounds what is kept: far above any ward.
const maxPairs = 8192

// remember reads the exempt pairs; where they were lost, those in the kernel are
// as good. Of quarantines the kernel knows better.
func (t *Task) remember(ctx context.Context) {
	t.readPairs()
	t.busy()
	table, err := t.opt.Firewall.Read(ctx, platform.FamilyBridge, policy.TableName)
	if err != nil {
		return
	}
	if len(t.pairs) == 0 {
		t.pairs = policy.PairsIn(table)
	}
	t.adopt(table)
}

func (t *Task) readPairs() {
	if t.opt.Store == nil {
		return
	}
	values, err := t.opt.Store.All(keyPairs)
	for _, b := range values {
		var k keptPairs
		perr := json.Unmarshal(b, &k)
		if perr == nil && k.V != keptVersion {
			perr = fmt.Errorf("record of version %d", k.V)
		}
		if perr == nil {
			t.pairs, t.keptPairs = k.Pairs, len(k.Pairs)
			break
		}
		err = errors.Join(err, perr)
	}
	t.lost("exempt pairs", err)
}

// lost puts up that something kept could not be read, wholly or its newest
// version; no error, no condition. It stays until the next start: that the files
// are written anew brings back nothing of what was in them.
func (t *Task) lost(what string, err error) {
	if err != nil {
		t.condition("enforce.lost:"+strings.ReplaceAll(what, " ", "-"), health.Warning, what+" of before the start are lost, or older: "+err.Error())
	}
}

// keepPairs writes the pairs, if there are new ones. Of too many the old ones
// stay: devices that somebody makes up must push out none.
func (t *Task) keepPairs(pairs []policy.Pair) {
	if len(pairs) > maxPairs {
		t.condition("enforce.pairs", health.Warning, "too many exempt pairs to keep all over a restart")
		old := map[policy.Pair]bool{}
		for _, p := range t.pairs {
			old[p] = true
		}
		room := maxPairs - len(old)
		pairs = slices.DeleteFunc(slices.Clone(pairs), func(p policy.Pair) bool {
			if !old[p] {
				room--
			}
			return !old[p] && room < 0
		})
	}
	t.pairs = pairs
	if len(pairs) == t.keptPairs { // they only grow
		return
	}
	if b, err := json.Marshal(keptPairs{keptVersion, pairs}); err == nil && t.put(keyPairs, b) {
		t.keptPairs = len(pairs)
	}
}

// record is what rules are made of, as it is kept.
func (t *Task) record(c *policy.Compiled) []byte {
	in := c.Input()
	b, err := json.Marshal(keptConfirmed{V: keptVersion, Policy: string(in.Policy.Source), Placement: in.Placement, Internal: in.Internal,
		Uplink: in.Uplink, Gentler: t.refused != ""})
	if err != nil {
		return nil // only plain structs come here
	}
	return b
}

// keep writes the record of what is in force now, if it changed.
func (t *Task) keep(record []byte) {
	if record != nil && !bytes.Equal(record, t.kept) && t.put(keyConfirmed, record) {
		t.kept = record
	}
}

// put reports whether the value is kept now.
func (t *Task) put(key string, value []byte) bool {
	if t.opt.Store == nil {
		return false
	}
	if err := t.opt.Store.Put(key, value); err != nil {
		t.condition("enforce.store", health.Warning, "the rules in force are not kept over a restart: "+err.Error())
		return false
	}
	t.opt.Board.Clear("enforce.store")
	return true
}

// wantBefore is what was in force before a restart, where the kernel lost it: a
// reboot. Where the kernel has a table, or nothing was kept, it is nil.
func (t *Task) wantBefore(ctx context.Context) (*policy.Compiled, error) {
	if t.before != nil || t.opt.Store == nil {
		return t.before, nil
	}
	if _, err := t.opt.Firewall.Read(ctx, platform.FamilyBridge, policy.TableName); !errors.Is(err, platform.ErrNoTable) {
		return nil, nil
	}
	var errs []error
	for c, err := range t.confirmed() {
		if err == nil {
			t.before = c
			break
		}
		errs = append(errs, err)
	}
	t.lost("rules", errors.Join(errs...))
	return t.before, nil
}

// confirmed compiles what was in force, the newest first, one after the other;
// or says why that cannot be had.
func (t *Task) confirmed() iter.Seq2[*policy.Compiled, error] {
	return func(yield func(*policy.Compiled, error) bool) {
		values, err := t.opt.Store.All(keyConfirmed)
		if err != nil && !yield(nil, err) {
			return
		}
		for _, b := range values {
			var c *policy.Compiled
			in, err := t.keptInput(b)
			if err == nil {
				c, err = policy.Compile(in)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// keptInput reads a record.
func (t *Task) keptInput(b []byte) (policy.Input, error) {
	var k keptConfirmed
	if err := json.Unmarshal(b, &k); err != nil {
		return policy.Input{}, err
	}
	if k.V != keptVersion {
		return policy.Input{}, fmt.Errorf("record of version %d", k.V)
	}
	p := policy.None()
	if k.Policy != "" {
		var err error
		if p, err = policy.Parse("the policy kept", []byte(k.Policy), t.opt.Roles); err != nil {
			return policy.Input{}, err
		}
	}
	if k.Gentler {
		p = p.Gentler()
	}
	p = t.admitted(under(p, t.modes.get()))
	// Modes may be gentler now than when the record was made.
	return policy.Input{Policy: p, Placement: k.Placement.Within(p), Pairs: t.pairs, Internal: k.Internal,
		Uplink: cmp.Or(t.opt.Uplink, k.Uplink)}, nil
}
