package wire

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestChecksum(t *testing.T) {
	// The example of RFC 1071 section 3: sum ddf2, complement 220d.
	if got := checksum([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}); got != 0x220d {
		t.Errorf("checksum = %04x, want 220d", got)
	}
	if got := checksum([]byte{0x12}); got != ^uint16(0x1200) {
		t.Errorf("checksum of one octet = %04x", got)
	}
}

func TestEthernetPads(t *testing.T) {
	f := Ethernet(BroadcastMAC(), MAC{2, 0, 0, 0, 0, 1}, EtherARP, []byte{1, 2, 3})
	if len(f) != 60 {
		t.Errorf("frame of %d octets, want 60", len(f))
	}
	if got, want := hex.EncodeToString(f[:18]), "ffffffffffff020000000001080601020300"; got != want {
		t.Errorf("frame begins %s, want %s", got, want)
	}
}

func TestARP(t *testing.T) {
	want := ARP{Op: ARPReply, SHA: MAC{2, 0, 0, 0, 0, 1}, THA: MAC{2, 0, 0, 0, 0, 2}, SPA: addr("192.0.2.1"), TPA: addr("192.0.2.2")}
	got, err := ParseARP(want.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameAddr()); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if _, err := ParseARP(want.Marshal()[:27]); err == nil || err.Error() != "no ethernet/ipv4 arp packet" {
		t.Errorf("short packet: %v", err)
	}
}

func TestUDP4(t *testing.T) {
	for _, payload := range []string{"", "x", "xy", "a longer payload of odd length"} {
		p := UDP4(netip.MustParseAddrPort("192.0.2.1:68"), netip.MustParseAddrPort("192.0.2.2:67"), []byte(payload))
		if checksum(p[:20]) != 0 {
			t.Errorf("%q: header checksum wrong", payload)
		}
		pseudo := append(append([]byte{}, p[12:20]...), 0, 17, p[24], p[25])
		if checksum(append(pseudo, p[20:]...)) != 0 {
			t.Errorf("%q: udp checksum wrong", payload)
		}
	}
}

func TestEcho(t *testing.T) {
	if e := Echo(7, 1); checksum(e) != 0 || e[0] != 8 {
		t.Errorf("echo request % x", e[:8])
	}
}
