package enforce

import (
	"errors"
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// stage is what a step is for.
type stage string

const (
	layBase    stage = "lay the base"
	mendBase   stage = "mend the base"
	openUp     stage = "let more through"
	switchOver stage = "switch who is filtered"
	closeDown  stage = "let less through"
	stageNext  stage = "stage a generation"
	flip       stage = "put a generation in force"
	dropOld    stage = "drop a generation"
)

// action is the next thing to do; the zero action is nothing.
type action struct {
	stage stage
	why   string
	gen   uint64
	steps []platform.Step
	// bulk actions may be cut into several transactions: nothing they touch is
	// reachable, or each part of them is safe by itself.
	bulk bool
}

// errNoProgress says that doing the right thing did not help.
var errNoProgress = errors.New("the kernel does not take the rules")

// next compares what the kernel has (nil: no table) with what is wanted and says
// what to do first. It is pure, and it is the whole order of things: the base,
// then what lets more through, then a generation that is staged, read back whole
// and only then put in force, then all that is left. above is the highest
// generation number ever used. A generation in force is changed in place by at
// most limit elements, those of one transaction: more is quicker, and safer, as
// another generation.
func next(have *platform.Table, want *policy.Compiled, above uint64, limit int) action {
	if have == nil {
		return lay("there is no table", want, above+1)
	}
	current, comment := policy.Confirmed(*have)
	wanted := want.Table(max(current, 1)) // 0 is no generation's number; the base is the same in all
	base := policy.Diff(policy.Base(*have), policy.Base(wanted))
	if base.Structure != "" {
		return action{stage: mendBase, why: base.Structure, steps: policy.RepairSteps(*have, wanted)}
	}
	if len(base.Open) > 0 {
		return action{stage: openUp, why: "base", steps: base.Open, bulk: true}
	}
	gen, why := policy.Delta{}, ""
	switch {
	case current == 0:
		why = "no generation is in force"
	case comment != want.Comment():
		why = "another policy"
	default:
		gen = policy.Diff(policy.Generation(*have, current), policy.Generation(wanted, current))
		why = gen.Structure
		if gen.Elements > limit {
			why = "many devices changed"
		}
	}
	if why != "" {
		return replace(*have, want, current, above, why)
	}
	for _, phase := range []struct {
		stage stage
		steps []platform.Step
	}{
		{openUp, gen.Open},
		{switchOver, slices.Concat(base.Switch, gen.Switch)},
		{closeDown, slices.Concat(gen.Close, base.Close)},
	} {
		if len(phase.steps) > 0 {
			return action{stage: phase.stage, why: "devices", gen: current, steps: phase.steps, bulk: true}
		}
	}
	for _, g := range policy.Generations(*have) {
		if g != current {
			return action{stage: dropOld, why: "replaced", gen: g, steps: policy.DropSteps(*have, g)}
		}
	}
	return action{}
}

// lay makes the table anew, with generation g staged in it: unreachable, as a
// commit without an error may still be incomplete.
func lay(why string, want *policy.Compiled, g uint64) action {
	t := want.Table(g)
	return action{stage: layBase, why: why, gen: g, steps: append(policy.BaseSteps(t), policy.StageSteps(t, g)...), bulk: true}
}

// replace is the way to another generation: one that is staged whole is put in
// force; else what is left of earlier tries goes, and a new one is staged.
func replace(have platform.Table, want *policy.Compiled, current, above uint64, why string) action {
	for _, g := range policy.Generations(have) {
		if g == current {
			continue
		}
		t := want.Table(g)
		if g > current && policy.Diff(policy.Generation(have, g), policy.Generation(t, g)).Empty() {
			return action{stage: flip, why: why, gen: g, steps: policy.FlipSteps(t)}
		}
		return action{stage: dropOld, why: "incomplete", gen: g, steps: policy.DropSteps(have, g)}
	}
	g := max(current, above) + 1
	return action{stage: stageNext, why: why, gen: g, steps: policy.StageSteps(want.Table(g), g), bulk: true}
}

// split cuts steps into transactions of at most limit elements each. The order
// stays; a set comes empty first if its elements do not fit. What takes an
// element's place comes with the step that takes it away, if both fit: between
// the two, what either allows would be cut.
func split(steps []platform.Step, limit int) [][]platform.Step {
	var out [][]platform.Step
	var tx []platform.Step
	n := 0
	put := func(s platform.Step, elements int) {
		if n+elements > limit && len(tx) > 0 {
			out, tx, n = append(out, tx), nil, 0
		}
		tx, n = append(tx, s), n+elements
	}
	parts := func(e []platform.Element, do func([]platform.Element)) {
		for part := range slices.Chunk(e, limit) {
			do(part)
		}
	}
	for i, s := range steps {
		if d := s.DeleteElements; d != nil && i+1 < len(steps) && len(tx) > 0 {
			a := steps[i+1].AddElements
			if a != nil && a.Set == d.Set && len(a.Elements)+len(d.Elements) <= limit && n+len(a.Elements)+len(d.Elements) > limit {
				out, tx, n = append(out, tx), nil, 0
			}
		}
		switch {
		case s.AddSet != nil && len(s.AddSet.Elements) > limit:
			empty := *s.AddSet
			empty.Elements = nil
			put(platform.Step{AddSet: &empty}, 0)
			parts(s.AddSet.Elements, func(e []platform.Element) {
				put(platform.Step{AddElements: &platform.SetElements{Set: empty.Name, Elements: e}}, len(e))
			})
		case s.AddSet != nil:
			put(s, len(s.AddSet.Elements))
		case s.AddElements != nil:
			parts(s.AddElements.Elements, func(e []platform.Element) {
				put(platform.Step{AddElements: &platform.SetElements{Set: s.AddElements.Set, Elements: e}}, len(e))
			})
		case s.DeleteElements != nil:
			parts(s.DeleteElements.Elements, func(e []platform.Element) {
				put(platform.Step{DeleteElements: &platform.SetElements{Set: s.DeleteElements.Set, Elements: e}}, len(e))
			})
		case s.AddChain != nil:
			put(s, 8*len(s.AddChain.Rules)) // a rule weighs more than an element
		default:
			put(s, 1)
		}
	}
	if len(tx) > 0 {
		out = append(out, tx)
	}
	return out
}
