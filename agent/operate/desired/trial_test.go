package desired

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
)

// Every pair of state and input, in the table's words.
func TestNextOverEveryPair(t *testing.T) {
	want := `
settled   propose → applying apply-new
settled   applied → settled
settled   failed  → settled
settled   session → settled
settled   timeout → settled
settled   start   → settled
applying  propose → applying apply-new
applying  applied → trying
applying  failed  → reverting tell-reverts apply-old
applying  session → applying
applying  timeout → reverting tell-reverts apply-old
applying  start   → applying apply-new
trying    propose → applying apply-new
trying    applied → trying
trying    failed  → trying
trying    session → settled tell-kept
trying    timeout → reverting tell-reverts apply-old
trying    start   → trying
reverting propose → reverting tell-busy
reverting applied → settled
reverting failed  → reverting
reverting session → reverting
reverting timeout → reverting apply-old
reverting start   → reverting apply-old
`
	var got strings.Builder
	got.WriteString("\n")
	for _, s := range []State{Settled, Applying, Trying, Reverting} {
		for _, in := range []Input{Propose, Applied, Failed, Session, Timeout, Start} {
			to, effects := next(s, in)
			line := fmt.Sprintf("%-9s %-7s → %s", s, in, to)
			for _, e := range effects {
				line += " " + string(e)
			}
			got.WriteString(line + "\n")
		}
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func at(boot string, mono time.Duration) clock.Stamp { return clock.Stamp{BootID: boot, Mono: mono} }

// Whatever happens in whatever order, the configuration in force is one that
// reached the broker, one on trial for a bounded time, or the one before.
func TestNoSequenceStrands(t *testing.T) {
	inputs := []Input{Applied, Failed, Session, Timeout, Start}
	var walk func(tr Trial, good []string, depth int)
	walk = func(tr Trial, good []string, depth int) {
		if f := tr.InForce(); !slices.Contains(good, f) && tr.State != Applying && tr.State != Trying {
			t.Fatalf("%+v: %q is in force for good and never reached the broker", tr, f)
		}
		if depth == 0 {
			return
		}
		for _, in := range inputs {
			to, effects := tr.Tell(in, at("b", 0))
			ok := good
			if slices.Contains(effects, TellKept) {
				ok = append(slices.Clone(good), tr.New)
			}
			walk(to, ok, depth-1)
		}
		to, _ := tr.Propose(fmt.Sprintf("c%d", depth), "id", at("b", 0))
		walk(to, good, depth-1)
	}
	walk(Trial{}, []string{""}, 6)
}

func TestTrialEnds(t *testing.T) {
	begin := func(boot string) Trial {
		tr, _ := Trial{State: Settled, Old: "a"}.Propose("b", "id-1", at(boot, time.Minute))
		tr, _ = tr.Tell(Applied, at(boot, time.Minute))
		return tr
	}
	starts := func(tr Trial, stamps ...clock.Stamp) string {
		var out []string
		for _, s := range stamps {
			tr, _ = tr.Tell(Start, s)
			out = append(out, string(tr.State)+" "+tr.InForce())
		}
		return strings.Join(out, ", ")
	}
	tests := []struct{ what, got, want string }{
		{"killed within its time", starts(begin("x"), at("x", 2*time.Minute)), "trying b"},
		{"killed, back too late", starts(begin("x"), at("x", 11*time.Minute)), "reverting a"},
		{"crashes again and again", starts(begin("x"), at("x", 2*time.Minute), at("x", 3*time.Minute), at("x", 4*time.Minute), at("x", 5*time.Minute)), "trying b, trying b, trying b, reverting a"},
		{"rebooted", starts(begin("x"), at("y", 0)), "trying b"},
		{"reboots again and again", starts(begin("x"), at("y", 0), at("z", 0), at("u", 0), at("v", 0)), "trying b, trying b, trying b, reverting a"},
		{"never comes back", starts(Trial{State: Reverting, Old: "a", New: "b"}, at("x", 0), at("x", 1), at("x", 2), at("x", 3), at("x", 4)), "reverting a, reverting a, reverting a, settled a, settled a"},
		{"killed while it goes back", starts(Trial{State: Reverting, Old: "a", New: "b"}, at("x", 0)), "reverting a"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, tt.got, tt.want)
		}
	}
	if tr := begin("x"); tr.Over(at("x", 11*time.Minute-1)) || !tr.Over(at("x", 11*time.Minute)) || tr.Over(at("y", time.Hour)) {
		t.Error("the end of a trial is not its tenth minute of this boot")
	}
	kept, effects := begin("x").Tell(Session, at("x", 2*time.Minute))
	if diff := cmp.Diff(Trial{State: Settled, Old: "b"}, kept); diff != "" || !slices.Equal(effects, []Effect{TellKept}) {
		t.Errorf("kept: %v\n%s", effects, diff)
	}
}
