package hosttest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Firewall runs the cases of platform.Firewall; open builds a rig with an empty
// ruleset for each.
func Firewall(t *testing.T, open func(t *testing.T) Rig) {
	for _, c := range []struct {
		name string
		run  func(*bench)
	}{
		{"no table", testNoTable},
		{"round trip", testRoundTrip},
		{"verdicts", testVerdicts},
		{"hooks", testHooks},
		{"values", testValues},
		{"interval sets", testIntervals},
		{"vlan", testVLAN},
		{"fragments", testFragments},
		{"ipv6", testIPv6},
		{"verdict maps", testVerdictMaps},
		{"timeouts", testTimeouts},
		{"renewal", testRenewal},
		{"counters", testCounters},
		{"limit", testLimit},
		{"many elements", testManyElements},
		{"many rules", testManyRules},
		{"atomicity", testAtomicity},
		{"replacement", testReplacement},
		{"flip", testFlip},
		{"strangers", testStrangers},
		{"log", testLog},
	} {
		t.Run(c.name, func(t *testing.T) {
			rig := open(t)
			c.run(&bench{T: t, rig: rig, fw: rig.Firewall(), ctx: t.Context()})
		})
	}
}

// bench is one case at work.
type bench struct {
	*testing.T
	rig Rig
	fw  platform.Firewall
	ctx context.Context
}

// The one table of most cases.
const tableName = "bench"

// change makes steps on the bench's table a change.
func change(steps ...platform.Step) platform.Change {
	return platform.Change{Family: platform.FamilyBridge, Table: tableName, Steps: steps}
}

// apply must succeed.
func (b *bench) apply(steps ...platform.Step) {
	b.Helper()
	if err := b.fw.Apply(b.ctx, change(steps...)); err != nil {
		b.Fatal(err)
	}
}

// refuse must fail, with the wanted error unless that is nil, and promise that
// nothing happened.
func (b *bench) refuse(want error, steps ...platform.Step) {
	b.Helper()
	before := b.read()
	err := b.fw.Apply(b.ctx, change(steps...))
	if err == nil || want != nil && !errors.Is(err, want) || errors.Is(err, platform.ErrStateUnknown) {
		b.Errorf("error %v, want %v", err, want)
	}
	if diff := cmp.Diff(before.Static(), b.read().Static()); diff != "" {
		b.Errorf("a refused change changed the table, before -, after +:\n%s", diff)
	}
}

// load replaces the bench's table.
func (b *bench) load(t platform.Table) {
	b.Helper()
	if err := b.fw.Apply(b.ctx, t.Load()); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) read() platform.Table {
	b.Helper()
	t, err := b.fw.Read(b.ctx, platform.FamilyBridge, tableName)
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// set returns a set as it is read back.
func (b *bench) set(name string) platform.Set {
	b.Helper()
	for _, s := range b.read().Sets {
		if s.Name == name {
			return s
		}
	}
	b.Fatalf("no set %s", name)
	return platform.Set{}
}

// passes sends the frame into w1 and says whether it leaves by w2. Frames that
// stop are waited for only briefly.
func (b *bench) passes(frame []byte) bool {
	b.rig.Send(Ward1, frame)
	return comes(b.rig, Ward2, frame, quiet)
}

func (b *bench) want(pass bool, what string, frame []byte) {
	b.Helper()
	if got := b.passes(frame); got != pass {
		b.Errorf("%s: passes %v, want %v", what, got, pass)
	}
}

// table is a table with one base chain in the forward hook, where ours is.
func table(rules []platform.Rule, more ...platform.Chain) platform.Table {
	base := platform.Chain{
		Name: "forward", Rules: rules,
		Hook: &platform.Hook{Point: platform.HookForward, Priority: -200},
	}
	return platform.Table{Family: platform.FamilyBridge, Name: tableName, Chains: append([]platform.Chain{base}, more...)}
}

// Short forms of what the cases say most.

func eq(f platform.Field, value string) platform.Match {
	return platform.Match{Fields: []platform.Field{f}, Op: platform.OpEq, Value: value}
}

func in(set string, fields ...platform.Field) platform.Match {
	return platform.Match{Fields: fields, Op: platform.OpIn, Set: set}
}

func drop(matches ...platform.Match) platform.Rule {
	return platform.Rule{Matches: matches, Verdict: platform.Verdict{Kind: platform.Drop}}
}

func accept(matches ...platform.Match) platform.Rule {
	return platform.Rule{Matches: matches, Verdict: platform.Verdict{Kind: platform.Accept}}
}

func jump(to string) platform.Verdict { return platform.Verdict{Kind: platform.Jump, Chain: to} }

func etherType(v uint16) platform.Match { return eq(platform.MetaProtocol, platform.Uint16Key(v)) }

func proto(v uint8) platform.Match { return eq(platform.MetaL4Proto, platform.ByteKey(v)) }

// plain is a small frame of an unassigned EtherType (IEEE local experimental).
func plain(n byte) []byte {
	return Ethernet(MAC(2), MAC(1), 0x88b5, append(make([]byte, 45), n))
}

// udp is a datagram from device 1 to device 2.
func udp(sport, dport uint16) []byte {
	return Ethernet(MAC(2), MAC(1), 0x0800, IPv4("10.0.0.1", "10.0.0.2", 17, 0, UDP(sport, dport, make([]byte, 20))))
}
