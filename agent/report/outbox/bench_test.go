package outbox

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// BenchmarkOutbox256 is the way of an event from Emit onto the disk in groups
// of 256, at the byte cap: each group evicts as much as it puts.
func BenchmarkOutbox256(b *testing.B) {
	for _, bb := range []struct {
		name string
		max  int64
	}{{"growing", 1 << 30}, {"at-cap", 4 << 20}} {
		b.Run(bb.name, func(b *testing.B) {
			s := newStore(b, filepath.Join(b.TempDir(), "db"), 256<<20)
			box, q := newBox(b, s, bb.max)
			e := ev(event.Ordinary, 0)
			e.Body = event.Deny{Device: "00:00:5e:00:53:01", Role: "printer", Segment: "printers", Peer: "192.0.2.7",
				PeerMAC: fact.MAC{0, 0, 0x5e, 0, 0x53, 2}, Service: "tcp/445", Direction: "to-device", Verdict: "denied",
				Port: "eth1", Samples: 3, First: time.Unix(1e9, 0), Last: time.Unix(1e9, 0)}
			b.ResetTimer()
			for n := 0; n < b.N; n += group {
				for range group {
					q.Emit(e)
				}
				flush(b, box)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
