package inventory

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

const philipsID = device.ID("00:09:fb:01:02:03")

// bedside is a book and the time at it, from 8:00.
type bedside struct {
	t    *testing.T
	book *Book
	got  events
	keep memory
	uses memory
	min  int
}

func (b *bedside) stamp() clock.Stamp {
	at := time.Duration(b.min) * time.Minute
	return clock.Stamp{Wall: time.Date(2026, 11, 2, 8, 0, 30, 0, time.UTC).Add(at), Mono: at + time.Hour, Quality: clock.NTP}
}

// restart begins with what was saved.
func (b *bedside) restart() {
	b.t.Helper()
	b.book = NewBook(DefaultLimits(), byHostname{}, oneVendor{}, &b.got)
	for _, load := range []func() (int, error){func() (int, error) { return b.book.LoadUse(b.uses) }, func() (int, error) { return b.book.Load(b.keep) }} {
		if bad, err := load(); bad > 0 || err != nil {
			b.t.Fatalf("%d records bad: %v", bad, err)
		}
	}
	b.book.Settle(b.stamp())
}

func (b *bedside) save() {
	b.t.Helper()
	if err := b.book.SaveAll(b.keep); err != nil {
		b.t.Fatal(err)
	}
	if err := b.book.SaveAllUse(b.uses); err != nil {
		b.t.Fatal(err)
	}
}

// minutes has a device send on a port, or say nothing where state is "".
func (b *bedside) minutes(n int, port, state string) {
	b.t.Helper()
	for range n {
		b.min++
		if at := b.stamp().Wall.UnixNano(); state != "" {
			v, ok := fact.New(fact.HL7PumpState, state)
			if !ok {
				b.t.Fatal("no fact")
			}
			batch := fact.Batch{Port: port, Sightings: []fact.Sighting{{MAC: philips, Time: at}}, Facts: []fact.Fact{{MAC: philips, Kind: fact.HL7PumpState, Value: v, Time: at}}}
			if host, ok := fact.New(fact.DHCPHostname, "infusion-pump-lvp"); ok {
				batch.Facts = append(batch.Facts, fact.Fact{MAC: philips, Kind: fact.DHCPHostname, Value: host, Time: at})
			}
			b.book.Apply(batch, b.stamp())
		}
		b.book.Settle(b.stamp())
		b.book.Report(b.stamp())
	}
}

func (b *bedside) is() string {
	u := b.book.Snapshot().Find(philipsID).Utilisation
	return u.Use.String() + " " + u.By.String()
}

// TestUtilisation: a device that is in use stays so when it roams and over a
// restart; its hours go out, and nothing finer.
func TestUtilisation(t *testing.T) {
	b := &bedside{t: t, keep: memory{}, uses: memory{}}
	b.restart()
	var got []string
	step := func(what string, n int, port, state string) {
		b.minutes(n, port, state)
		got = append(got, what+": "+b.is())
	}
	step("infuses", 20, "w1", "infusing")
	step("somebody elsewhere says it does not", 1, "w9", "not-infusing")
	step("and it goes on", 6, "w1", "infusing")
	step("roams", 4, "", "")
	step("to another port", 9, "w2", "infusing")
	b.save()
	b.restart()
	got = append(got, "restarted: "+b.is())
	step("infuses again", 2, "w2", "infusing")
	step("stands", 30, "w2", "not-infusing")
	step("is away", 10, "", "")
	step("for long", 40, "", "")
	want := []string{"infuses: in-use e1", "somebody elsewhere says it does not: in-use e1", "and it goes on: in-use e1", "roams: in-use e1", "to another port: in-use e1",
		"restarted: unknown none", "infuses again: in-use e1", "stands: on-idle e1", "is away: on-idle e4", "for long: off e4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}

	var hours []event.Utilisation
	for _, e := range b.got {
		if u, ok := e.Body.(event.Utilisation); ok {
			if e.Class != event.Telemetry {
				t.Errorf("class %s", e.Class)
			}
			hours = append(hours, u)
			continue
		}
		text, err := json.Marshal(e.Body)
		if err != nil || strings.Contains(string(text), "in-use") || strings.Contains(string(text), "infusing") || strings.Contains(string(text), "tilisation") {
			t.Errorf("%s tells the state: %s (%v)", e.Body.Kind(), text, err)
		}
	}
	if len(hours) != 2 || hours[0].Device != philipsID || hours[0].Role != "infusion-pump-lvp" || !hours[0].Hour.Equal(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)) {
		t.Fatalf("hours %+v", hours)
	}
	for i, h := range hours {
		sum := 0
		for _, by := range h.Minutes {
			for _, n := range by {
				sum += n
			}
		}
		if sum < 57 || sum > 60 {
			t.Errorf("hour %d has %d minutes: %v", i, sum, h.Minutes)
		}
	}
	if n := hours[0].Minutes["in-use"]["e1"]; n < 40 || n > 46 {
		t.Errorf("%d minutes in use, of 43 or so: %v", n, hours[0].Minutes)
	}
}

// A device that is forgotten takes its utilisation with it, and what is kept of
// a device that nobody knows goes.
func TestUtilisationIsForgotten(t *testing.T) {
	b := &bedside{t: t, keep: memory{}, uses: memory{"00:00:00:00:00:01": []byte(`{"v":1,"days":[{},{},{},{},{},{},{}]}`)}}
	b.restart()
	b.minutes(3, "w1", "infusing")
	b.save()
	if _, ok := b.uses[string(philipsID)]; len(b.uses) != 1 || !ok {
		t.Errorf("kept: %d", len(b.uses))
	}
	b.min += 60 * 24 * 100
	b.book.Settle(b.stamp())
	b.save()
	if len(b.uses)+len(b.keep) != 0 {
		t.Errorf("kept of nobody: %d, %d", len(b.uses), len(b.keep))
	}
}

// Addresses without a role cost no meter: a flood makes thousands.
func TestFloodHasNoMeters(t *testing.T) {
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	for i := range 4096 {
		b.Apply(fact.Batch{Port: fmt.Sprint("w", i%8), Sightings: []fact.Sighting{sighting(fact.MAC{2, 0, 0, 0, byte(i >> 8), byte(i)}, "", 10)}}, stamp(10))
	}
	b.Settle(stamp(11))
	for _, r := range b.byMAC {
		if r.use != nil {
			t.Fatal("a stranger has a meter")
		}
	}
}
