package witness

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// scene is the cast of the tests, with shorthands.
type scene struct{ *cast.Cast }

func (w scene) mac(p cast.Part) wire.MAC    { return wire.MAC(w.Member(p).MAC) }
func (w scene) addr(p cast.Part) netip.Addr { return w.Member(p).Addr }

// udp is a datagram with any MACs and addresses.
func udp(srcMAC, dstMAC wire.MAC, src, dst netip.Addr, port uint16) []byte {
	return wire.Ethernet(dstMAC, srcMAC, wire.EtherIPv4, wire.UDP4(netip.AddrPortFrom(src, 5000), netip.AddrPortFrom(dst, port), []byte("x")))
}

// honest is a datagram between two hosts.
func (w scene) honest(from, to cast.Part, port uint16) []byte {
	return udp(w.mac(from), w.mac(to), w.addr(from), w.addr(to), port)
}

func TestArrivals(t *testing.T) {
	w := scene{cast.New(cast.DefaultSeed)}
	unknown := wire.MAC{2, 9, 9, 9, 9, 9}
	fragment := w.honest(cast.Intruder, cast.Pump, 23)
	fragment[20], fragment[21] = 0, 0x10 // fragment offset 16: no ports any more
	tests := []struct {
		name  string
		at    cast.Part
		frame []byte
		want  map[Arrival]uint64
	}{
		{"intruder as itself", cast.Pump, w.honest(cast.Intruder, cast.Pump, 23), map[Arrival]uint64{{cast.Intruder, "udp/23"}: 1}},
		{"later fragment", cast.Pump, fragment, map[Arrival]uint64{{cast.Intruder, "udp fragment"}: 1}},
		{"server is the server", cast.Pump, w.honest(cast.PumpServer, cast.Pump, 23), map[Arrival]uint64{{cast.PumpServer, "udp/23"}: 1}},
		{"server's address, intruder's card", cast.Pump,
			udp(w.mac(cast.Intruder), w.mac(cast.Pump), w.addr(cast.PumpServer), w.addr(cast.Pump), 23), map[Arrival]uint64{{cast.Intruder, "udp/23"}: 1}},
		{"intruder's address, printer's card", cast.Pump,
			udp(w.mac(cast.Printer), w.mac(cast.Pump), w.addr(cast.Intruder), w.addr(cast.Pump), 23), map[Arrival]uint64{{cast.Intruder, "udp/23"}: 1}},
		{"printer in every respect, to a pump", cast.Pump, w.honest(cast.Printer, cast.Pump, 23), map[Arrival]uint64{{cast.Intruder, "udp/23"}: 1}},
		{"printer to a PC", cast.PC, w.honest(cast.Printer, cast.PC, 23), map[Arrival]uint64{{cast.Printer, "udp/23"}: 1}},
		{"unknown card", cast.Pump, udp(unknown, w.mac(cast.Pump), w.addr(cast.PC), w.addr(cast.Pump), 23), map[Arrival]uint64{{cast.Intruder, "udp/23"}: 1}},
		{"for another card", cast.Monitor, w.honest(cast.Intruder, cast.Pump, 23), map[Arrival]uint64{}},
		{"broadcast", cast.Pump, udp(w.mac(cast.Intruder), wire.BroadcastMAC(), w.addr(cast.Intruder), w.Broadcast(), 67), map[Arrival]uint64{}},
		{"short", cast.Pump, []byte{1, 2, 3}, map[Arrival]uint64{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			y := NewTally(w.Cast, tt.at)
			y.Add(tt.frame, false)
			if diff := cmp.Diff(tt.want, y.arrivals); diff != "" {
				t.Errorf("arrivals (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFlows(t *testing.T) {
	w := scene{cast.New(cast.DefaultSeed)}
	pump, server := NewTally(w.Cast, cast.Pump), NewTally(w.Cast, cast.PumpServer)
	f := w.honest(cast.Pump, cast.PumpServer, 2575)
	pump.Add(f, true)
	pump.Add(f, true)
	server.Add(f, false)
	server.Add(udp(w.mac(cast.Intruder), w.mac(cast.PumpServer), w.addr(cast.Pump), w.addr(cast.PumpServer), 2575), false) // a forgery
	flow := Flow{From: cast.Pump, To: cast.PumpServer}
	if s, r := pump.Sent(flow), server.Received(flow); s != 2 || r != 1 {
		t.Errorf("sent %d, received %d, want 2 and 1", s, r)
	}

	monitor, central := NewTally(w.Cast, cast.Monitor), NewTally(w.Cast, cast.Central)
	b := udp(w.mac(cast.Monitor), wire.BroadcastMAC(), w.addr(cast.Monitor), w.Broadcast(), 24005)
	monitor.Add(b, true)
	central.Add(b, false)
	flow = Flow{From: cast.Monitor, To: cast.Central, Group: true}
	if s, r := monitor.Sent(flow), central.Received(flow); s != 1 || r != 1 {
		t.Errorf("broadcast: sent %d, received %d, want 1 and 1", s, r)
	}
}

func TestClaims(t *testing.T) {
	w := scene{cast.New(cast.DefaultSeed)}
	server, intruder, pump := w.mac(cast.PumpServer), w.mac(cast.Intruder), w.mac(cast.Pump)
	stolen := w.addr(cast.PumpServer)
	arp := func(src, sha wire.MAC, spa netip.Addr) []byte {
		return wire.Ethernet(pump, src, wire.EtherARP, wire.ARP{Op: wire.ARPReply, SHA: sha, SPA: spa, THA: pump, TPA: w.addr(cast.Pump)}.Marshal())
	}
	tagged := arp(intruder, intruder, stolen)
	tagged = append(append(append([]byte{}, tagged[:12]...), 0x81, 0, 0, 5), tagged[12:]...)
	for _, tt := range []struct {
		name  string
		frame []byte
		want  uint64
	}{
		{"the server itself", arp(server, server, stolen), 0},
		{"intruder", arp(intruder, intruder, stolen), 1},
		{"intruder with a tag", tagged, 1},
		{"server's card inside, intruder's outside", arp(intruder, server, stolen), 1},
		{"intruder's card inside, server's outside", arp(server, intruder, stolen), 1},
		{"a ward address is no peer's", arp(intruder, intruder, w.addr(cast.Monitor)), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			y := NewTally(w.Cast, cast.Pump)
			y.Add(tt.frame, false)
			y.Add(tt.frame, true) // its own frames are no claims upon it
			if got, _ := y.Claims(); got != tt.want {
				t.Errorf("%d claims, want %d", got, tt.want)
			}
		})
	}
}

func FuzzTally(f *testing.F) {
	w := scene{cast.New(cast.DefaultSeed)}
	f.Add(w.honest(cast.Intruder, cast.Pump, 23))
	f.Add(wire.Ethernet(w.mac(cast.Pump), w.mac(cast.Intruder), wire.EtherARP, wire.ARP{Op: 1}.Marshal()))
	f.Fuzz(func(_ *testing.T, b []byte) {
		y := NewTally(w.Cast, cast.Pump)
		y.Add(b, false)
		y.Add(b, true)
	})
}
