package extract_test

import (
	"encoding/binary"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/platform"
)

// ward is a port with an inventory behind it that is slow: a queue as long as
// the real one, of which it takes some batches a second.
type ward struct {
	x       *extract.Extractor
	waiting int
	offered int
	got     fact.Batch // all that had room
	now     float64    // seconds
	taken   float64
}

const (
	queueLen  = 256
	takenASec = 60 // some 30,000 entries: far less than the real inventory does
)

func newWard(flows int) *ward {
	w := &ward{}
	w.x = extract.New(extract.Options{Port: "w1", Flows: flows, Sink: func(b fact.Batch) bool {
		w.offered++
		if w.waiting == queueLen {
			return false
		}
		w.waiting++
		w.got.Facts = append(w.got.Facts, b.Facts...)
		w.got.Sightings = append(w.got.Sightings, b.Sightings...)
		w.got.Flows = append(w.got.Flows, b.Flows...)
		return true
	}})
	return w
}

func (w *ward) frame(dir platform.Direction, b []byte) {
	w.x.Frame(frame(dir, w.now, b))
	for ; w.taken+1.0/takenASec < w.now; w.taken += 1.0 / takenASec {
		w.waiting = max(0, w.waiting-1)
	}
}

// TestFlood: 100,000 half-open connections a second from behind the port of a
// pump and, then, of a device that was never seen before. Nothing of the two
// is lost, and the flood costs next to nothing behind the port.
func TestFlood(t *testing.T) {
	const (
		rate   = 100_000
		length = 3 // seconds
	)
	intruder := at(66, "10.66.0.1", 1024)
	for _, tt := range []struct {
		name string
		vary func(b []byte, i uint32)
	}{
		{"from many ports", func(b []byte, i uint32) { binary.BigEndian.PutUint16(b[34:], uint16(i)) }},
		{"from many addresses", func(b []byte, i uint32) { binary.BigEndian.PutUint32(b[26:], i*2654435761) }},
		{"to many addresses", func(b []byte, i uint32) { binary.BigEndian.PutUint32(b[30:], i*2654435761) }},
		{"from many MACs", func(b []byte, i uint32) {
			binary.BigEndian.PutUint32(b[8:], i*2654435761)
			binary.BigEndian.PutUint32(b[26:], i*2654435761)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWard(4096)
			newcomer := at(3, "192.0.2.3", 50000)
			hello := clientHello(t, "pumps.example.org")
			all := at(255, "255.255.255.255", 67)
			all.mac = broadcast
			w.frame(platform.Ingress, tcp(pump, server, syn, 999, nil))
			w.frame(platform.Egress, tcp(server, pump, syn|ack, 0, nil))
			flood := tcp(intruder, server, syn, 1, nil)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			said := 0
			for i := range uint32(rate * length) {
				w.now = float64(i) / rate
				tt.vary(flood, i)
				w.frame(platform.Ingress, flood)
				switch i {
				case rate / 2: // in the thick of it
					w.frame(platform.Ingress, tcp(pump, server, ack, 1000, []byte(oru)[:300]))
				case rate/2 + 1000:
					w.frame(platform.Ingress, tcp(pump, server, ack, 1300, []byte(oru)[300:]))
				case rate:
					w.frame(platform.Ingress, udp(end{newcomer.mac, at(0, "0.0.0.0", 0).ip, 68}, all, dhcp(1, newcomer.mac, "0.0.0.0", option(12, "new-pump"))))
					w.frame(platform.Ingress, tcp(newcomer, server, syn, 0, nil))
					w.frame(platform.Ingress, tcp(newcomer, server, ack, 1, hello))
				}
				if i >= rate && i%(rate/100) == 0 { // both are talking: a hundred frames a second
					said++
					w.frame(platform.Ingress, tcp(newcomer, server, ack, 5000, nil))
					w.frame(platform.Ingress, tcp(pump, server, ack, 3000, nil))
					w.frame(platform.Egress, tcp(server, pump, ack, 3000, nil))
				}
			}
			runtime.ReadMemStats(&after)
			w.x.Close()

			s := w.x.Stats()
			if s.Refused != 0 || w.offered > 60*length {
				t.Errorf("%d batches of %d refused, want none and at most 60 a second", s.Refused, w.offered)
			}
			if n := float64(after.Mallocs-before.Mallocs) / (rate * length); n > 0.05 { // some for the other frames of this test
				t.Errorf("%.3f allocations for a frame of the flood", n)
			}
			mine := func(m fact.MAC) bool { return m == pump.mac || m == newcomer.mac }
			facts := lines(slices.DeleteFunc(w.got.Facts, func(f fact.Fact) bool { return !mine(f.MAC) }), fact.HL7App, fact.HL7UDI,
				fact.DHCPHostname, fact.TLSSNI, fact.Uses)
			want := []string{"1 hl7.msh3_sending_app PUMP_0012210000000001_EUI-64", "1 hl7.prt16_udi 07612345678900", "1 service.uses tcp/2575",
				"3 dhcp.hostname new-pump", "3 tls.sni pumps.example.org"}
			if diff := cmp.Diff(want, facts); diff != "" {
				t.Errorf("facts of the two devices (-want +got):\n%s", diff)
			}
			seen, packets := map[fact.MAC]int{}, [2]uint64{}
			for _, x := range w.got.Sightings {
				seen[x.MAC]++
			}
			for _, f := range w.got.Flows {
				if f.Device == pump.mac && f.Answered {
					packets[0] += f.PacketsFrom
					packets[1] += f.PacketsTo
				}
			}
			if seen[pump.mac] == 0 || seen[newcomer.mac] == 0 {
				t.Errorf("the pump was seen %d times, the newcomer %d", seen[pump.mac], seen[newcomer.mac])
			}
			if from, to := uint64(3+said), uint64(1+said); packets != [2]uint64{from, to} {
				t.Errorf("packets of the pump's conversation: %d from and %d to it, want %d and %d", packets[0], packets[1], from, to)
			}
			t.Logf("%d batches, %d entries withheld, %d flows, %d evicted; seen %d and %d times", w.offered, s.Withheld, s.Flows.Flows, s.Flows.Evicted,
				seen[pump.mac], seen[newcomer.mac])
		})
	}
}

// A thousand connections to one service are one conversation, and what was said
// about each is summed.
func TestConversationIsOneEntry(t *testing.T) {
	var frames [][]byte
	for i := range uint16(1000) {
		frames = append(frames, tcp(at(1, "192.0.2.1", 1024+i), server, syn, 1, nil))
	}
	frames = append(frames, tcp(pump, at(9, "192.0.2.9", 443), syn, 1, nil))
	got := run(platform.Ingress, frames...).Flows
	packets := map[string]uint64{}
	for _, f := range got {
		packets[f.Service.String()] += f.PacketsFrom
	}
	if diff := cmp.Diff(map[string]uint64{"tcp/2575": 1000, "tcp/443": 1}, packets); diff != "" || len(got) > 3 {
		t.Errorf("%d deltas; packets (-want +got):\n%s", len(got), diff)
	}
}
