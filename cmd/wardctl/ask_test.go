package main

import "testing"

// A gateway that has taken a statement says how it ended, also after the restart
// that it is about; one that was never there does not.
func TestSettled(t *testing.T) {
	for _, c := range []struct {
		name, state  string
		known, there bool
		want         bool
	}{
		{"not heard of yet", "", false, false, false},
		{"there, no answer", "", true, true, false},
		{"not connected", "", true, false, true},
		{"accepted", "accepted", true, true, false},
		{"it starts anew", "executing", true, false, false},
		{"it is back and has said", "succeeded", true, true, true},
		{"it has said and is gone", "rejected", true, false, true},
	} {
		a := asking{named: true, want: map[string]string{"gw1": c.state}, states: map[string]bool{}}
		if c.known {
			a.states["gw1"] = c.there
		}
		if got := a.settled(); got != c.want {
			t.Errorf("%s: settled %v, want %v", c.name, got, c.want)
		}
	}
}
