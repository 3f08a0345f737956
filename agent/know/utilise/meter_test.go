package utilise

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// minutes runs a device for some minutes and returns its states, without
// repetition.
func (w *ward) minutes(n int, sends func()) string {
	var out []string
	for range n * 60 / step {
		if sends != nil {
			sends()
		}
		if w.pass() {
			s := w.m.Now().Use.String() + " " + w.m.Now().By.String()
			if len(out) == 0 || out[len(out)-1] != s {
				out = append(out, s)
			}
		}
	}
	return strings.Join(out, ", ")
}

// What a device reports stands above all else, silence ends nothing before it
// is long, and nothing is claimed of a device that shows nothing.
func TestStates(t *testing.T) {
	type w = *ward
	say := func(kind fact.Kind, value string) func(w) func() {
		return func(x w) func() { return func() { x.says(kind, value) } }
	}
	both := func(a, b func(w) func()) func(w) func() {
		return func(x w) func() { return func() { a(x)(); b(x)() } }
	}
	there := func(x w) func() { return func() { x.m.Heard() } }
	silence := func(w) func() { return nil }
	type phase struct {
		minutes int
		sends   func(w) func()
		want    string
	}
	tests := []struct {
		name   string
		role   device.Role
		phases []phase
	}{
		{"a device that shows nothing", "bed", []phase{{90, there, "unknown e4"}}},
		{"a pump in use", "infusion-pump-lvp", []phase{
			{5, say(fact.BCCState, "active"), "in-use e1"},
			{12, say(fact.BCCState, "standby"), "in-use e1, on-idle e1"},
			{12, say(fact.BCCState, "off"), "off e1"},
			{12, there, "off e1, unknown e4, on-idle e4"}}},
		{"one channel infuses, the other does not", "infusion-pump-lvp", []phase{
			{30, both(say(fact.HL7PumpState, "not-infusing"), say(fact.HL7PumpState, "infusing")), "in-use e1"}}},
		{"it goes out of radio while it infuses", "infusion-pump-lvp", []phase{
			{10, say(fact.HL7PumpState, "infusing"), "in-use e1"},
			{25, silence, "in-use e1"},
			{10, silence, "in-use e1, off e4"},
			{2, say(fact.HL7PumpState, "infusing"), "in-use e1"}}},
		{"it goes out of radio unused: who knows what it does there", "infusion-pump-lvp", []phase{
			{10, say(fact.HL7PumpState, "not-infusing"), "unknown e4, on-idle e1"},
			{3, silence, "on-idle e1"},
			{10, silence, "on-idle e1, on-idle e4"}}},
		{"it says that it is off, and is", "infusion-pump-lvp", []phase{
			{10, say(fact.BCCState, "off"), "unknown e4, off e1"},
			{60, silence, "off e1, off e4"}}},
		{"it says goodbye", "patient-monitor", []phase{
			{1, say(fact.WSDLeaves, "yes"), "unknown e4"},
			{10, silence, "unknown e4, off e4"}}},
		{"it says goodbye, and stays", "patient-monitor", []phase{
			{1, say(fact.WSDLeaves, "yes"), "unknown e4"},
			{1, there, "unknown e4"},
			{20, silence, "unknown e4"}}},
		{"it says goodbye, and goes on: that tells nothing of its use", "patient-monitor", []phase{
			{1, say(fact.WSDLeaves, "yes"), "unknown e4"},
			{20, there, "unknown e4"}}},
		{"a rack that is switched on: it may infuse", "infusion-pump-lvp", []phase{
			{20, say(fact.BCCState, "on"), "unknown e4"}}},
		{"one device of several stands by, another is on and may work", "infusion-pump-lvp", []phase{
			{20, both(say(fact.SDCActivation, "stand-by"), say(fact.SDCActivation, "on")), "unknown e4, on-idle e4"},
			{20, say(fact.SDCActivation, "stand-by"), "on-idle e4, on-idle e1"}}},
		{"its reports cease, it does not", "infusion-pump-lvp", []phase{
			{10, say(fact.HL7PumpState, "infusing"), "in-use e1"},
			{4, there, "in-use e1"},
			{5, there, "on-idle e4"}}},
		{"a burst on docking is no use", "infusion-pump-lvp", []phase{
			{1, say(fact.HL7PCD, "pcd-01"), "unknown e4"},
			{20, there, "unknown e4, on-idle e4"}}},
		{"waves in standby: what it says of itself counts", "patient-monitor", []phase{
			{20, both(say(fact.DRIRecord, "wave"), say(fact.IVMode, "standby")), "unknown e4, on-idle e1"}}},
		{"heartbeats only", "patient-monitor", []phase{
			{20, say(fact.DRIRecord, "network"), "unknown e4, on-idle e4"},
			{5, both(say(fact.DRIRecord, "network"), say(fact.DRIRecord, "values")), "on-idle e4, in-use e2"},
			{20, say(fact.DRIRecord, "network"), "in-use e2, on-idle e2"}}},
		{"values come seldom in use: that there are none now tells nothing", "patient-monitor", []phase{
			{1, both(say(fact.UnityRWHAT, "yes"), say(fact.HL7PCD, "pcd-01")), "unknown e4"},
			{30, say(fact.UnityRWHAT, "yes"), "unknown e4, on-idle e4"},
			{2, both(say(fact.UnityRWHAT, "yes"), say(fact.HL7PCD, "pcd-01")), "on-idle e4, in-use e2"},
			{30, say(fact.UnityRWHAT, "yes"), "in-use e2, on-idle e4"}}},
		{"the end of one infusion of two", "infusion-pump-lvp", []phase{
			{10, say(fact.HL7PumpState, "infusing"), "in-use e1"},
			{4, there, "in-use e1"},
			{1, say(fact.HL7PumpState, "not-infusing"), "on-idle e4"},
			{10, there, "on-idle e4"}}},
		{"a test by a technician", "patient-monitor", []phase{
			{10, say(fact.IVMode, "service"), "service e1"},
			{30, there, "service e1, on-idle e4"}}},
		{"a meter is ready before each transfer", "poct-meter-dock", []phase{
			{20, both(say(fact.POCTState, "ready"), say(fact.POCTSends, "OBS.R01")), "unknown e4, in-use e2"}}},
		{"a meter is tried with control solution", "poct-meter-dock", []phase{
			{6, say(fact.POCTSends, "OBS.R02"), "unknown e4, service e2"},
			{30, there, "service e2, on-idle e4"}}},
		{"controls and patients in one transfer", "poct-meter-dock", []phase{
			{20, both(say(fact.POCTSends, "OBS.R02"), say(fact.POCTSends, "OBS.R01")), "unknown e4, in-use e2"}}},
		{"a server of pumps is not idle because one of them is", "pump-server", []phase{
			{20, say(fact.HL7PumpState, "not-infusing"), "unknown e4"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := newWard(t, tt.role)
			for i, p := range tt.phases {
				if got := x.minutes(p.minutes, p.sends(x)); got != p.want {
					t.Errorf("phase %d: %s, want %s", i, got, p.want)
				}
			}
		})
	}
}

// Only what the device itself says makes it unused for those who ask before
// they do harm.
func TestUnused(t *testing.T) {
	for _, u := range device.Uses() {
		for _, p := range device.Proofs() {
			want := (u == device.Off || u == device.OnIdle) && (p == device.ByReport || p == device.ByMessages)
			if got := (device.Utilisation{Use: u, By: p}).Unused(); got != want {
				t.Errorf("%s by %s: unused %v", u, p, got)
			}
		}
	}
	if (device.Utilisation{}).Unused() {
		t.Error("a device that nobody looked at is unused")
	}
}

func TestHours(t *testing.T) {
	w := newWard(t, "infusion-pump-lvp")
	w.minutes(30, func() { w.says(fact.BCCState, "active") })
	w.minutes(60, func() { w.says(fact.BCCState, "standby") })
	b, err := w.m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if w.m, err = Decode(b); err != nil {
		t.Fatal(err)
	}
	w.minutes(60, func() { w.says(fact.BCCState, "standby") })
	var got []Hour
	for h, ok := w.m.Due(); ok; h, ok = w.m.Due() {
		got = append(got, h)
	}
	first := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	want := []Hour{{Start: first}, {Start: first.Add(time.Hour)}}
	want[0].Counts[device.InUse][0], want[0].Counts[device.OnIdle][0] = 34, 25     // the minute that ends at 1:00 is of the next hour
	want[1].Counts[device.UseUnknown][3], want[1].Counts[device.OnIdle][0] = 1, 59 // once after the restart is not enough
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hours (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]map[string]int{"in-use": {"e1": 34}, "on-idle": {"e1": 25}}, got[0].Minutes()); diff != "" {
		t.Errorf("minutes (-want +got):\n%s", diff)
	}
	// A clock that is worth nothing names no hour.
	before := w.m.hours
	w.m.Turn(w.role, clock.Stamp{Wall: time.Unix(0, 0), Quality: clock.None})
	if w.m.hours != before {
		t.Error("counted into an hour that nobody knows")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, b := range []string{"", "{}", `{"v":2}`, `{"v":1,"days":[]}`, `{"v":1,"today":7,"days":[{},{},{},{},{},{},{}]}`, `{"v":1,"age":-1,"days":[{},{},{},{},{},{},{}]}`,
		`{"v":1,"days":[{"levels":{"56":1}},{},{},{},{},{},{}]}`, `{"v":1,"days":[{},{},{},{},{},{},{}],"peers":[{},{},{},{},{},{},{},{},{}]}`} {
		if _, err := Decode([]byte(b)); err == nil {
			t.Errorf("%s is read", b)
		}
	}
}

// Whatever a device sends, a meter is of one size and asks for no memory, and a
// device that talks with thousands keeps the peers of its work.
func TestBounds(t *testing.T) {
	if size := reflect.TypeFor[Meter]().Size(); size > 2048 {
		t.Errorf("a meter has %d bytes", size)
	}
	w := newWard(t, "patient-monitor")
	w.minutes(60, func() { w.talks(server, 443, 1000) })
	flow := &fact.Flow{Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: 443}, Answered: true, BytesFrom: 1000}
	n := testing.AllocsPerRun(100_000, func() {
		flow.PeerIP = flow.PeerIP.Next()
		if !flow.PeerIP.IsValid() {
			flow.PeerIP = testPeer(0)
		}
		w.m.Flow(flow)
		w.m.Fact(fact.DRIRecord, "wave")
	})
	if n > 0 {
		t.Errorf("%.2f allocations a flow", n)
	}
	w.minutes(1, nil)
	if p := w.m.peers.list[0]; p.addr.String() != server || p.minutes != 59 {
		t.Errorf("the first peer is %v, after a scan", p)
	}
	b, err := w.m.Encode()
	if err != nil || len(b) > 16<<10 {
		t.Errorf("%d bytes kept (%v)", len(b), err)
	}
}

func testPeer(n byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 1, n}) }

// The threshold needs a baseline with two levels.
func TestThreshold(t *testing.T) {
	fill := func(bytes ...uint64) (r rates) {
		for _, b := range bytes {
			for range 100 {
				r.add(b)
			}
		}
		return r
	}
	few := rates{}
	few.add(1000)
	old := fill(1_200, 120_000)
	for range learnDays {
		old.turn()
	}
	for _, tt := range []struct {
		name   string
		rates  rates
		bytes  uint64
		enough bool
	}{
		{"nothing", rates{}, 0, false},
		{"too little", few, 0, false},
		{"one level: always in use, or never", fill(120_000), 3 * 114688, false},
		{"idle and in use", fill(1_200, 120_000), 3 * 114688 / 10, true},
		{"seldom in use", fill(1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 1_200, 120_000), 3 * 1280, true},
		{"keep-alives, of which some are lost", fill(60, 120, 240, 360), 1024, false},
		{"a week ago", old, 0, false},
	} {
		if bytes, ok := tt.rates.threshold(); bytes != tt.bytes || ok != tt.enough {
			t.Errorf("%s: %d %v, want %d %v", tt.name, bytes, ok, tt.bytes, tt.enough)
		}
	}
	for n := uint64(1); n < 1<<40; n += n/7 + 1 {
		if m := middle(level(n)); n >= 32 && n < 1<<33 && (m*10 < n*7 || m*7 > n*10) {
			t.Errorf("%d bytes are taken for %d", n, m)
		}
	}
}

// What a state is read from tells something, and no other kind does.
func TestWhatTells(t *testing.T) {
	for kind, values := range map[fact.Kind]string{fact.BCCState: "active", fact.HL7PumpState: "infusing", fact.HL7EquState: "OP", fact.MedibusState: "standby",
		fact.IVMode: "demo", fact.SDCMode: "service", fact.SDCActivation: "off", fact.SDCInUse: "yes", fact.DRIRecord: "wave", fact.UnitySends: "vitals",
		fact.UnityRWHAT: "yes", fact.POCTSends: "OBS.R01", fact.POCTState: "ready", fact.ASTMSends: "results", fact.DICOMStores: "1.2", fact.MedibusDevice: "yes",
		fact.IVSends: "values", fact.IVInUse: "yes", fact.WSDLeaves: "yes", fact.MindraySends: "values", fact.DICOMPerforms: "yes", fact.PHDReports: "yes", fact.DICOMProposes: "1.2.840.10008.1.1", fact.HL7PCD: "pcd-01"} {
		if signOf(kind, values) == 0 {
			t.Errorf("%s %q tells nothing", kind, values)
		}
	}
	for _, kind := range []fact.Kind{fact.HL7App, fact.DHCPHostname, fact.MindrayIndicates} {
		if signOf(kind, "yes") != 0 || Reports(kind) {
			t.Errorf("%s tells something", kind)
		}
	}
}

// TestNoPatient: states are words of ours; a value of a fact is nothing but
// compared.
func TestNoPatient(t *testing.T) {
	const canary = "CANARY0001"
	w := newWard(t, "patient-monitor")
	for _, k := range []fact.Kind{fact.BCCState, fact.HL7PumpState, fact.HL7EquState, fact.MedibusState, fact.IVMode, fact.SDCMode, fact.SDCActivation,
		fact.SDCInUse, fact.DRIRecord, fact.UnitySends, fact.POCTSends, fact.POCTState, fact.ASTMSends, fact.DICOMStores, fact.DICOMProposes, fact.HL7PCD, fact.HL7App} {
		w.m.Fact(k, canary)
	}
	w.mute(2)
	b, err := w.m.Encode()
	if err != nil || strings.Contains(string(b), canary) {
		t.Errorf("kept %s (%v)", b, err)
	}
}

// BenchmarkTurn is the price of one device a minute.
func BenchmarkTurn(b *testing.B) {
	w := newWard(nil, "ventilator")
	flow := &fact.Flow{PeerIP: testPeer(0), Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: 443}, Answered: true, BytesFrom: 1000}
	at := w.stamp()
	b.ReportAllocs()
	for b.Loop() {
		w.m.Heard()
		w.m.Flow(flow)
		w.m.Turn(w.role, at)
	}
}

func BenchmarkFlow(b *testing.B) {
	var m Meter
	flow := &fact.Flow{PeerIP: testPeer(0), Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: 443}, Answered: true, BytesFrom: 1000}
	b.ReportAllocs()
	for b.Loop() {
		m.Flow(flow)
	}
}

// A service is another peer, though a router has the address of both; ports that
// change with each connection are one.
func TestPeersByService(t *testing.T) {
	var p peers
	for port := range uint16(100) {
		p.add(testPeer(1), 40000+port, 10)
		p.add(testPeer(1), 443, 10)
	}
	var got []uint16
	for _, q := range p.list {
		if q.addr.IsValid() {
			got = append(got, q.port)
		}
	}
	if diff := cmp.Diff([]uint16{0, 443}, got); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}
