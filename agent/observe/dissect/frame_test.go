package dissect

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// frameBytes reads hexadecimal with spaces.
func frameBytes(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatalf("bad hex in the test: %v", err)
	}
	return b
}

// Pieces of frames, all synthetic: documentation addresses, local MACs.
const (
	macs  = "020000000002 020000000001 " // destination, source
	udp4  = "45000020 00000000 40110000 c0000201 c0000202 "
	udpHi = "1389 1a0a 000c 0000 68690a0a " // 5001 → 6666, "hi\n\n"
	udp6  = "60000000 000c11 40 20010db8000000000000000000000001 20010db8000000000000000000000002 "
)

// row is what a test looks at of a View.
type row struct {
	VLANs            uint8
	VLAN, InnerVLAN  uint16
	EtherType        uint16
	Network          Network
	Src, Dst         string
	Proto            uint8
	Fragment         Fragment
	Transport        Transport
	SrcPort, DstPort uint16
	Payload          string
	Truncated        bool
}

func rowOf(v *View) row {
	r := row{
		VLANs: v.VLANs, VLAN: v.VLAN, InnerVLAN: v.InnerVLAN, EtherType: v.EtherType, Network: v.Network, Proto: v.Proto,
		Fragment: v.Fragment, Transport: v.Transport, SrcPort: v.SrcPort, DstPort: v.DstPort, Truncated: v.Truncated,
		Payload: hex.EncodeToString(v.Payload),
	}
	if v.IsIP() {
		r.Src, r.Dst = v.SrcAddr().String(), v.DstAddr().String()
	}
	return r
}

func TestDecode(t *testing.T) {
	hi4 := row{
		EtherType: 0x0800, Network: NetworkIPv4, Src: "192.0.2.1", Dst: "192.0.2.2", Proto: 17, Fragment: FragmentWhole,
		Transport: TransportUDP, SrcPort: 5001, DstPort: 6666, Payload: "68690a0a",
	}
	hi6 := hi4
	hi6.EtherType, hi6.Network, hi6.Src, hi6.Dst = 0x86dd, NetworkIPv6, "2001:db8::1", "2001:db8::2"
	with := func(r row, change func(*row)) row { change(&r); return r }
	none := row{Network: NetworkOther, Fragment: FragmentWhole, Transport: TransportNone}

	tests := []struct {
		name  string
		h     FrameHeader
		frame string
		want  row
	}{
		{"udp", FrameHeader{Link: LinkEthernet}, macs + "0800" + udp4 + udpHi, hi4},
		{"padding is cut", FrameHeader{Link: LinkEthernet}, macs + "0800" + udp4 + udpHi + "000000000000", hi4},
		{"no total length", FrameHeader{Link: LinkEthernet}, macs + "0800" + strings.Replace(udp4, "45000020", "45000000", 1) + udpHi, hi4},
		{"options", FrameHeader{Link: LinkEthernet}, macs + "0800 46000024 00000000 40110000 c0000201 c0000202 94040000 " + udpHi, hi4},
		{"tag", FrameHeader{Link: LinkEthernet}, macs + "8100 6007 0800" + udp4 + udpHi,
			with(hi4, func(r *row) { r.VLANs, r.VLAN = 1, 7 })},
		{"tag taken out by the kernel", FrameHeader{Link: LinkEthernet, TPID: 0x8100, TCI: 0x2009}, macs + "0800" + udp4 + udpHi,
			with(hi4, func(r *row) { r.VLANs, r.VLAN = 1, 9 })},
		{"outer tag taken out", FrameHeader{Link: LinkEthernet, TPID: 0x88a8, TCI: 9}, macs + "8100 0007 0800" + udp4 + udpHi,
			with(hi4, func(r *row) { r.VLANs, r.VLAN, r.InnerVLAN = 2, 9, 7 })},
		{"QinQ", FrameHeader{Link: LinkEthernet}, macs + "88a8 0064 8100 0007 86dd" + udp6 + udpHi,
			with(hi6, func(r *row) { r.VLANs, r.VLAN, r.InnerVLAN = 2, 100, 7 })},
		{"too many tags", FrameHeader{Link: LinkEthernet}, macs + strings.Repeat("8100 0001", 5) + "0800",
			with(none, func(r *row) { r.VLANs, r.VLAN, r.InnerVLAN, r.EtherType, r.Payload = 4, 1, 1, 0x8100, "00010800" })},
		{"SNAP", FrameHeader{Link: LinkEthernet}, macs + "0028 aaaa03 000000 0800" + udp4 + udpHi + "ffff", hi4},
		{"LLC", FrameHeader{Link: LinkEthernet}, macs + "0005 424203 0000 ffff",
			with(none, func(r *row) { r.Network, r.Payload = NetworkLLC, "0000" })},
		{"cooked", FrameHeader{Link: LinkCooked}, "0000 0001 0006 020000000001 0000 0800" + udp4 + udpHi, hi4},
		{"cooked 2", FrameHeader{Link: LinkCooked2}, "86dd 0000 00000003 0001 00 06 020000000001 0000" + udp6 + udpHi, hi6},
		{"raw", FrameHeader{Link: LinkRawIP}, udp6 + udpHi, hi6},
		{"null", FrameHeader{Link: LinkNull}, "02000000" + udp4 + udpHi, hi4},
		{"loop", FrameHeader{Link: LinkNull}, "0000001e" + udp6 + udpHi, hi6},
		{"unknown type", FrameHeader{Link: LinkEthernet}, macs + "88f7 0102",
			with(none, func(r *row) { r.EtherType, r.Payload = 0x88f7, "0102" })},
		{"cut in the address", FrameHeader{Link: LinkEthernet}, macs, none},
		{"cut by the capture", FrameHeader{Link: LinkEthernet}, macs + "0800" + udp4 + "1389 1a0a 000c 0000 68",
			with(hi4, func(r *row) { r.Truncated, r.Payload = true, "68" })},
		{"first fragment", FrameHeader{Link: LinkEthernet}, macs + "0800" + strings.Replace(udp4, "00000000", "00072000", 1) + udpHi,
			with(hi4, func(r *row) { r.Fragment = FragmentFirst })},
		{"later fragment", FrameHeader{Link: LinkEthernet}, macs + "0800" + strings.Replace(udp4, "00000000", "00070002", 1) + udpHi,
			with(hi4, func(r *row) {
				r.Fragment, r.Transport, r.SrcPort, r.DstPort, r.Payload = FragmentLater, TransportNone, 0, 0, "13891a0a000c000068690a0a"
			})},
		{"hop-by-hop, routing, destination, AH", FrameHeader{Link: LinkRawIP},
			"60000000 003c 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002 " +
				"2b00000000000000 3c00000000000000 3300000000000000 1104000000000000 000000000000000000000000 00000000 " + udpHi, hi6},
		{"endless extension headers", FrameHeader{Link: LinkRawIP},
			"60000000 0050 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002 " + strings.Repeat("0000000000000000", 10),
			with(none, func(r *row) {
				r.EtherType, r.Network, r.Src, r.Dst, r.Payload = 0x86dd, NetworkIPv6, "2001:db8::1", "2001:db8::2", strings.Repeat("00", 24)
			})},
		{"atomic fragment", FrameHeader{Link: LinkRawIP},
			"60000000 0014 2c 40 20010db8000000000000000000000001 20010db8000000000000000000000002 1100000000000001" + udpHi, hi6},
		{"later fragment of IPv6", FrameHeader{Link: LinkRawIP},
			"60000000 000c 2c 40 20010db8000000000000000000000001 20010db8000000000000000000000002 1100000900000001 01020304",
			with(hi6, func(r *row) {
				r.Fragment, r.Transport, r.SrcPort, r.DstPort, r.Payload = FragmentLater, TransportNone, 0, 0, "01020304"
			})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var v View
			v.Decode(tt.h, frameBytes(t, tt.frame))
			if diff := cmp.Diff(tt.want, rowOf(&v)); diff != "" {
				t.Errorf("view (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeARP(t *testing.T) {
	var v View
	v.Decode(FrameHeader{Link: LinkEthernet}, frameBytes(t, "ffffffffffff 020000000001 0806 0001 0800 06 04 0001"+
		"020000000001 c0000201 000000000000 c0000202"))
	want := ARP{
		Op: ARPRequest, SenderHW: [6]byte{2, 0, 0, 0, 0, 1}, SenderIP: [4]byte{192, 0, 2, 1}, TargetIP: [4]byte{192, 0, 2, 2},
	}
	if v.Network != NetworkARP || v.ARP != want || !v.Group() || v.ARP.Probe() {
		t.Errorf("got network %d, %+v, group %v", v.Network, v.ARP, v.Group())
	}
}

func TestDecodeTCP(t *testing.T) {
	var v View
	v.Decode(FrameHeader{Link: LinkRawIP}, frameBytes(t, "45000030 00004000 40060000 c0000201 c0000202"+
		"0050 c350 00000001 00000002 6012 ffff 0000 0000 020405b4 41424344"))
	want := TCP{Seq: 1, Ack: 2, Flags: TCPSyn | TCPAck, Window: 0xffff}
	if v.TCP != want || string(v.Payload) != "ABCD" || v.SrcPort != 80 || v.DstPort != 50000 {
		t.Errorf("got %+v, ports %d %d, %d bytes", v.TCP, v.SrcPort, v.DstPort, len(v.Payload))
	}
	if !v.TCP.Has(TCPSyn|TCPAck) || v.TCP.Has(TCPSyn|TCPFin) {
		t.Error("flags")
	}
}

func TestDecodeNDP(t *testing.T) {
	const ip = "60000000 00%s 3aff fe800000000000000000000000000001 ff020000000000000000000000000001"
	ll := [6]byte{2, 0, 0, 0, 0, 9}
	tests := []struct {
		name, size, icmp string
		want             NDP
	}{
		{"router solicitation", "10", "8500 0000 00000000 0101 020000000009", NDP{Type: NDPRouterSolicit, SourceLL: ll}},
		{"router advertisement", "18", "8600 0000 40000708 00000000 00000000 0101 020000000009",
			NDP{Type: NDPRouterAdvert, SourceLL: ll, Lifetime: 1800}},
		{"solicitation", "18", "8700 0000 00000000 fe800000000000000000000000000002",
			NDP{Type: NDPNeighborAsk, Target: [16]byte{0: 0xfe, 1: 0x80, 15: 2}}},
		{"advertisement", "20", "8800 0000 a0000000 fe800000000000000000000000000002 0201 020000000009",
			NDP{Type: NDPNeighborAdvert, Target: [16]byte{0: 0xfe, 1: 0x80, 15: 2}, TargetLL: ll, Router: true}},
		{"option of length 0", "10", "8500 0000 00000000 0100 020000000009", NDP{}},
		{"echo", "08", "8000 0000 00000000", NDP{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := frameBytes(t, strings.Replace(ip, "%s", tt.size, 1)+tt.icmp)
			var v View
			v.Decode(FrameHeader{Link: LinkRawIP}, b)
			if diff := cmp.Diff(tt.want, v.NDP); diff != "" || v.Transport != TransportICMPv6 {
				t.Errorf("transport %d (-want +got):\n%s", v.Transport, diff)
			}
			b[7] = 254 // it came through a router: not neighbour discovery
			if v.Decode(FrameHeader{Link: LinkRawIP}, b); v.NDP != (NDP{}) {
				t.Errorf("hop limit 254 accepted: %+v", v.NDP)
			}
		})
	}
}

func TestDecodeDatagram(t *testing.T) {
	var v View
	v.Decode(FrameHeader{Link: LinkRawIP}, frameBytes(t, "60000000 000c 2c 40 20010db8000000000000000000000001"+
		"20010db8000000000000000000000002 3c00000900000001 01020304"))
	if v.Fragment != FragmentLater || v.FragID != 1 || v.FragOffset != 8 || !v.FragMore || v.FragProto != 60 {
		t.Fatalf("fragment %+v", v)
	}
	v.DecodeDatagram(frameBytes(t, "1100000000000000"+udpHi))
	if v.Transport != TransportUDP || v.DstPort != 6666 || v.Fragment != FragmentWhole || v.SrcAddr() != netip.MustParseAddr("2001:db8::1") {
		t.Errorf("got %+v", rowOf(&v))
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	var frames [][]byte
	for _, s := range []string{macs + "0800" + udp4 + udpHi, macs + "86dd" + udp6 + udpHi, macs + "0806", macs + "0005 424203 0000"} {
		frames = append(frames, frameBytes(t, s))
	}
	var v View
	if n := testing.AllocsPerRun(100, func() {
		for _, b := range frames {
			v.Decode(FrameHeader{Link: LinkEthernet}, b)
		}
	}); n != 0 {
		t.Errorf("%v allocations per run, want 0", n)
	}
}

// FuzzView decodes anything; what the view shows must lie within the frame.
func FuzzView(f *testing.F) {
	f.Add(uint8(1), uint32(0), frameBytes(f, macs+"0800"+udp4+udpHi))
	f.Add(uint8(1), uint32(0x81000007), frameBytes(f, macs+"8100 0001 86dd"+udp6+udpHi))
	f.Add(uint8(4), uint32(0), frameBytes(f, udp6+udpHi))
	f.Fuzz(func(t *testing.T, link uint8, tag uint32, b []byte) {
		var v View
		v.Decode(FrameHeader{Link: Link(link), TPID: uint16(tag >> 16), TCI: uint16(tag)}, b)
		if len(v.Payload) > len(b) || len(v.FragData) > len(b) {
			t.Fatal("more than the frame")
		}
		_, _, _, _ = v.SrcAddr(), v.DstAddr(), v.Group(), v.ARP.Probe()
		if v.Network == 0 || v.Transport == 0 || v.Fragment == 0 {
			t.Fatal("an enum is zero")
		}
		if v.Fragment != FragmentWhole {
			v.DecodeDatagram(b)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	frame := frameBytes(b, macs+"0800"+udp4+udpHi)
	binary.BigEndian.PutUint16(frame[12:], etherIPv4)
	var v View
	b.ReportAllocs()
	for b.Loop() {
		v.Decode(FrameHeader{Link: LinkEthernet}, frame)
	}
}
