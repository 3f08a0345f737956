package inventory

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

const day = 24 * 60 * 60 * 1000 // milliseconds, for alive

// as takes every device for the same.
type as device.Identity

func (a as) Classify(device.Device, time.Duration) device.Identity { return device.Identity(a) }

// last is the last inventory record of each device.
func (e events) last() map[device.ID]event.Inventory {
	out := make(map[device.ID]event.Inventory)
	for _, ev := range e {
		if i, ok := ev.Body.(event.Inventory); ok {
			out[i.Device] = i
		}
	}
	return out
}

func TestAgeing(t *testing.T) {
	role := func(class device.SafetyClass, c device.Confidence) as {
		return as{Role: "some-role", Class: class, Confidence: c}
	}
	tests := []struct {
		name string
		is   as
		pin  bool
		days int // after which it is gone; 0: never
	}{
		{"a visitor", as{Role: device.RoleUnknown, Class: device.Other}, false, 30},
		{"perhaps a pump", role(device.LifeSustaining, device.Candidate), false, 30},
		{"likely a pump", role(device.LifeSustaining, device.Likely), false, 90},
		{"a printer", role(device.Support, device.Confirmed), false, 90},
		{"an ultrasound", role(device.Clinical, device.Confirmed), false, 90},
		{"a ventilator", role(device.LifeSustaining, device.Confirmed), false, 0},
		{"pinned by a person", role(device.Other, device.Confirmed), true, 0},
	}
	for _, tt := range tests {
		for _, off := range []time.Duration{0, 12 * 365 * 24 * time.Hour, -12 * 365 * 24 * time.Hour} { // the clock is set meanwhile
			t.Run(tt.name+" "+off.String(), func(t *testing.T) {
				var ev events
				keep := memory{}
				b := NewBook(DefaultLimits(), tt.is, oneVendor{}, &ev)
				pump(b, alive(0, 0))
				if tt.pin {
					b.byMAC[philips].dev.Pin = &device.Pin{Role: "some-role"}
				}
				b.Report(alive(1000, 0))
				days := tt.days
				if days == 0 {
					days = 5 * 365
				}
				for d := 1; d < days; d++ {
					if b.Settle(alive(d*day, off)); len(b.Snapshot().Devices) != 1 {
						t.Fatalf("gone after %d days", d)
					}
				}
				if err := b.SaveAll(keep); err != nil || len(keep) != 1 {
					t.Fatal(len(keep), err)
				}
				changed := b.Settle(alive(days*day, off))
				if err := b.Save(keep); err != nil {
					t.Fatal(err)
				}
				gone := tt.days != 0
				if left := len(b.Snapshot().Devices) + len(keep); changed != gone || (left == 0) != gone {
					t.Errorf("after %d days: gone %v, want %v; %d left in memory and on disk", days, changed, gone, left)
				}
				changes := ev.changes()
				if told := changes[len(changes)-1] == "gone 00:09:fb:01:02:03 w1<- "+string(tt.is.Role)+"<-"; told != gone {
					t.Errorf("events %v", changes)
				}
				if got := ev.last()["00:09:fb:01:02:03"].Gone; got != gone {
					t.Errorf("the last inventory record says gone: %v, want %v", got, gone)
				}
			})
		}
	}
}

// A gateway that is started anew each week forgets as one that runs: what it
// looked for in vain before counts, but not the time in which it was off.
func TestAgeingGoesOnAfterARestart(t *testing.T) {
	keep := memory{}
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	pump(b, alive(0, 0)) // known: 90 days
	for week := 1; ; week++ {
		b.Settle(alive(7*day, 0))
		if err := b.SaveAll(keep); err != nil {
			t.Fatal(err)
		}
		if len(keep) == 0 {
			if week != 13 {
				t.Errorf("gone in week %d of looking, want the 13th", week)
			}
			return
		}
		if week > 20 {
			t.Fatal("never gone")
		}
		b = NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
		if bad, err := b.Load(keep); bad != 0 || err != nil {
			t.Fatal(bad, err)
		}
		b.Settle(alive(0, time.Duration(week)*365*24*time.Hour))
	}
}

// A silent device costs the flash one write a day, and a power cut a day of its
// silence.
func TestSilenceIsKeptDaily(t *testing.T) {
	keep := counting{}
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	pump(b, alive(0, 0))
	for minute := range 10 * 24 * 60 {
		b.Settle(alive(1000+minute*60_000, 0))
		if err := b.Save(&keep); err != nil {
			t.Fatal(err)
		}
	}
	if keep.writes < 10 || keep.writes > 11 {
		t.Errorf("%d writes in 10 days, want one at once and one a day", keep.writes)
	}
}

// Who gives way to a new device in a flood is gone for everybody as well.
func TestEvictedAreGone(t *testing.T) {
	var ev events
	b := NewBook(Limits{Devices: 1, PerPort: 1}, byHostname{}, oneVendor{}, &ev)
	for i, ms := range []int{0, 20 * 60_000} {
		now := alive(ms, 0)
		b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(fact.MAC{2, 0, 0, 0, 0, byte(i)}, now)}}, now)
		b.Settle(now)
		b.Report(now)
	}
	want := []string{"new local:02:00:00:00:00:00 w1<- unknown<-", "gone local:02:00:00:00:00:00 w1<- unknown<-", "new local:02:00:00:00:00:01 w1<- unknown<-"}
	if diff := cmp.Diff(want, ev.changes()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	last := ev.last()
	if !last["local:02:00:00:00:00:00"].Gone || last["local:02:00:00:00:00:01"].Gone {
		t.Errorf("last inventory records %v", last)
	}
}

// A replay reads files that may lie years apart.
func TestReplayForgetsNobody(t *testing.T) {
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	b.Apply(fact.Batch{Sightings: []fact.Sighting{sighting(philips, "", 10)}}, stamp(10))
	b.Settle(clock.Stamp{Wall: time.Unix(10, 0).AddDate(3, 0, 0)})
	if n := len(b.Snapshot().Devices); n != 1 {
		t.Errorf("%d devices, want the one", n)
	}
}
