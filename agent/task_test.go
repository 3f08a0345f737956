package agent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// diary is what tasks write when they end.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) write(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, s)
}

// read is what was written so far; a task left behind may still write.
func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// part is a Task that takes its time to end.
type part struct {
	name  string
	diary *diary
	lasts time.Duration // after it was asked to end
	fails time.Duration // after its start; 0: not
	with  error         // nil: it just ends
}

func (p part) String() string         { return p.name }
func (p part) Ready() <-chan struct{} { return nil }

func (p part) Run(ctx context.Context) error {
	var broken <-chan time.Time
	if p.fails > 0 {
		broken = time.After(p.fails)
	}
	select {
	case <-broken:
		return p.with
	case <-ctx.Done():
	}
	time.Sleep(p.lasts)
	p.diary.write(p.name)
	return nil
}

// TestTasksEndInTheOrderOfTheDataPath: what a slow observer hands over last must
// find the inventory at work, and so on down to the uplink.
func TestTasksEndInTheOrderOfTheDataPath(t *testing.T) {
	for _, c := range []struct {
		name    string
		capture part
		want    string
	}{
		{"asked to", part{lasts: 3 * time.Second}, ""},
		{"a task fails", part{fails: time.Second, with: errors.New("boom")}, "task capture w1: boom"},
		{"a task just ends", part{fails: time.Second}, "task capture w1: ended without being asked to"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				c.capture.name, c.capture.diary = "capture w1", &d
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				err := runAll(ctx, [][]Task{
					{c.capture, part{name: "denies", diary: &d}},
					{part{name: "inventory", diary: &d, lasts: 2 * time.Second}},
					{part{name: "outbox", diary: &d, lasts: time.Second}},
					{part{name: "uplink", diary: &d}},
				})
				got := ""
				if err != nil {
					got = err.Error()
				}
				if got != c.want {
					t.Errorf("error %q, want %q", got, c.want)
				}
				want := []string{"denies", "capture w1", "inventory", "outbox", "uplink"}
				if c.want != "" {
					want = slices.Delete(want, 1, 2)
				}
				if diff := cmp.Diff(want, d.read()); diff != "" {
					t.Errorf("order of ends (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestHungTaskDoesNotHoldTheOthers: it costs its stage's time, and is named.
func TestHungTaskDoesNotHoldTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		began := time.Now()
		err := runAll(ctx, [][]Task{{part{name: "capture w1", diary: &d, lasts: time.Hour}}, {part{name: "outbox", diary: &d}}})
		if err == nil || err.Error() != "still running after 6s: capture w1" {
			t.Errorf("error %v", err)
		}
		if took := time.Since(began); took != stageLimit {
			t.Errorf("took %s", took)
		}
		if diff := cmp.Diff([]string{"outbox"}, d.read()); diff != "" {
			t.Errorf("the others (-want +got):\n%s", diff)
		}
		time.Sleep(2 * time.Hour) // the bubble waits for it, runAll did not
	})
}
