package extract_test

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/platform"
)

// TestMemory fills all that observing keeps for eight ward ports with the
// default bounds: it must leave most of a box of 512 MB to others.
func TestMemory(t *testing.T) {
	const (
		ports   = 8
		flows   = 65536 / ports // as config.Observe.PerPort deals them out
		streams = 4096 / ports
		most    = 96 << 20
	)
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var all []*extract.Extractor
	unfinished := []byte("GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 1400))
	half := fragments(udp(pump, server, make([]byte, 16000)), 1480)
	for range ports {
		x := extract.New(extract.Options{Port: "w1", Flows: flows, Streams: streams, Sink: func(fact.Batch) bool { return true }})
		all = append(all, x)
		at := 0.0
		send := func(b []byte) {
			at += 1e-4
			x.Frame(frame(platform.Ingress, at, b))
		}
		six := syn6()
		four := tcp(pump, server, syn, 1, nil)
		for i := range uint32(2 * flows) { // more than fit, with a new MAC and address each
			binary.BigEndian.PutUint32(six[8:], i)
			binary.BigEndian.PutUint32(six[34:], i)
			send(six)
		}
		for i := range uint32(2 * flows) { // the table of the others stays as large as it was
			binary.BigEndian.PutUint32(four[26:], i)
			send(four)
		}
		for i := range uint16(2 * streams) {
			from := pump
			from.port = 1024 + i
			send(tcp(from, server, ack, 1, unfinished))
		}
		for id := range uint16(200) {
			for _, part := range half[:len(half)-1] {
				binary.BigEndian.PutUint16(part[10:], id) // of the MAC
				binary.BigEndian.PutUint16(part[18:], id)
				send(part)
			}
		}
		x.Tick(time.Second)
		if s := x.Stats(); s.Flows.Evicted == 0 || s.FragmentsDropped == 0 {
			t.Fatalf("not full: %+v", s)
		}
	}
	held := heap() - before
	runtime.KeepAlive(all)
	// Not held here: the inventory's queue when nobody takes from it, and the
	// kernel's rings.
	const batch = 512 * (unsafe.Sizeof(fact.Flow{}) + unsafe.Sizeof(fact.Fact{}) + unsafe.Sizeof(fact.Sighting{}))
	queue, rings := uint64(queueLen*batch), uint64(ports*4<<20)
	t.Logf("%.1f MiB in %d ports, queue %.1f MiB, rings %.1f MiB", float64(held)/(1<<20), ports, float64(queue)/(1<<20), float64(rings)/(1<<20))
	if held > most-queue {
		t.Errorf("%d bytes held and %d in a full queue, want at most %d", held, queue, most)
	}
}

// syn6 opens a connection over IPv6.
func syn6() []byte {
	from, to := at(1, "2001:db8::1", 40000), at(9, "2001:db8::9", 443)
	s := segment(from, to, syn, 1, nil)
	return ethernet(from, to, 0x86dd, be(uint32(0x60000000), uint16(len(s)), uint8(6), uint8(64), from.ip, to.ip, s))
}
