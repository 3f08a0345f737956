package platform

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// unhex reads hex with spaces, written field by field.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

const (
	link6 = "020000000002 020000000001 86dd"
	link4 = "020000000002 020000000001 0800"
	src6  = "fd000000000000000000000000000001"
	dst6  = "fd000000000000000000000000000002"
)

func TestParseLogEntry(t *testing.T) {
	src, dst := [6]byte{2, 0, 0, 0, 0, 1}, [6]byte{2, 0, 0, 0, 0, 2}
	v4src, v4dst := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	v6src, v6dst := netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
	tests := []struct {
		name    string
		link    string
		ether   uint16
		network string
		want    LogEntry
	}{
		{"tcp syn", link4, 0x0800, "45000028 00010000 4006 0000 0a000001 0a000002 c001 01bb 00000000 00000000 5002 0000 0000 0000",
			LogEntry{SrcMAC: src, DstMAC: dst, EtherType: 0x0800, Src: v4src, Dst: v4dst, Proto: 6, SrcPort: 49153, DstPort: 443, TCPFlags: 2}},
		{"udp with ip options, tagged", "020000000002 020000000001 8100 6007 0800", 0x0800, "4600002c 00010000 4011 0000 0a000001 0a000002 01010100 0044 0043 0008 0000",
			LogEntry{SrcMAC: src, DstMAC: dst, VLAN: 7, EtherType: 0x0800, Src: v4src, Dst: v4dst, Proto: 17, SrcPort: 68, DstPort: 67}},
		{"icmp", link4, 0x0800, "4500001c 00010000 4001 0000 0a000001 0a000002 0800 0000",
			LogEntry{SrcMAC: src, DstMAC: dst, EtherType: 0x0800, Src: v4src, Dst: v4dst, Proto: 1, SrcPort: 8}},
		{"later fragment", link4, 0x0800, "45000024 00010001 4011 0000 0a000001 0a000002 0044 0043 0008 0000",
			LogEntry{SrcMAC: src, DstMAC: dst, EtherType: 0x0800, Src: v4src, Dst: v4dst, Proto: 17, Fragment: true}},
		{"arp", "ffffffffffff 020000000001 0806", 0x0806, "0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002",
			LogEntry{SrcMAC: src, DstMAC: [6]byte{255, 255, 255, 255, 255, 255}, EtherType: 0x0806, Src: v4src, Dst: v4dst}},
		{"ipv6 udp behind hop-by-hop and destination options", link6, 0x86dd,
			"60000000 0018 00 40" + src6 + dst6 + "3c00 000000000000 1100 000000000000 0044 0043 0008 0000",
			LogEntry{SrcMAC: src, DstMAC: dst, EtherType: 0x86dd, Src: v6src, Dst: v6dst, Proto: 17, SrcPort: 68, DstPort: 67}},
		{"ipv6 first fragment", link6, 0x86dd, "60000000 0010 2c 40" + src6 + dst6 + "1100 0001 00000001 0044 0043 0008 0000",
			LogEntry{SrcMAC: src, DstMAC: dst, EtherType: 0x86dd, Src: v6src, Dst: v6dst, Proto: 17, SrcPort: 68, DstPort: 67}},
		{"ipv6 later fragment", link6, 0x86dd, "60000000 0010 2c 40" + src6 + dst6 + "1100 0009 00000001 0044 0043 0008 0000",
			LogEntry{SrcMAC: src, DstMAC: dst, EtherType: 0x86dd, Src: v6src, Dst: v6dst, Proto: 17, Fragment: true}},
		{"other ethertype", "020000000002 020000000001 88b5", 0x88b5, "00",
			LogEntry{SrcMAC: src, DstMAC: dst, EtherType: 0x88b5}},
		{"nothing", "", 0x0800, "", LogEntry{EtherType: 0x0800}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ParseLogEntry(unhex(tt.link), tt.ether, unhex(tt.network))
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func FuzzParseLogEntry(f *testing.F) {
	f.Add(unhex(link4), uint16(0x0800), unhex("4500001c 00010000 4001 0000 0a000001 0a000002 0800 0000"))
	f.Add(unhex(link6), uint16(0x86dd), unhex("60000000 0010 2c 40"+src6+dst6+"1100 0009 00000001 0044 0043 0008 0000"))
	f.Add(unhex(link4), uint16(0x0806), unhex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002"))
	f.Fuzz(func(t *testing.T, link []byte, ether uint16, network []byte) {
		e := ParseLogEntry(link, ether, network)
		if e.Fragment && (e.SrcPort != 0 || e.DstPort != 0) {
			t.Errorf("a later fragment with ports: %+v", e)
		}
		if e.VLAN > 0xfff {
			t.Errorf("VLAN %d", e.VLAN)
		}
		if e.Src.IsValid() != e.Dst.IsValid() {
			t.Errorf("one address: %+v", e)
		}
	})
}
