package nac

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
)

func TestCandidates(t *testing.T) {
	order := []string{"a", "b", "c"}
	for _, tt := range []struct {
		name        string
		over        string
		owed        []Obligation
		want        []string
		ineffective bool
	}{
		{"nothing yet", "", nil, order, false},
		{"over", "released", nil, nil, false},
		{"under way", "", []Obligation{{Hook: "a", State: Applying}}, nil, false},
		{"no telling of its effect yet", "", []Obligation{{Hook: "a", State: Applied}}, nil, false},
		{"confirmed", "", []Obligation{{Hook: "a", State: Applied, Effect: Confirmed}}, nil, false},
		{"unknown is not without effect", "", []Obligation{{Hook: "a", State: Applied, Effect: Unknown}}, nil, false},
		{"without effect", "", []Obligation{{Hook: "a", State: Applied, Effect: NotEffective}}, []string{"b", "c"}, false},
		{"refused", "", []Obligation{{Hook: "a", State: Failed}}, []string{"b", "c"}, false},
		{"no answer", "", []Obligation{{Hook: "a", State: Doubtful}}, []string{"b", "c"}, false},
		{"taken back, as it touched a pump by now", "", []Obligation{{Hook: "a", State: Undone}}, []string{"b", "c"}, false},
		{"being taken back", "", []Obligation{{Hook: "a", State: Undoing}}, nil, false},
		{"the first was left out", "", []Obligation{{Hook: "b", State: Failed}}, []string{"c"}, false},
		{"the last is without effect", "", []Obligation{{Hook: "a", State: Failed}, {Hook: "c", State: Applied, Effect: NotEffective}}, []string{}, true},
		{"the last is confirmed", "", []Obligation{{Hook: "a", State: Failed}, {Hook: "c", State: Applied, Effect: Confirmed}}, nil, false},
		{"the last gave no answer", "", []Obligation{{Hook: "c", State: Doubtful}}, []string{}, false},
		{"the last gave no answer and has no effect", "", []Obligation{{Hook: "c", State: Doubtful, Effect: NotEffective}}, []string{}, true},
		{"the last gave no answer, and it is silent", "", []Obligation{{Hook: "c", State: Doubtful, Effect: Confirmed}}, []string{}, false},
		{"one of the round before is being undone", "", []Obligation{{Hook: "a", Round: -1, State: Undoing}}, nil, false},
		{"one of the round before is still applied", "", []Obligation{{Hook: "a", Round: -1, State: Applied}}, nil, false},
		{"one of the round before is undone", "", []Obligation{{Hook: "a", Round: -1, State: Undone}}, order, false},
		{"a hook that is not in the order any more", "", []Obligation{{Hook: "x", State: Failed}}, order, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := record{Over: tt.over, Owed: tt.owed}
			if diff := cmp.Diff(tt.want, r.candidates(order)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := r.ineffective(order); got != tt.ineffective {
				t.Errorf("ineffective %v, want %v", got, tt.ineffective)
			}
		})
	}
}

// A device that is put into quarantine again and again while something is still
// owed does not make its record grow.
func TestRenewForgetsWhatIsSettled(t *testing.T) {
	r := record{Round: 1, Over: "released", Owed: []Obligation{{ID: "1", Round: 1, State: Undone}, {ID: "2", Round: 1, State: Undoing}, {ID: "3", Round: 1, State: Failed}}}
	r.renew(order(time.Hour), clock.Stamp{})
	if r.Round != 2 || r.Over != "" || len(r.Owed) != 1 || r.Owed[0].ID != "2" {
		t.Errorf("%+v", r)
	}
	r.renew(order(time.Hour), clock.Stamp{})
	if r.Round != 2 {
		t.Errorf("renewed while it lasts: round %d", r.Round)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":         `{`,
		"another version": `{"v":2,"device":"x"}`,
		"another device":  `{"v":1,"device":"y"}`,
		"a strange state": `{"v":1,"device":"x","owed":[{"state":"maybe"}]}`,
	} {
		if r, err := decode("x", []byte(text)); err == nil {
			t.Errorf("%s: read as %+v", name, r)
		}
	}
}
