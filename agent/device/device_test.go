package device

import (
	"encoding/json"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

func TestIDOf(t *testing.T) {
	for m, want := range map[fact.MAC]ID{{0, 9, 0xfb, 1, 2, 3}: "00:09:fb:01:02:03", {2, 0, 0, 0, 0, 1}: "local:02:00:00:00:00:01"} {
		if got := IDOf(m); got != want {
			t.Errorf("IDOf(%s) = %q, want %q", m, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	s := &Snapshot{Devices: []Device{{ID: "a"}, {ID: "c"}, {ID: "e"}}}
	for _, id := range []ID{"a", "c", "e"} {
		if d := s.Find(id); d == nil || d.ID != id {
			t.Errorf("Find(%q) = %v", id, d)
		}
	}
	for _, id := range []ID{"", "b", "f"} {
		if d := s.Find(id); d != nil {
			t.Errorf("Find(%q) = %v, want nil", id, d)
		}
	}
}

func TestNames(t *testing.T) {
	for c := LifeSustaining; c <= Other; c++ {
		b, _ := json.Marshal(c)
		var back SafetyClass
		if err := json.Unmarshal(b, &back); err != nil || back != c {
			t.Errorf("safety class %s came back as %s (%v)", c, back, err)
		}
	}
	for c := Confidence(0); c <= Confirmed; c++ {
		b, _ := json.Marshal(c)
		var back Confidence
		if err := json.Unmarshal(b, &back); err != nil || back != c {
			t.Errorf("confidence %s came back as %s (%v)", c, back, err)
		}
	}
	var c SafetyClass
	if err := c.UnmarshalText([]byte("vital")); err == nil || err.Error() != `safety class "vital": want life-sustaining, clinical, support, infrastructure or other` {
		t.Errorf("unknown class: %v", err)
	}
}
