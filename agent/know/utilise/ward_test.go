package utilise

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// ward is one device under a simulated clock, in steps of ten seconds, behind
// what the observers do: the same fact at most once a minute.
type ward struct {
	t      *testing.T
	m      *Meter
	role   device.Role
	sec    int
	rng    *rand.Rand
	stated map[string]int
}

const step = 10

func newWard(t *testing.T, role device.Role) *ward {
	return &ward{t: t, m: new(Meter), role: role, rng: rand.New(rand.NewPCG(1, 2)), stated: make(map[string]int)}
}

func (w *ward) stamp() clock.Stamp {
	return clock.Stamp{Wall: time.Date(2026, 11, 2, 0, 0, w.sec, 0, time.UTC), Mono: time.Duration(w.sec+1) * time.Second, Quality: clock.NTP}
}

func (w *ward) says(kind fact.Kind, value string) {
	w.m.Heard()
	v, ok := fact.New(kind, value)
	if !ok {
		w.t.Fatalf("no fact %s %q", kind, value)
	}
	k := string(kind) + value
	if at, ok := w.stated[k]; ok && w.sec-at < 60 {
		return
	}
	w.stated[k] = w.sec
	w.m.Fact(kind, v.String())
}

func (w *ward) talks(peer string, port uint16, bytes uint64) {
	w.m.Heard()
	w.m.Flow(&fact.Flow{PeerIP: netip.MustParseAddr(peer), Service: fact.Service{EtherType: 0x0800, Proto: 6, Port: port},
		Answered: true, PacketsFrom: 1, BytesFrom: bytes * uint64(75+w.rng.IntN(50)) / 100})
}

// pass lets one step pass; it reports the end of a bin.
func (w *ward) pass() bool {
	w.sec += step
	if w.sec%60 != 0 {
		return false
	}
	w.m.Turn(w.role, w.stamp())
	return true
}

// mute lets minutes pass in which the device sends nothing.
func (w *ward) mute(minutes int) {
	for range minutes * 60 / step {
		w.pass()
	}
}
