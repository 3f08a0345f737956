package health

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBoard(t *testing.T) {
	var b Board
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	if !b.Set(Condition{"uplink.down", Warning, "broker refuses", at(1)}) {
		t.Error("the first Set of a code is not new")
	}
	if b.Set(Condition{"uplink.down", Warning, "broker silent", at(2)}) {
		t.Error("the second Set of a code is new")
	}
	b.Set(Condition{"store.reset", Failure, "database was damaged", at(3)})
	want := []Condition{{"store.reset", Failure, "database was damaged", at(3)}, {"uplink.down", Warning, "broker silent", at(1)}}
	if diff := cmp.Diff(want, b.Conditions()); diff != "" {
		t.Errorf("failures first, Since of the first Set (-want +got):\n%s", diff)
	}
	if !b.Clear("uplink.down") || b.Clear("uplink.down") {
		t.Error("Clear must report whether the condition was up")
	}
	if n := len(b.Conditions()); n != 1 {
		t.Errorf("%d conditions left, want 1", n)
	}
}

func TestSilent(t *testing.T) {
	var b Board
	b.Beat("inventory", 100*time.Second)
	b.Beat("enforce", 160*time.Second)
	if diff := cmp.Diff([]string{"inventory"}, b.Silent(170*time.Second, 30*time.Second)); diff != "" {
		t.Errorf("silent tasks (-want +got):\n%s", diff)
	}
}
