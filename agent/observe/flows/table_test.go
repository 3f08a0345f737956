package flows

import (
	"encoding/binary"
	"net/netip"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

const (
	fin = dissect.TCPFin
	syn = dissect.TCPSyn
	rst = dissect.TCPRst
	ack = dissect.TCPAck
)

// host is one end in a test: its MAC is made from the last byte of its address.
type host struct {
	ip   string
	port uint16
}

var (
	pump   = host{"192.0.2.1", 40000}
	server = host{"198.51.100.9", 443}
	pump6  = host{"2001:db8::1", 40000}
	serv6  = host{"2001:db8::9", 443}
)

func macOf(ip string) (m fact.MAC) {
	a := netip.MustParseAddr(ip).As16()
	return fact.MAC{2, 0, 0, 0, 0, a[15]}
}

// packet is the view of a whole IP packet.
func packet(from, to host, t dissect.Transport, data string) *dissect.View {
	v := &dissect.View{
		HasSrcMAC: true, HasDstMAC: true, SrcMAC: macOf(from.ip), DstMAC: macOf(to.ip), EtherType: 0x0800,
		Network: dissect.NetworkIPv4, Fragment: dissect.FragmentWhole, Transport: t, SrcPort: from.port, DstPort: to.port,
		Payload: []byte(data),
	}
	a, b := netip.MustParseAddr(from.ip), netip.MustParseAddr(to.ip)
	if a.Is6() {
		v.Network, v.EtherType, v.SrcIP, v.DstIP = dissect.NetworkIPv6, 0x86dd, a.As16(), b.As16()
	} else {
		a4, b4 := a.As4(), b.As4()
		copy(v.SrcIP[:], a4[:])
		copy(v.DstIP[:], b4[:])
	}
	switch t {
	case dissect.TransportTCP:
		v.Proto = 6
	case dissect.TransportUDP:
		v.Proto = 17
	case dissect.TransportICMP:
		v.Proto = 1
	}
	return v
}

func tcp(from, to host, flags uint8, seq uint32, data string) *dissect.View {
	v := packet(from, to, dissect.TransportTCP, data)
	v.TCP = dissect.TCP{Flags: flags, Seq: seq}
	return v
}

func udp(from, to host) *dissect.View { return packet(from, to, dissect.TransportUDP, "x") }

func ping(from, to host, kind uint8) *dissect.View {
	from.port, to.port = 0, 0
	v := packet(from, to, dissect.TransportICMP, "")
	v.ICMPType = kind
	return v
}

// collect makes a table whose deltas end up in the slice.
func collect(opt Options) (*Table, *[]fact.Flow) {
	var out []fact.Flow
	opt.Emit = func(f *fact.Flow) { out = append(out, *f) }
	return New(opt), &out
}

const sec = int64(1e9)

// feed passes frames of 100 bytes, one a millisecond.
func feed(t *Table, way Way, views ...*dissect.View) (last Outcome) {
	for i, v := range views {
		at := int64(i) * sec / 1000
		last = t.Frame(v, way, at, 1000*sec+at, 1, 100)
	}
	return last
}

// brief are the fields of a delta that the tables below compare.
type brief struct {
	Device, Peer string
	Service      string
	Opener       fact.Opener
	Answered     bool
	Ended        bool
	From, To     uint64
}

func briefs(flows []fact.Flow) (out []brief) {
	for _, f := range flows {
		out = append(out, brief{
			f.DeviceIP.String(), f.PeerIP.String(), f.Service.String(), f.Opener, f.Answered, f.Ended, f.PacketsFrom, f.PacketsTo,
		})
	}
	return out
}

func TestDeltas(t *testing.T) {
	group := host{"239.255.255.250", 1900}
	mdns := host{"224.0.0.251", 5353}
	tests := []struct {
		name  string
		way   Way
		views []*dissect.View
		want  []brief
	}{
		{"handshake and end", FromDevice, []*dissect.View{
			tcp(pump, server, syn, 1, ""), tcp(pump, server, ack, 2, ""), tcp(pump, server, ack|fin, 2, ""),
		}, []brief{{pump.ip, server.ip, "tcp/443", fact.OpenerDevice, false, false, 3, 0}}},
		{"both sides are devices", BothDevices, []*dissect.View{
			tcp(pump, server, syn, 1, ""), tcp(server, pump, syn|ack, 1, ""), tcp(pump, server, ack|fin, 2, ""), tcp(server, pump, ack|fin, 2, ""),
		}, []brief{
			{pump.ip, server.ip, "tcp/443", fact.OpenerDevice, true, true, 2, 2},
			{server.ip, pump.ip, "tcp/443", fact.OpenerPeer, true, true, 2, 2},
		}},
		{"IPv6", BothDevices, []*dissect.View{tcp(pump6, serv6, syn, 1, ""), tcp(serv6, pump6, syn|ack, 1, "")}, []brief{
			{pump6.ip, serv6.ip, "tcp/443", fact.OpenerDevice, true, false, 1, 1},
			{serv6.ip, pump6.ip, "tcp/443", fact.OpenerPeer, true, false, 1, 1},
		}},
		{"refused is not answered", BothDevices, []*dissect.View{tcp(pump, server, syn, 1, ""), tcp(server, pump, rst|ack, 0, "")}, []brief{
			{pump.ip, server.ip, "tcp/443", fact.OpenerDevice, false, true, 1, 1},
			{server.ip, pump.ip, "tcp/443", fact.OpenerPeer, false, true, 1, 1},
		}},
		{"refused and tried again is one flow", FromDevice, []*dissect.View{
			tcp(pump, server, syn, 1, ""), tcp(pump, server, rst, 2, ""), tcp(pump, server, syn, 9, ""),
		}, []brief{{pump.ip, server.ip, "tcp/443", fact.OpenerDevice, false, false, 3, 0}}},
		{"in the middle the lower port serves", FromDevice, []*dissect.View{tcp(server, pump, ack, 1, "x")},
			[]brief{{server.ip, pump.ip, "tcp/443", fact.OpenerUnknown, false, false, 1, 0}}},
		{"SYN-ACK seen first", ToDevice, []*dissect.View{tcp(server, pump, syn|ack, 1, "")},
			[]brief{{pump.ip, server.ip, "tcp/443", fact.OpenerDevice, false, false, 0, 1}}},
		{"question by datagram", FromDevice, []*dissect.View{udp(pump, host{"192.0.2.53", 53})},
			[]brief{{pump.ip, "192.0.2.53", "udp/53", fact.OpenerDevice, false, false, 1, 0}}},
		{"answer whose question was not seen", FromDevice, []*dissect.View{udp(host{"192.0.2.53", 53}, pump)},
			[]brief{{"192.0.2.53", pump.ip, "udp/53", fact.OpenerUnknown, false, false, 1, 0}}},
		{"lease", FromDevice, []*dissect.View{udp(host{"192.0.2.2", 67}, host{"192.0.2.1", 68})},
			[]brief{{"192.0.2.2", "192.0.2.1", "udp/67", fact.OpenerUnknown, false, false, 1, 0}}},
		{"group has no device", BothDevices, []*dissect.View{group.viewFrom(pump)},
			[]brief{{pump.ip, group.ip, "udp/1900", fact.OpenerDevice, false, false, 1, 0}}},
		{"same port on both sides", FromDevice, []*dissect.View{mdns.viewFrom(host{"192.0.2.1", 5353})},
			[]brief{{"192.0.2.1", mdns.ip, "udp/5353", fact.OpenerDevice, false, false, 1, 0}}},
		{"group that goes out is nobody's", ToDevice, []*dissect.View{group.viewFrom(server)}, nil},
		{"ping and its answer are one flow", BothDevices, []*dissect.View{ping(pump, server, 8), ping(server, pump, 0)}, []brief{
			{pump.ip, server.ip, "icmp/8", fact.OpenerDevice, true, false, 1, 1},
			{server.ip, pump.ip, "icmp/8", fact.OpenerPeer, true, false, 1, 1},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, out := collect(Options{})
			feed(table, tt.way, tt.views...)
			table.Report(sec)
			less := cmpopts.SortSlices(func(a, b brief) bool { return a.Device < b.Device })
			if diff := cmp.Diff(tt.want, briefs(*out), less); diff != "" {
				t.Errorf("deltas (-want +got):\n%s", diff)
			}
		})
	}
}

// viewFrom is a datagram from a host to a group.
func (g host) viewFrom(h host) *dissect.View {
	v := udp(h, g)
	v.DstMAC = [6]byte{1, 0, 0x5e, 0, 0, 1}
	return v
}

func TestDeltaIsSinceTheLastReport(t *testing.T) {
	table, out := collect(Options{})
	v := udp(pump, host{"192.0.2.53", 53})
	table.Frame(v, FromDevice, 0, 1000*sec, 1, 100)
	table.Report(sec)
	table.Report(2 * sec) // nothing new: nothing said
	table.Frame(v, FromDevice, 3*sec, 1003*sec, 1, 60)
	table.Report(4 * sec)
	if len(*out) != 2 {
		t.Fatalf("%d deltas, want 2", len(*out))
	}
	want := fact.Flow{
		Device: macOf(pump.ip), DeviceIP: netip.MustParseAddr(pump.ip), Peer: macOf("192.0.2.53"), PeerIP: netip.MustParseAddr("192.0.2.53"),
		Service: fact.Service{EtherType: 0x0800, Proto: 17, Port: 53}, Opener: fact.OpenerDevice,
		PacketsFrom: 1, BytesFrom: 60, First: 1000 * sec, Last: 1003 * sec,
	}
	if diff := cmp.Diff(want, (*out)[1], cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("second delta (-want +got):\n%s", diff)
	}
}

func TestServed(t *testing.T) {
	dns := host{"192.0.2.53", 53}
	tests := []struct {
		name  string
		views []*dissect.View
		want  string // of the last frame, "" for not
	}{
		{"SYN proves nothing", []*dissect.View{tcp(pump, server, syn, 1, "")}, ""},
		{"SYN-ACK", []*dissect.View{tcp(pump, server, syn, 1, ""), tcp(server, pump, syn|ack, 1, "")}, "tcp/443"},
		{"SYN-ACK again", []*dissect.View{tcp(pump, server, syn, 1, ""), tcp(server, pump, syn|ack, 1, ""), tcp(server, pump, syn|ack, 1, "")}, ""},
		{"refusal", []*dissect.View{tcp(pump, server, syn, 1, ""), tcp(server, pump, rst|ack, 1, "")}, ""},
		{"answer", []*dissect.View{udp(pump, dns), udp(dns, pump)}, "udp/53"},
		{"second question", []*dissect.View{udp(pump, dns), udp(pump, dns)}, ""},
		{"answer alone", []*dissect.View{udp(dns, pump), udp(pump, dns)}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table, _ := collect(Options{})
			out := feed(table, BothDevices, tt.views...)
			got := ""
			if out.Served {
				got = out.Service.String()
			}
			if got != tt.want {
				t.Errorf("served %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNewConnectionOnTheSamePorts(t *testing.T) {
	table, out := collect(Options{})
	feed(table, BothDevices, tcp(pump, server, syn, 1, ""), tcp(server, pump, syn|ack, 1, ""), tcp(pump, server, syn, 1, ""))
	if n := table.Stats().Flows; n != 1 {
		t.Errorf("%d flows after a retransmitted SYN, want 1", n)
	}
	feed(table, BothDevices, tcp(pump, server, syn, 5000, ""))
	if n := table.Stats().Flows; n != 2 || len(*out) != 2 || !(*out)[0].Ended {
		t.Errorf("%d flows, deltas %+v; want 2 flows and the end of the first", n, briefs(*out))
	}
}

// What was in the middle of an old connection is a guess: the server may try to
// reach a device that was switched off, by a port that is lower than its own.
func TestNewConnectionAfterAGuess(t *testing.T) {
	low, high := host{"192.0.2.1", 2000}, host{"192.0.2.9", 6661}
	for name, old := range map[string]*dissect.View{
		"data":        tcp(high, low, ack, 70, "x"),
		"end":         tcp(low, high, ack|fin, 70, ""),
		"refusal":     tcp(low, high, rst, 70, ""),
		"keep-alive":  tcp(high, low, ack, 70, "\x00"),
		"own segment": tcp(low, high, ack, 70, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			table, out := collect(Options{})
			last := feed(table, BothDevices, old, tcp(low, high, syn, 5000, ""), tcp(high, low, syn|ack, 1, ""))
			if !last.Served || last.Service.String() != "tcp/6661" {
				t.Errorf("served %v, %s; want tcp/6661", last.Served, last.Service)
			}
			table.Report(sec)
			got := briefs(*out)
			want := []brief{
				{low.ip, high.ip, "tcp/6661", fact.OpenerDevice, true, false, 1, 1},
				{high.ip, low.ip, "tcp/6661", fact.OpenerPeer, true, false, 1, 1},
			}
			less := cmpopts.SortSlices(func(a, b brief) bool { return a.Device < b.Device })
			if diff := cmp.Diff(want, got[max(0, len(got)-2):], less); diff != "" {
				t.Errorf("last deltas (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddressTakenByAnotherDevice(t *testing.T) {
	table, out := collect(Options{})
	v := udp(pump, host{"192.0.2.53", 53})
	table.Frame(v, FromDevice, 0, 0, 1, 100)
	thief := *v
	thief.SrcMAC = [6]byte{2, 9, 9, 9, 9, 9}
	table.Frame(&thief, FromDevice, 1, 1, 1, 100)
	table.Report(sec)
	if len(*out) != 2 || (*out)[0].Device != macOf(pump.ip) || (*out)[1].Device != fact.MAC(thief.SrcMAC) {
		t.Errorf("deltas %+v, want one for each MAC", *out)
	}
}

func TestIdle(t *testing.T) {
	table, out := collect(Options{})
	feed(table, BothDevices, tcp(pump, server, syn, 1, ""), tcp(server, pump, syn|ack, 1, ""), udp(pump, host{"192.0.2.53", 53}))
	table.Report(sec)
	n := len(*out)
	table.Report(200 * sec)
	if table.Len() != 1 || len(*out) != n {
		t.Errorf("%d flows and %d more deltas after 200 s, want the answered one and none", table.Len(), len(*out)-n)
	}
	table.Report(4000 * sec)
	if table.Len() != 0 || len(*out) != n+2 || !(*out)[n].Ended {
		t.Errorf("%d flows and %d more deltas after an hour, want none and its end", table.Len(), len(*out)-n)
	}
}

func TestHousekeepingIsNoConversation(t *testing.T) {
	nd := packet(pump6, serv6, dissect.TransportICMPv6, "")
	nd.Proto, nd.ICMPType = 58, 135
	igmp := packet(pump, server, dissect.TransportOther, "")
	igmp.Proto = 2
	part := packet(pump, server, dissect.TransportNone, "")
	part.Fragment = dissect.FragmentLater
	arp := &dissect.View{Network: dissect.NetworkARP, EtherType: 0x0806, HasSrcMAC: true, HasDstMAC: true}
	lldp := &dissect.View{Network: dissect.NetworkOther, EtherType: 0x88cc, HasSrcMAC: true, HasDstMAC: true}
	table, _ := collect(Options{})
	feed(table, BothDevices, nd, igmp, part, arp, lldp)
	if table.Len() != 0 {
		t.Errorf("%d flows, want 0", table.Len())
	}
	goose := &dissect.View{Network: dissect.NetworkOther, EtherType: 0x88b8, HasSrcMAC: true, HasDstMAC: true, DstMAC: [6]byte{1, 0x0c, 0xcd}}
	table, out := collect(Options{})
	feed(table, BothDevices, goose)
	table.Close()
	if len(*out) != 1 || (*out)[0].Service.String() != "ether/0x88b8" {
		t.Errorf("deltas %+v, want one of ether/0x88b8", *out)
	}
}

// TestMillionHalfOpen floods the table and then reads a new device: a greeting
// that comes in two segments.
func TestMillionHalfOpen(t *testing.T) {
	const flowCap = 4096
	rd := &reader{}
	reported := 0
	table := New(Options{Flows: flowCap, Streams: 64, StreamBytes: 4096, Read: rd, Emit: func(*fact.Flow) { reported++ }})
	honest := host{"192.0.2.77", 50000}
	feed(table, BothDevices, tcp(honest, server, syn, 1, ""), tcp(server, honest, syn|ack, 1, ""))

	v := tcp(pump, server, syn, 7, "")
	half := tcp(pump, server, ack, 8, "$unfinished")
	for i := range uint32(1_000_000) {
		for _, f := range []*dissect.View{v, half} {
			binary.BigEndian.PutUint32(f.SrcIP[:], 0x0a000000|i)
			if table.Frame(f, FromDevice, int64(i)*1000, int64(i)*1000, 1, 60); i%10 != 0 {
				break // one in ten even sends something
			}
		}
	}
	if table.Len() > flowCap || len(table.records) > flowCap+1 || len(table.dirty) > flowCap {
		t.Fatalf("%d flows, %d records, %d to report; cap %d", table.Len(), len(table.records), len(table.dirty), flowCap)
	}
	if n := table.streams.live; n > 64 {
		t.Fatalf("%d streams, cap 64", n)
	}
	rd.got = nil
	device := host{"192.0.2.200", 41000}
	feed(table, BothDevices, tcp(device, server, syn, 99, ""), tcp(server, device, syn|ack, 1, ""),
		tcp(device, server, ack, 100, "$he"), tcp(device, server, ack, 103, "llo;"),
		tcp(honest, server, ack, 2, "$old;"))
	if diff := cmp.Diff([]string{"192.0.2.200 hello", "192.0.2.77 old"}, rd.got); diff != "" {
		t.Errorf("read after the flood (-want +got):\n%s", diff)
	}
	if s := table.Stats(); s.Evicted < 900_000 || s.StreamsEvicted == 0 {
		t.Errorf("stats %+v", s)
	}
	t.Logf("%d deltas for %d flows", reported, table.Stats().Flows)
}

// TestRecord: 65,536 of them must fit a small box, and a garbage collection must
// not look into them.
func TestRecord(t *testing.T) {
	if n := reflect.TypeFor[record]().Size(); n > 256 {
		t.Errorf("a record takes %d bytes, more than 256", n)
	}
	if p := pointer(reflect.TypeFor[record](), "record"); p != "" {
		t.Errorf("%s is a pointer", p)
	}
}

// pointer names the first field that is not plain bytes.
func pointer(t reflect.Type, at string) string {
	switch k := t.Kind(); {
	case k == reflect.Struct:
		for i := range t.NumField() {
			if p := pointer(t.Field(i).Type, at+"."+t.Field(i).Name); p != "" {
				return p
			}
		}
	case k == reflect.Array:
		return pointer(t.Elem(), at)
	case k > reflect.Complex128:
		return at
	}
	return ""
}

func TestFrameAllocatesNothing(t *testing.T) {
	table := New(Options{Read: &reader{}})
	views := []*dissect.View{
		tcp(pump, server, syn, 1, ""), tcp(server, pump, syn|ack, 1, ""), tcp(pump, server, ack, 2, "data"),
		tcp(pump6, serv6, syn, 1, ""), udp(pump, host{"192.0.2.53", 53}), ping(pump, server, 8),
	}
	at := int64(0)
	run := func() {
		for _, v := range views {
			table.Frame(v, BothDevices, at, at, 1, 100)
		}
		at += sec
		table.Report(at)
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations per run, want 0", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	table := New(Options{Flows: 1 << 17})
	v := tcp(pump, server, ack, 2, "data")
	i := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % 100_000
		binary.BigEndian.PutUint32(v.SrcIP[:], 0x0a000000|i)
		table.Frame(v, BothDevices, 0, 0, 1, 100)
	}
}
