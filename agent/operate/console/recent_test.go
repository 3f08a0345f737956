package console

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

type sink struct{ n int }

func (s *sink) Emit(event.Event) { s.n++ }

func TestRecent(t *testing.T) {
	var next sink
	r := NewRecent(&next, 3)
	for i := range 5 {
		r.Emit(event.Event{Class: event.Alert, Body: event.Deny{Service: fmt.Sprint(i)}})
		r.Emit(event.Event{Class: event.State, Body: event.Health{}})
	}
	var got []string
	for _, d := range r.Denies() {
		got = append(got, d.Service)
	}
	if diff := cmp.Diff([]string{"4", "3", "2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if next.n != 10 {
		t.Errorf("%d events passed on, want 10", next.n)
	}
}
