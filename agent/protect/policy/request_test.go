package policy

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestRequest(t *testing.T) {
	a4, b4, a6, b6 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2")
	for service, want := range map[string]Packet{
		"tcp/443":       {EtherType: etherIPv4, Src: a4, Dst: b4, Proto: 6, SrcPort: somePort, DstPort: 443, Opens: true},
		"udp/5000-5001": {EtherType: etherIPv4, Src: a4, Dst: b4, Proto: 17, SrcPort: somePort, DstPort: 5000},
		"icmp/echo":     {EtherType: etherIPv4, Src: a4, Dst: b4, Proto: 1, SrcPort: 8},
		"icmp/13":       {EtherType: etherIPv4, Src: a4, Dst: b4, Proto: 1, SrcPort: 13},
		"ip/47":         {EtherType: etherIPv4, Src: a4, Dst: b4, Proto: 47},
		"ether/0x88f7":  {EtherType: 0x88f7},
	} {
		svc, err := ParseService(service)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, Request(svc, a4, b4), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", service, diff)
		}
	}
	want := Packet{EtherType: etherIPv6, Src: a6, Dst: b6, Proto: 58, SrcPort: 128}
	if diff := cmp.Diff(want, Request(Service{Proto: Echo}, a6, b6), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("ping of IPv6 (-want +got):\n%s", diff)
	}
}
