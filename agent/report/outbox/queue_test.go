package outbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

func TestQueueEvictsLowestOldest(t *testing.T) {
	q := NewQueue(4)
	emit := func(c event.Class, n ...int) {
		for _, i := range n {
			e := ev(c, i)
			if c == event.State {
				e.Key = string(rune('a' + i))
			}
			q.Emit(e)
		}
	}
	emit(event.Telemetry, 1, 2)
	emit(event.Ordinary, 3)
	emit(event.State, 4, 4) // one key
	emit(event.Alert, 5)    // telemetry 1 goes
	emit(event.Telemetry, 6)
	emit(event.Alert, 7, 8, 9) // telemetry, event, state go
	emit(event.State, 10)      // nothing below: it goes itself
	emit(event.Audit, 11)      // alert 5 goes
	var got []int
	for _, e := range q.take(100) {
		got = append(got, e.Body.(note).N)
	}
	if diff := cmp.Diff([]int{11, 7, 8, 9}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	lost, _ := q.Lost()
	if diff := cmp.Diff(map[string]uint64{"telemetry": 3, "event": 1, "state": 2, "alert": 1}, lost); diff != "" {
		t.Errorf("lost (-want +got):\n%s", diff)
	}
	if q.Len() != 0 {
		t.Errorf("Len = %d", q.Len())
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack("inventory/00:00:5e:00:53:01", "inventory", []byte(`{"v":1}`)))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		key, kind, line, err := unpack(b)
		if err == nil {
			k, d, l, err := unpack(pack(key, kind, line))
			if err != nil || k != key || d != kind || string(l) != string(line) {
				t.Errorf("%q %q %q: %v", k, d, l, err)
			}
		}
	})
}
