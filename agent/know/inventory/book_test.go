package inventory

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// byHostname is a classifier that takes the host name for the role.
type byHostname struct{}

func (byHostname) Classify(d device.Device, _ time.Duration) device.Identity {
	for _, f := range d.Facts {
		if f.Kind == fact.DHCPHostname {
			return device.Identity{Role: device.Role(f.Value), Class: device.Other, Confidence: device.Confirmed}
		}
	}
	return device.Identity{Role: device.RoleUnknown, Class: device.Other}
}

type oneVendor struct{}

func (oneVendor) Vendor(mac [6]byte) string {
	if mac[0] == 0 && mac[1] == 9 {
		return "Philips"
	}
	return ""
}

type events []event.Event

func (e *events) Emit(ev event.Event) { *e = append(*e, ev) }

// changes lists the device events as text.
func (e events) changes() []string {
	var out []string
	for _, ev := range e {
		if c, ok := ev.Body.(event.DeviceChange); ok {
			out = append(out, fmt.Sprintf("%s %s %s<-%s %s<-%s", c.Change, c.Device, c.Port, c.OldPort, c.Role, c.OldRole))
		}
	}
	return out
}

func stamp(sec int) clock.Stamp {
	return clock.Stamp{Wall: time.Unix(int64(sec), 0), Quality: clock.NTP}
}

var philips = fact.MAC{0, 9, 0xfb, 1, 2, 3}

func sighting(m fact.MAC, ip string, sec int) fact.Sighting {
	s := fact.Sighting{MAC: m, Time: int64(sec) * 1e9}
	if ip != "" {
		s.IP = netip.MustParseAddr(ip)
	}
	return s
}

func hostname(m fact.MAC, name string, sec int) fact.Fact {
	v, _ := fact.New(fact.DHCPHostname, name)
	return fact.Fact{MAC: m, Kind: fact.DHCPHostname, Value: v, Time: int64(sec) * 1e9}
}

func TestLifeOfADevice(t *testing.T) {
	var ev events
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, &ev)
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{sighting(philips, "10.0.0.5", 10)}}, stamp(10))
	b.Settle(stamp(10))
	// a fact about a MAC that never came in on a ward port makes no device
	b.Apply(fact.Batch{Port: "w1", Facts: []fact.Fact{hostname(fact.MAC{2, 2, 2, 2, 2, 2}, "server", 11), hostname(philips, "patient-monitor", 11)}}, stamp(11))
	b.Settle(stamp(11))
	for _, sec := range []int{12, 72} {
		b.Apply(fact.Batch{Port: "w2", Sightings: []fact.Sighting{sighting(philips, "10.0.0.6", sec)}}, stamp(sec))
		b.Settle(stamp(sec))
	}

	want := []string{
		"new 00:09:fb:01:02:03 w1<- unknown<-",
		"identity 00:09:fb:01:02:03 w1<- patient-monitor<-unknown",
		"moved 00:09:fb:01:02:03 w2<-w1 patient-monitor<-",
	}
	if diff := cmp.Diff(want, ev.changes()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	s := b.Snapshot()
	if len(s.Devices) != 1 {
		t.Fatalf("%d devices, want 1", len(s.Devices))
	}
	d := s.Find("00:09:fb:01:02:03")
	if d == nil || d.Port != "w2" || len(d.IPs) != 2 || d.IPs[0].String() != "10.0.0.6" {
		t.Fatalf("device %+v", d)
	}
	wantFacts := []device.Known{
		{Kind: fact.DHCPHostname, Value: "patient-monitor", First: time.Unix(11, 0).UTC(), Last: time.Unix(11, 0).UTC()},
		{Kind: fact.OUIVendor, Value: "Philips", First: time.Unix(10, 0).UTC(), Last: time.Unix(10, 0).UTC()},
	}
	if diff := cmp.Diff(wantFacts, d.Facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

// A snapshot handed out must not change when the book goes on.
func TestSnapshotIsImmutable(t *testing.T) {
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{sighting(philips, "10.0.0.5", 10)}}, stamp(10))
	b.Settle(stamp(10))
	s := b.Snapshot()
	b.Apply(fact.Batch{Port: "w9", Sightings: []fact.Sighting{sighting(philips, "10.0.0.6", 20)}, Facts: []fact.Fact{hostname(philips, "x", 20)}}, stamp(20))
	b.Settle(stamp(20))
	if d := s.Devices[0]; d.Port != "w1" || len(d.IPs) != 1 || d.IPs[0].String() != "10.0.0.5" || len(d.Facts) != 1 {
		t.Errorf("snapshot changed: %+v", d)
	}
}

func TestFloodKeepsTheKnown(t *testing.T) {
	b := NewBook(Limits{Devices: 100, PerPort: 50}, byHostname{}, oneVendor{}, nil)
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{sighting(philips, "", 1)}, Facts: []fact.Fact{hostname(philips, "patient-monitor", 1)}}, stamp(1))
	b.Settle(stamp(1))
	for i := range 100_000 {
		m := fact.MAC{0x02, 0, byte(i >> 16), byte(i >> 8), byte(i), 1}
		b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{sighting(m, "", 2+i/10)}}, stamp(2+i/10))
	}
	b.Settle(stamp(20_000))
	s := b.Snapshot()
	if len(s.Devices) > 50 {
		t.Errorf("%d devices on one port, want at most 50", len(s.Devices))
	}
	if s.Find("00:09:fb:01:02:03") == nil {
		t.Error("the known device was pushed out by a flood of addresses")
	}
	if st := b.Stats(); st.Refused == 0 || st.Evicted == 0 {
		t.Errorf("a flood was neither refused nor evicted: %+v", st)
	}
	other := fact.MAC{0, 9, 0xfb, 9, 9, 9}
	b.Apply(fact.Batch{Port: "w2", Sightings: []fact.Sighting{sighting(other, "", 20_000)}}, stamp(20_000))
	if b.Snapshot().Find(device.IDOf(other)) == nil {
		t.Error("a flood on w1 keeps a device on w2 out")
	}
}

func TestFactsAreBounded(t *testing.T) {
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{sighting(philips, "", 1)}}, stamp(1))
	for i := range 5000 {
		v, _ := fact.New(fact.TLSSNI, fmt.Sprintf("host%d.example.com", i))
		b.Apply(fact.Batch{Port: "w1", Facts: []fact.Fact{{MAC: philips, Kind: fact.TLSSNI, Value: v, Time: int64(i) * 1e9}}}, stamp(i))
	}
	if n := len(b.Snapshot().Devices[0].Facts); n != perKind+1 {
		t.Errorf("%d facts, want %d SNIs and the vendor", n, perKind)
	}
}

// A router is told by 15 storage classes and more: they must all be kept.
func TestStorageClassesAreCounted(t *testing.T) {
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{sighting(philips, "", 1)}}, stamp(1))
	for i := range 5000 {
		for _, k := range []fact.Kind{fact.DICOMProposes, fact.DICOMAccepts} {
			v, _ := fact.New(k, fmt.Sprintf("1.2.840.10008.5.1.4.1.1.%d", i))
			b.Apply(fact.Batch{Port: "w1", Facts: []fact.Fact{{MAC: philips, Kind: k, Value: v, Time: int64(i) * 1e9}}}, stamp(i))
		}
		if i == 19 {
			if n := len(b.Snapshot().Devices[0].Facts); n != 41 {
				t.Errorf("%d facts, want 20 classes each way and the vendor", n)
			}
		}
	}
	if n := len(b.Snapshot().Devices[0].Facts); n != 2*perDICOM+1 {
		t.Errorf("%d facts, want %d classes each way and the vendor", n, perDICOM)
	}
}

// memory is a keeper in RAM.
type memory map[string][]byte

func (m memory) Load(fn func(string, []byte) error) error {
	for k, v := range m {
		if err := fn(k, v); err != nil {
			return err
		}
	}
	return nil
}

func (m memory) Save(v map[string][]byte, gone []string) error {
	for _, k := range gone {
		delete(m, k)
	}
	for k, b := range v {
		m[k] = b
	}
	return nil
}

func TestRestartLosesNothing(t *testing.T) {
	keep := memory{}
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{sighting(philips, "10.0.0.5", 10)}, Facts: []fact.Fact{hostname(philips, "patient-monitor", 11)},
		Flows: []fact.Flow{{Device: philips, PeerIP: netip.MustParseAddr("10.0.0.9"), Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: 443},
			Opener: fact.OpenerDevice, PacketsFrom: 3, BytesFrom: 300, First: 1e9, Last: 2e9}}}, stamp(11))
	b.Settle(stamp(11))
	if err := b.Save(keep); err != nil {
		t.Fatal(err)
	}
	keep["broken"] = []byte(`{"v":1,`)
	keep["other"] = []byte(`{"v":99,"device":{"ID":"other"}}`)

	var ev events
	again := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, &ev)
	bad, err := again.Load(keep)
	if err != nil || bad != 2 {
		t.Errorf("Load: %d bad records, err %v; want 2, nil", bad, err)
	}
	again.Settle(stamp(12))
	if diff := cmp.Diff(b.Snapshot().Devices, again.Snapshot().Devices, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("after the restart (-before +after):\n%s", diff)
	}
	if len(ev.changes()) != 0 {
		t.Errorf("a restart made news: %v", ev.changes())
	}
}

func TestOutward(t *testing.T) {
	in := []device.Known{
		{Kind: fact.DHCPHostname, Value: "pump"}, {Kind: fact.TLSSNI, Value: "jane-doe.clinic.example.co.uk"},
		{Kind: fact.TLSSNI, Value: "other.example.co.uk"}, {Kind: fact.TLSSNI, Value: "10.1.2.3"}, {Kind: fact.TLSSNI, Value: "localhost"},
	}
	want := []device.Known{{Kind: fact.DHCPHostname, Value: "pump"}, {Kind: fact.TLSSNI, Value: "example.co.uk"}}
	if diff := cmp.Diff(want, outward(in)); diff != "" {
		t.Errorf("outward (-want +got):\n%s", diff)
	}
}

// Of any message only the hour leaves the gateway: with a bed, more would tell
// what was done to whom. Of conversations no more than how often they are told.
func TestOutwardTimes(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 44, 55, 6, time.UTC)
	for _, k := range []fact.Kind{fact.HL7Serial, fact.MindraySends, fact.DHCPHostname} {
		want := []device.Known{{Kind: k, Value: "x", First: at.Truncate(time.Hour), Last: at.Add(time.Hour).Truncate(time.Hour)}}
		if diff := cmp.Diff(want, outward([]device.Known{{Kind: k, Value: "x", First: at, Last: at.Add(time.Hour)}})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", k, diff)
		}
	}
	b := NewBook(DefaultLimits(), byHostname{}, oneVendor{}, nil)
	b.Apply(fact.Batch{Port: "w1", Sightings: []fact.Sighting{sighting(philips, "10.0.0.5", 10)},
		Flows: []fact.Flow{{Device: philips, PeerIP: netip.MustParseAddr("10.0.0.9"), Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: 443},
			Opener: fact.OpenerDevice, PacketsFrom: 3, First: at.UnixNano(), Last: at.Add(talksEvery).UnixNano()}}}, stamp(11))
	for _, r := range b.byMAC {
		row := conversationsEvent(r, stamp(11)).Body.(event.Conversations).Conversations[0]
		if want := at.Truncate(talksEvery); !row.First.Equal(want) || !row.Last.Equal(want.Add(talksEvery)) {
			t.Errorf("from %v to %v, want from %v", row.First, row.Last, want)
		}
	}
}

func TestRegistered(t *testing.T) {
	for in, want := range map[string]string{
		"www.example.com": "example.com", "example.com": "example.com", "WWW.Example.COM.": "example.com", "a.b.example.co.uk": "example.co.uk",
		"janes-nas.dyndns.org": "dyndns.org", "jane.github.io": "github.io", "bucket.s3.amazonaws.com": "amazonaws.com",
		"jane-doe.local": "", "jane.clinic.internal": "", "jane.lan": "", "com": "", "co.uk": "", "": "", "..": "", "2001:db8::1": "", "a..com": "",
	} {
		if got := registered(in); got != want {
			t.Errorf("registered(%q) = %q, want %q", in, got, want)
		}
	}
}
