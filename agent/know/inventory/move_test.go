package inventory

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// step is what a port sends in the name of the device, and how often.
type step struct {
	port     string
	from, to int // seconds
	every    int
	name     string // a host name that it gives itself; "": none
}

// play lets the ports send, in the order of time.
func play(b *Book, off time.Duration, steps ...step) {
	end := 0
	for _, s := range steps {
		end = max(end, s.to)
	}
	for sec := 0; sec <= end; sec++ {
		now := alive(sec*1000, off)
		for _, s := range steps {
			if sec < s.from || sec > s.to || (sec-s.from)%s.every != 0 {
				continue
			}
			batch := fact.Batch{Port: s.port, Sightings: []fact.Sighting{at(philips, now)}}
			if s.name != "" {
				f := hostname(philips, s.name, 0)
				f.Time = now.Wall.UnixNano()
				batch.Facts = []fact.Fact{f}
			}
			b.Apply(batch, now)
		}
		b.Settle(now)
	}
}

// A frame in the name of a device on another port is a claim. It becomes a move
// when the port where the device is says nothing more; until then nothing that
// is said there counts.
func TestMovesAndClaims(t *testing.T) {
	const role = "infusion-pump-lvp"
	pump := func(to int) step { return step{"w1", 0, to, 5, role} }
	tests := []struct {
		name     string
		classify Classifier
		steps    []step
		jump     time.Duration // of the wall clock, after the first second
		port     string
		names    []string // that were believed
		alerts   int
	}{
		{"rolled to another port", vital{}, []step{pump(0), {"w2", 20, 80, 5, ""}}, 0, "w2", []string{role}, 0},
		{"rolled, and the wait is not over", vital{}, []step{pump(0), {"w2", 20, 79, 5, ""}}, 0, "w1", []string{role}, 0},
		{"re-plugged fast", vital{}, []step{pump(0), {"w2", 9, 69, 5, ""}}, 0, "w2", []string{role}, 1},
		{"a device without a role moves sooner", byHostname{}, []step{{"w1", 0, 0, 1, ""}, {"w2", 5, 15, 5, ""}}, 0, "w2", nil, 0},
		{"nothing is believed before the move, all after it", byHostname{}, []step{{"w1", 0, 0, 1, ""}, {"w2", 5, 14, 1, "early"}, {"w2", 15, 15, 1, "late"}},
			0, "w2", []string{"late"}, 0},
		{"forged while the pump speaks", vital{}, []step{pump(3600), {"w5", 1, 3600, 1, "printer"}}, 0, "w1", []string{role}, 6},
		{"forged while a known device speaks", byHostname{}, []step{pump(3600), {"w5", 1, 3600, 1, "printer"}}, 0, "w1", []string{role}, 6},
		{"one forged frame after a long silence", vital{}, []step{pump(0), {"w5", 3600, 3600, 1, "printer"}}, 0, "w1", []string{role}, 0},
		{"two ports contend for a device that is away", vital{}, []step{pump(0), {"w2", 60, 600, 2, "printer"}, {"w5", 61, 600, 2, "camera"}}, 0, "w1", []string{role}, 1},
		{"a phone roams and stays", byHostname{}, []step{pump(0), {"w2", 2, 62, 1, ""}}, 0, "w2", []string{role}, 0},
		{"the clock is set back", vital{}, []step{pump(0), {"w2", 20, 80, 5, ""}}, -48 * time.Hour, "w2", []string{role}, 0},
		{"the clock is set forward", vital{}, []step{pump(0), {"w2", 20, 79, 5, ""}}, 48 * time.Hour, "w1", []string{role}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var ev events
			b := NewBook(DefaultLimits(), tt.classify, oneVendor{}, &ev)
			play(b, 0, tt.steps[0].first())
			play(b, tt.jump, tt.steps...)
			d := b.Snapshot().Devices[0]
			if d.Port != tt.port {
				t.Errorf("on %s, want %s", d.Port, tt.port)
			}
			var names []string
			for _, f := range d.Facts {
				if f.Kind == fact.DHCPHostname {
					names = append(names, f.Value)
				}
			}
			if diff := cmp.Diff(tt.names, names); diff != "" {
				t.Errorf("names that were believed (-want +got):\n%s", diff)
			}
			if n := len(ev.alerts()); n != tt.alerts {
				t.Errorf("%d alerts, want %d: %v", n, tt.alerts, ev.alerts())
			}
		})
	}
}

// Who asks what is behind a port is told of the port that a device may have been
// moved to, before that is believed.
func TestClaimIsShown(t *testing.T) {
	b := NewBook(DefaultLimits(), vital{}, oneVendor{}, &events{})
	var got []string
	for _, s := range []step{{"w1", 0, 0, 5, "infusion-pump-lvp"}, {"w2", 20, 20, 5, ""}, {"w1", 21, 21, 5, ""}, {"w2", 40, 60, 5, ""}, {"w2", 61, 101, 5, ""}} {
		play(b, 0, s)
		d := b.Snapshot().Devices[0]
		got = append(got, d.Port+" "+d.Claimed)
	}
	if diff := cmp.Diff([]string{"w1 ", "w1 w2", "w1 ", "w1 w2", "w2 "}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// first is the beginning of a step.
func (s step) first() step { s.to = s.from; return s }

func TestClone(t *testing.T) {
	var ev events
	b := NewBook(DefaultLimits(), vital{}, oneVendor{}, &ev)
	play(b, 0, step{"w1", 0, 9, 3, "infusion-pump-lvp"}, step{"w2", 8, 9, 1, "printer"})
	got := ev.alerts()
	if len(got) != 1 {
		t.Fatalf("%d alerts, want one: %v", len(got), got)
	}
	want := "00:09:fb:01:02:03 (infusion-pump-lvp) is on port w1, and port w2 sends in its name; nothing was blocked"
	if got[0].Signal != "clone" || got[0].Device != "00:09:fb:01:02:03" || got[0].Text != want || got[0].Advice == "" {
		t.Errorf("alert %+v", got[0])
	}
	if n := b.Stats().Foreign; n != 2 {
		t.Errorf("%d facts not believed, want 2", n)
	}
}

// Two ports that send with one MAC all the time make few events, and the last
// one told is true.
func TestJumpingDevice(t *testing.T) {
	var ev events
	b := NewBook(DefaultLimits(), vital{}, oneVendor{}, &ev)
	pump(b, alive(0, 0))
	const minutes = 30
	for ms := 100; ms < minutes*60_000; ms += 100 {
		now := alive(ms, 0)
		b.Apply(fact.Batch{Port: fmt.Sprintf("w%d", 1+ms/100%2), Sightings: []fact.Sighting{at(philips, now)}}, now)
		b.Settle(now)
		if ms%2000 == 0 {
			b.Report(now)
		}
	}
	if n := len(ev.changes()); n > maxTold*minutes+1 {
		t.Errorf("%d device events in %d minutes, want at most %d a minute", n, minutes, maxTold)
	}
	if n := len(ev.alerts()); n != 3 {
		t.Errorf("%d clone alerts in %d minutes, want one every 10", n, minutes)
	}
	records := 0
	for _, e := range ev {
		if e.Class == event.State {
			records++
		}
	}
	if records > 12*minutes {
		t.Errorf("%d inventory records in %d minutes, want one in 5 s at most", records, minutes)
	}
	b.Settle(alive(minutes*60_000+120_000, 0))
	changes := ev.changes()
	if last, port := changes[len(changes)-1], b.Snapshot().Devices[0].Port; !strings.Contains(last, port+"<-") {
		t.Errorf("last told %q, but the device is on %s", last, port)
	}
}

// The observers of two ports do not hand over in order: what is older does not
// move a device, but it is a second port all the same.
func TestLateBatch(t *testing.T) {
	var ev events
	b := NewBook(DefaultLimits(), vital{}, oneVendor{}, &ev)
	pump(b, alive(5000, 0))
	b.Apply(fact.Batch{Port: "w2", Sightings: []fact.Sighting{at(philips, alive(4000, 0))}}, alive(5100, 0))
	b.Settle(alive(5100, 0))
	if d := b.Snapshot().Devices[0]; d.Port != "w1" || len(ev.alerts()) != 1 {
		t.Errorf("on %s with %d alerts, want w1 and one", d.Port, len(ev.alerts()))
	}
}
