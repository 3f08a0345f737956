package nac

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every pair of state and input; what is not named stays and does nothing.
func TestNext(t *testing.T) {
	type to struct {
		State  State
		Effect effect
	}
	moves := map[State]map[input]to{
		Applying: {inApplied: {Applied, nothing}, inNotApplied: {Failed, nothing}, inMaybe: {Doubtful, nothing}, inEnd: {Undoing, callUndo}, inAgain: {Applying, callApply}},
		Applied:  {inEnd: {Undoing, callUndo}},
		Doubtful: {inEnd: {Undoing, callUndo}},
		Undoing:  {inUndone: {Undone, nothing}, inNotApplied: {Failed, nothing}, inApplied: {Undoing, callUndo}, inMaybe: {Undoing, callUndo}, inAgain: {Undoing, callUndo}},
	}
	for _, s := range states() {
		for _, in := range inputs() {
			want, named := moves[s][in]
			if !named {
				want = to{s, nothing}
			}
			var got to
			got.State, got.Effect = next(s, in)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("next(%s, %d) (-want +got):\n%s", s, in, diff)
			}
		}
	}
}

// What may hold outside is never settled but by an answer that says it does not,
// and once it is to end it never holds again.
func TestNextOwes(t *testing.T) {
	for _, s := range states() {
		for _, in := range inputs() {
			got, do := next(s, in)
			if !s.settled() && got.settled() && in != inUndone && in != inNotApplied {
				t.Errorf("next(%s, %d) = %s: settled without an answer", s, in, got)
			}
			if s.settled() && (got != s || do != nothing) {
				t.Errorf("next(%s, %d) = %s, %d: it was settled", s, in, got, do)
			}
			if s == Undoing && (do == callApply || slices.Contains([]State{Applying, Applied, Doubtful}, got)) {
				t.Errorf("next(%s, %d) = %s, %d: it was to end", s, in, got, do)
			}
		}
	}
}

func TestInputOf(t *testing.T) {
	for _, tt := range []struct {
		action string
		o      Outcome
		want   input
	}{
		{actApply, Done, inApplied}, {actApply, Refused, inNotApplied}, {actApply, Unsure, inMaybe},
		{actUndo, Done, inUndone}, {actUndo, Refused, inNotUndone}, {actUndo, Unsure, inNotUndone},
	} {
		if got := inputOf(tt.action, tt.o); got != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.action, tt.o, got, tt.want)
		}
	}
}
