package inventory

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/health/healthtest"
)

// bubble is the clock of a synctest bubble.
type bubble struct{ boot time.Time }

func (b bubble) Now() time.Time      { return time.Now() }
func (b bubble) Mono() time.Duration { return time.Since(b.boot) + time.Hour }
func (b bubble) Synced() bool        { return true }
func (b bubble) BootID() string      { return "b" }

// shut is a keeper that cannot be read at first.
type shut struct {
	memory
	open  atomic.Bool
	saves atomic.Int32
}

func (s *shut) Load(fn func(string, []byte) error) error {
	if !s.open.Load() {
		return errors.New("bucket is locked")
	}
	return s.memory.Load(fn)
}

func (s *shut) Save(v map[string][]byte, gone []string) error {
	s.saves.Add(1)
	return s.memory.Save(v, gone)
}

// Until what is kept is back, the inventory is not ready, and it does not write
// over it: an empty inventory would have the rules of all devices removed.
func TestLoadFails(t *testing.T) {
	keep := &shut{memory: memory{}}
	before := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	pump(before, alive(0, 0))
	if err := before.SaveAll(keep.memory); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var board health.Board
		book := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
		task := NewTask(book, keep, memory{}, clock.New(bubble{time.Now()}, time.Time{}), &board, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- task.Run(ctx) }()
		task.Offer(fact.Batch{Port: "w7", Sightings: []fact.Sighting{{MAC: philips, Time: time.Now().UnixNano()}}})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		select {
		case <-task.Ready():
			t.Error("ready without what is kept")
		default:
		}
		if c := board.Conditions(); len(c) != 1 || c[0].Code != "inventory.load" || c[0].Text != "load inventory: bucket is locked" {
			t.Errorf("conditions %v", c)
		}
		if n := keep.saves.Load(); n != 0 {
			t.Errorf("%d saves over what is kept", n)
		}
		keep.open.Store(true)
		time.Sleep(5 * time.Second)
		<-task.Ready()
		d := task.Snapshot().Find("00:09:fb:01:02:03")
		if d == nil || d.Identity.Confidence != device.Confirmed || d.Port != "w7" {
			t.Errorf("device %+v, want the role that was kept and the port of now", d)
		}
		if c := board.Conditions(); len(c) != 0 {
			t.Errorf("conditions %v, want none", c)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// slowly is a processor on which to judge a device takes as long as three seconds.
type slowly struct{ byHostname }

func (s slowly) Classify(d device.Device, held time.Duration) device.Identity {
	time.Sleep(3 * time.Second)
	return s.byHostname.Classify(d, held)
}

// To judge many devices takes a small processor seconds: that is no hang.
func TestJudgingIsNoHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var board health.Board
		c := clock.New(bubble{time.Now()}, time.Time{})
		task := NewTask(NewBook(DefaultLimits(), slowly{}, oneVendor{}, nil), nil, nil, c, &board, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- task.Run(ctx) }()
		look := func(what string) {
			t.Helper()
			if hung, after := healthtest.Watch(&board, 6*time.Second, func() time.Duration { return c.Now().Mono }); hung != nil {
				t.Errorf("%s: %v hangs after %s", what, hung, after)
			}
		}
		time.Sleep(1500 * time.Millisecond) // between two saves, which may take long themselves
		task.Offer(fact.Batch{Port: "w7", Sightings: []fact.Sighting{{MAC: philips, Time: time.Now().UnixNano()}}})
		look("a new device")
		task.SetMarks(map[device.ID]device.Marks{device.IDOf(philips): {Tags: []string{"a"}}})
		look("a new tag")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
