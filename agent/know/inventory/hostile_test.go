package inventory

import (
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// vital takes every named device for a life-sustaining one.
type vital struct{ byHostname }

func (v vital) Classify(d device.Device, since time.Duration) device.Identity {
	id := v.byHostname.Classify(d, since)
	if id.Confidence == device.Confirmed {
		id.Class = device.LifeSustaining
	}
	return id
}

// alive is a stamp of a gateway: ms since boot, and a wall clock off by some.
func alive(ms int, off time.Duration) clock.Stamp {
	return clock.Stamp{Wall: time.Unix(1_800_000_000, 0).Add(time.Duration(ms)*time.Millisecond + off),
		Mono: time.Hour + time.Duration(ms)*time.Millisecond, BootID: "b", Quality: clock.NTP}
}

// at is a sighting with the wall time of a stamp.
func at(m fact.MAC, now clock.Stamp) fact.Sighting {
	return fact.Sighting{MAC: m, Time: now.Wall.UnixNano()}
}

func (e events) alerts() []event.Warning {
	var out []event.Warning
	for _, ev := range e {
		if w, ok := ev.Body.(event.Warning); ok && ev.Class == event.Alert {
			out = append(out, w)
		}
	}
	return out
}

// pump puts a named device onto w1.
func pump(b *Book, now clock.Stamp) {
	v, _ := fact.New(fact.DHCPHostname, "infusion-pump-lvp")
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(philips, now)},
		Facts: []fact.Fact{{MAC: philips, Kind: fact.DHCPHostname, Value: v, Time: now.Wall.UnixNano()}}}, now)
	b.Settle(now)
}

// The wall clock of a gateway without a real-time clock is years off at boot.
func TestClockJumps(t *testing.T) {
	const years = 12 * 365 * 24 * time.Hour
	for _, jump := range []time.Duration{-years, years} {
		var ev events
		b := NewBook(Limits{Devices: 2, PerPort: 2}, byHostname{}, oneVendor{}, &ev)
		pump(b, alive(0, 0))
		stray := fact.MAC{2, 0, 0, 0, 0, 1}
		b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(stray, alive(0, 0))}}, alive(0, 0))
		b.Settle(alive(0, 0))
		b.Report(alive(1000, 0))
		ev = nil

		// the clock is set; the device goes on, the stray does not
		later := alive(16*60_000, jump)
		flow := fact.Flow{Device: philips, PeerIP: netip.MustParseAddr("10.0.0.9"), Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: 443}, Last: later.Wall.UnixNano()}
		b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(philips, later)}, Flows: []fact.Flow{flow}}, later)
		b.Settle(later)
		b.Report(later)
		kinds := map[string]int{}
		for _, e := range ev {
			kinds[e.Body.Kind()]++
		}
		if diff := cmp.Diff(map[string]int{"inventory": 1, "conversations": 1}, kinds); diff != "" {
			t.Errorf("jump %v: reports after 16 minutes (-want +got):\n%s", jump, diff)
		}
		d := b.Snapshot().Find(device.IDOf(philips))
		if !d.LastSeen.Equal(later.Wall) || d.FirstSeen.After(d.LastSeen) {
			t.Errorf("jump %v: seen from %v to %v, want to %v", jump, d.FirstSeen, d.LastSeen, later.Wall)
		}
		// the stray has been silent for 16 minutes and gives way
		other := fact.MAC{0, 9, 0xfb, 9, 9, 9}
		b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(other, later)}}, later)
		if s := b.Snapshot(); s.Find(device.IDOf(other)) == nil || s.Find(device.IDOf(stray)) != nil {
			t.Errorf("jump %v: the silent device did not give way", jump)
		}
	}
}

// since is by the monotonic clock, and a device is judged again when a dwell
// time may have ended, without news.
type dwelling struct{ since *[]time.Duration }

func (c dwelling) Classify(d device.Device, since time.Duration) device.Identity {
	*c.since = append(*c.since, since)
	return device.Identity{Role: "printer", Class: device.Support, Confidence: device.Likely, Contradiction: "evidence now speaks for camera"}
}

func TestDwellEndsByItself(t *testing.T) {
	var got []time.Duration
	b := NewBook(DefaultLimits(), dwelling{&got}, oneVendor{}, nil)
	pump(b, alive(0, 0))
	for s := 1; s <= 125; s++ {
		b.Settle(alive(s*1000, -time.Duration(s)*time.Hour))
	}
	if diff := cmp.Diff([]time.Duration{0, time.Minute, 2 * time.Minute}, got); diff != "" {
		t.Errorf("since at each judgement (-want +got):\n%s", diff)
	}
}

// What a flood evicts must leave the disk too, or the disk fills, and after a
// restart the strays take the places of the known.
func TestEvictedLeaveTheKeeper(t *testing.T) {
	keep := memory{}
	b := NewBook(Limits{Devices: 10, PerPort: 10}, byHostname{}, oneVendor{}, nil)
	pump(b, alive(0, 0))
	for i := range 500 {
		now := alive(i*20*60_000, 0)
		b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(fact.MAC{2, 0, 0, 0, byte(i >> 8), byte(i)}, now)}}, now)
		b.Settle(now)
		if err := b.Save(keep); err != nil {
			t.Fatal(err)
		}
	}
	if len(keep) > 10 || keep["00:09:fb:01:02:03"] == nil {
		t.Errorf("%d devices kept, want at most 10 and the known one among them", len(keep))
	}
}

// A port at its bound must not eat the places of other ports.
func TestFullPortEvictsItsOwn(t *testing.T) {
	b := NewBook(Limits{Devices: 4, PerPort: 2}, byHostname{}, oneVendor{}, nil)
	for i, port := range []string{"w1", "w1", "w2", "w2"} {
		b.Apply(fact.Batch{Port: port, Sightings: []fact.Sighting{at(fact.MAC{2, 0, 0, 0, 0, byte(i)}, alive(0, 0))}}, alive(0, 0))
	}
	late := alive(11*60_000, 0)
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(fact.MAC{2, 0, 0, 0, 0, 0}, late), at(fact.MAC{2, 0, 0, 0, 0, 1}, late), at(fact.MAC{2, 0, 0, 0, 0, 9}, late)}}, late)
	if s := b.Snapshot(); len(s.Devices) != 4 || b.Stats() != (Stats{Refused: 1}) {
		t.Errorf("%d devices, %+v; want all four and one refused", len(s.Devices), b.Stats())
	}
}

// A device that was not judged yet has no safety class: kept like that it could
// not be read back.
func TestUnjudgedIsNotHandedOver(t *testing.T) {
	var ev events
	keep := memory{}
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, &ev)
	for i := range 2 {
		b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(philips, alive(i*100, 0))}}, alive(i*100, 0))
	}
	b.Report(alive(200, 0))
	if err := b.SaveAll(keep); err != nil || len(keep) != 0 || len(ev) != 0 {
		t.Fatalf("%d kept, %d events, %v; want none before the first judgement", len(keep), len(ev), err)
	}
	b.Settle(alive(300, 0))
	if err := b.SaveAll(keep); err != nil {
		t.Fatal(err)
	}
	if bad, err := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil).Load(keep); bad != 0 || err != nil {
		t.Errorf("read back: %d bad, %v", bad, err)
	}
}

type notANumber struct{}

func (notANumber) Classify(d device.Device, _ time.Duration) device.Identity {
	id := device.Identity{Role: device.RoleUnknown, Class: device.Other}
	if d.MAC == philips {
		id.Score = math.NaN()
	}
	return id
}

func TestOneBadRecordCostsNoOther(t *testing.T) {
	keep := memory{}
	b := NewBook(DefaultLimits(), notANumber{}, oneVendor{}, nil)
	pump(b, alive(0, 0))
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(fact.MAC{2, 0, 0, 0, 0, 1}, alive(1, 0))}}, alive(1, 0))
	b.Settle(alive(1, 0))
	err := b.Save(keep)
	if want := "save device 00:09:fb:01:02:03: json: unsupported value: NaN"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if len(keep) != 1 {
		t.Errorf("%d kept, want the other one", len(keep))
	}
}

// What was kept before the gate was narrowed does not come back through it.
func TestKeptFactsPassTheGate(t *testing.T) {
	d := device.Device{ID: "00:09:fb:01:02:03", MAC: philips, Port: "w1", Identity: device.Identity{Role: device.RoleUnknown, Class: device.Other},
		Facts: []device.Known{{Kind: "hl7.pid5_name", Value: "x"}, {Kind: fact.DHCPHostname, Value: "jane@hospital.example"}, {Kind: fact.MDNSName, Personal: true}, {Kind: fact.DHCPVendorClass, Value: "MSFT 5.0"}}}
	raw, err := json.Marshal(kept{V: keptVersion, Device: d})
	if err != nil {
		t.Fatal(err)
	}
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	if bad, err := b.Load(memory{"00:09:fb:01:02:03": raw}); bad != 0 || err != nil {
		t.Fatal(bad, err)
	}
	want := []device.Known{{Kind: fact.DHCPHostname, Personal: true}, {Kind: fact.DHCPVendorClass, Value: "MSFT 5.0"}, {Kind: fact.MDNSName, Personal: true}}
	if diff := cmp.Diff(want, b.Snapshot().Devices[0].Facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

// Names and states go to disk by name: a number would change its meaning with
// the next constant.
func TestKeptShape(t *testing.T) {
	keep := memory{}
	b := NewBook(DefaultLimits(), vital{}, oneVendor{}, nil)
	pump(b, alive(0, 0))
	b.Apply(fact.Batch{Port: "w1", Flows: []fact.Flow{{Device: philips, Opener: fact.OpenerPeer}}}, alive(1, 0))
	if err := b.Save(keep); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"safety_class":"life-sustaining"`, `"confidence":"confirmed"`, `"Opener":"peer"`, `"MAC":"00:09:fb:01:02:03"`} {
		if !strings.Contains(string(keep["00:09:fb:01:02:03"]), want) {
			t.Errorf("kept record lacks %s: %s", want, keep["00:09:fb:01:02:03"])
		}
	}
}

// A device that only chatters must not wear out the flash.
func TestSaveIsPaced(t *testing.T) {
	keep := counting{}
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	pump(b, alive(0, 0))
	for s := 1; s <= 600; s++ {
		now := alive(s*1000, 0)
		flow := fact.Flow{Device: philips, PeerIP: netip.MustParseAddr("10.0.0.9"), Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: 443}, PacketsFrom: 1}
		b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(philips, now)}, Flows: []fact.Flow{flow}}, now)
		b.Settle(now)
		if err := b.Save(&keep); err != nil {
			t.Fatal(err)
		}
	}
	if keep.writes > 4 { // at once, the first conversation, then every 5 minutes
		t.Errorf("%d writes in 10 minutes, want at most 4", keep.writes)
	}
}

type counting struct{ writes int }

func (c *counting) Load(func(string, []byte) error) error { return nil }

func (c *counting) Save(v map[string][]byte, _ []string) error {
	c.writes += len(v)
	return nil
}

// A flood asks for room with every frame: a search that found none counts for
// a while, since each goes through all devices.
func TestSearchForRoomIsPaced(t *testing.T) {
	b := NewBook(Limits{Devices: 1, PerPort: 1}, byHostname{}, oneVendor{}, nil)
	mac := func(i byte) fact.MAC { return fact.MAC{2, 0, 0, 0, 0, i} }
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(mac(0), alive(0, 0))}}, alive(0, 0))
	for i, tt := range []struct{ ms, evicted int }{{599_500, 0}, {600_100, 0}, {600_600, 1}} {
		now := alive(tt.ms, 0)
		b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{at(mac(byte(i+1)), now)}}, now)
		if got := b.Stats().Evicted; got != uint64(tt.evicted) {
			t.Errorf("after %d ms: %d evicted, want %d", tt.ms, got, tt.evicted)
		}
	}
}

func BenchmarkFloodAgainstFull(tb *testing.B) {
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	batch := fact.Batch{Port: "w1"}
	for i := range 20_000 {
		batch.Sightings = append(batch.Sightings, at(fact.MAC{2, 0, 0, 0, byte(i >> 8), byte(i)}, alive(0, 0)))
	}
	for tb.Loop() {
		b.Apply(batch, alive(100, 0))
	}
	tb.ReportMetric(float64(tb.Elapsed().Nanoseconds())/float64(tb.N)/20_000, "ns/sighting")
}
