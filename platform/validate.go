package platform

import (
	"errors"
	"fmt"
	"slices"
)

// Names and comments are bounded well below the kernel's own limits (255 bytes
// of name, 256 of user data).
const (
	maxName    = 63
	maxComment = 127
)

// Validate checks what can be checked without a kernel: the shape of each step,
// lengths of keys and values, and that every rule reads back as it was written.
// Every Firewall calls it before it does anything.
func (c Change) Validate() error {
	if c.Family != FamilyBridge && c.Family != FamilyInet {
		return fmt.Errorf("table %q: unknown family %d", c.Table, c.Family)
	}
	if err := checkName(c.Table); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	for i, step := range c.Steps {
		if err := step.validate(); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return nil
}

func (s Step) validate() error {
	var set int
	for _, there := range []bool{
		s.AddTable != nil, s.DeleteTable != nil, s.AddSet != nil, s.DeleteSet != "", s.AddChain != nil,
		s.FlushChain != "", s.DeleteChain != "", s.AddElements != nil, s.DeleteElements != nil, s.RenewElements != nil,
	} {
		if there {
			set++
		}
	}
	switch {
	case set != 1:
		return fmt.Errorf("%d actions, want 1", set)
	case s.AddSet != nil:
		return s.AddSet.validate()
	case s.AddChain != nil:
		return s.AddChain.validate()
	}
	return nil
}

func (s Set) validate() error {
	if err := checkName(s.Name); err != nil {
		return fmt.Errorf("set: %w", err)
	}
	// The kernel packs the types of a key into 32 bits, 6 each.
	if len(s.Key) == 0 || len(s.Key) > 5 {
		return fmt.Errorf("set %s: %d key fields, want 1 to 5", s.Name, len(s.Key))
	}
	for _, k := range s.Key {
		if k.Len() == 0 {
			return fmt.Errorf("set %s: unknown key type %d", s.Name, k)
		}
	}
	if len(s.Comment) > maxComment {
		return fmt.Errorf("set %s: comment of %d bytes, at most %d", s.Name, len(s.Comment), maxComment)
	}
	return s.Check(s.Elements)
}

// Check says whether the elements fit the set: the length of their keys, ranges
// only where the set has intervals, verdicts only and always in a map.
func (s Set) Check(elements []Element) error {
	for _, e := range elements {
		if err := s.check(e); err != nil {
			return fmt.Errorf("set %s: element %x: %w", s.Name, e.Key, err)
		}
	}
	return nil
}

func (s Set) check(e Element) error {
	switch {
	case len(e.Key) != s.KeyLen():
		return fmt.Errorf("key of %d bytes, want %d", len(e.Key), s.KeyLen())
	case e.KeyEnd != "" && !s.Interval:
		return errors.New("range in a set without intervals")
	case e.KeyEnd != "" && len(e.KeyEnd) != len(e.Key):
		return fmt.Errorf("key end of %d bytes, want %d", len(e.KeyEnd), len(e.Key))
	case e.Timeout < 0:
		return fmt.Errorf("timeout of %d ms", e.Timeout)
	case e.Timeout > 0 && !s.Timeout:
		return errors.New("timeout in a set without timeouts")
	case s.Map != (e.Verdict.Kind != 0):
		return errors.New("a verdict belongs into each element of a map, and only there")
	}
	for at, i := 0, 0; e.KeyEnd != "" && i < len(s.Key); i++ {
		end := at + s.Key[i].Len()
		if e.KeyEnd[at:end] < e.Key[at:end] {
			return fmt.Errorf("field %d ends before it begins", i)
		}
		at = end
	}
	return e.Verdict.validate()
}

// Fits says whether the fields are what the set's keys are made of. A kernel
// compares whatever bytes it was given.
func (s Set) Fits(fields []Field) error {
	same := len(fields) == len(s.Key)
	for i := 0; same && i < len(fields); i++ {
		same = fields[i].Len() == s.Key[i].Len()
	}
	if !same {
		return fmt.Errorf("set %s: the fields are not those of its key", s.Name)
	}
	return nil
}

// KeyLen is the number of bytes of the set's keys.
func (s Set) KeyLen() int {
	n := 0
	for _, k := range s.Key {
		n += k.Len()
	}
	return n
}

func (c Chain) validate() error {
	if err := checkName(c.Name); err != nil {
		return fmt.Errorf("chain: %w", err)
	}
	if c.Hook != nil && c.Hook.Point != HookPrerouting && c.Hook.Point != HookForward {
		return fmt.Errorf("chain %s: unknown hook %d", c.Name, c.Hook.Point)
	}
	for i, r := range c.Rules {
		if err := r.validate(); err != nil {
			return fmt.Errorf("chain %s: rule %d: %w", c.Name, i, err)
		}
	}
	return nil
}

func (r Rule) validate() error {
	for i, m := range r.Matches {
		if err := m.validate(); err != nil {
			return fmt.Errorf("match %d: %w", i, err)
		}
		for _, f := range m.Fields {
			if f != ReadAs(f, r.Matches[:i]) {
				return fmt.Errorf("match %d: %w", i, errContext(f))
			}
		}
	}
	switch {
	case r.Foreign:
		return errors.New("a rule of someone else cannot be loaded")
	case r.VMap != nil && r.Verdict.Kind != 0:
		return errors.New("both a verdict and a verdict map")
	case r.VMap != nil && (len(r.VMap.Fields) == 0 || r.VMap.Map == ""):
		return errors.New("verdict map without fields or name")
	case r.Limit != nil && (r.Limit.PerSecond == 0 || r.Limit.Burst == 0):
		return errors.New("limit without rate or burst")
	case r.Log != nil && len(r.Log.Prefix) > maxComment:
		return fmt.Errorf("log prefix of %d bytes, at most %d", len(r.Log.Prefix), maxComment)
	case len(r.Comment) > maxComment:
		return fmt.Errorf("comment of %d bytes, at most %d", len(r.Comment), maxComment)
	}
	if r.VMap != nil {
		for _, f := range r.VMap.Fields {
			if f.Len() == 0 {
				return fmt.Errorf("unknown field %d", f)
			}
			if f != ReadAs(f, r.Matches) {
				return errContext(f)
			}
		}
	}
	return r.Verdict.validate()
}

func (m Match) validate() error {
	for _, f := range m.Fields {
		if f.Len() == 0 {
			return fmt.Errorf("unknown field %d", f)
		}
	}
	if len(m.Fields) == 0 || len(m.Fields) > 1 && m.Set == "" {
		return fmt.Errorf("%d fields", len(m.Fields))
	}
	size := m.Fields[0].Len()
	if m.Mask != "" && (len(m.Mask) != size || len(m.Fields) > 1) {
		return fmt.Errorf("mask of %d bytes, want %d", len(m.Mask), size)
	}
	switch m.Op {
	case OpEq, OpNeq:
		if m.Set != "" || m.Values != nil || len(m.Value) != size {
			return fmt.Errorf("value of %d bytes, want %d and no set", len(m.Value), size)
		}
	case OpIn, OpNotIn:
		if m.Value != "" || (m.Set == "") == (len(m.Values) == 0) {
			return errors.New("want either a set or values")
		}
		for i, v := range m.Values {
			if len(v) != size {
				return fmt.Errorf("value of %d bytes, want %d", len(v), size)
			}
			if slices.Contains(m.Values[:i], v) {
				return fmt.Errorf("value %x twice", v)
			}
		}
	default:
		return fmt.Errorf("unknown operator %d", m.Op)
	}
	return nil
}

func (v Verdict) validate() error {
	jumps := v.Kind == Jump || v.Kind == Goto
	if v.Kind > Goto || jumps != (v.Chain != "") {
		return fmt.Errorf("verdict %d with chain %q", v.Kind, v.Chain)
	}
	return nil
}

// ReadAs tells the fields apart that are the same bytes to the kernel, by the
// matches in front of them in the same rule: ICMPv6Type is ICMPType after a
// match on protocol 58, ARPOp is IPv4FragOff after one on EtherType 0x0806.
func ReadAs(f Field, before []Match) Field {
	switch f {
	case ICMPType, ICMPv6Type:
		if only(before, MetaL4Proto, ByteKey(58)) {
			return ICMPv6Type
		}
		return ICMPType
	case ARPOp, IPv4FragOff:
		if only(before, MetaProtocol, Uint16Key(0x0806)) {
			return ARPOp
		}
		return IPv4FragOff
	}
	return f
}

// only reports whether a match pins the field to the value.
func only(matches []Match, f Field, value string) bool {
	return slices.ContainsFunc(matches, func(m Match) bool {
		return len(m.Fields) == 1 && m.Fields[0] == f && m.Mask == "" &&
			(m.Op == OpEq && m.Value == value || m.Op == OpIn && len(m.Values) == 1 && m.Values[0] == value)
	})
}

func errContext(f Field) error {
	switch f {
	case ICMPv6Type:
		return errors.New("an ICMPv6 type wants meta l4proto 58 before it in the rule")
	case ICMPType:
		return errors.New("an ICMP type cannot follow meta l4proto 58")
	case ARPOp:
		return errors.New("an ARP operation wants meta protocol 0x0806 before it in the rule")
	}
	return errors.New("a fragment offset cannot follow meta protocol 0x0806")
}

func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("name %q of %d bytes, want 1 to %d", name, len(name), maxName)
	}
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return fmt.Errorf("name %q: want letters, digits and _", name)
		}
	}
	return nil
}
