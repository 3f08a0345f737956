package wire

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sameAddr() cmp.Option { return cmp.Comparer(func(a, b netip.Addr) bool { return a == b }) }

func TestDHCPRoundTrip(t *testing.T) {
	want := DHCP{Type: DHCPAck, Reply: true, Xid: 0xdeadbeef, Client: MAC{2, 0, 0, 0, 0, 9},
		YourIP: addr("192.0.2.9"), ServerID: addr("192.0.2.1"), Mask: addr("255.255.255.0"), Router: addr("192.0.2.1"), DNS: addr("192.0.2.1")}
	b := want.Marshal()
	if len(b) < 300 {
		t.Errorf("message of %d octets, want at least 300", len(b))
	}
	got, err := ParseDHCP(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameAddr()); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestDHCPOptionOrder(t *testing.T) {
	b := DHCP{Type: DHCPRequest, Client: MAC{2, 0, 0, 0, 0, 9}, Requested: addr("192.0.2.9"), ServerID: addr("192.0.2.1"),
		Host: "h", FQDN: "h", VendorClass: "v", MaxSize: 576, Params: []byte{1, 3}}.Marshal()
	var order []byte
	for o := b[dhcpOptions:]; o[0] != 255; o = o[2+int(o[1]):] {
		order = append(order, o[0])
	}
	if diff := cmp.Diff([]byte{53, 61, 50, 54, 12, 81, 57, 60, 55}, order); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestParseDHCPRefuses(t *testing.T) {
	good := DHCP{Type: DHCPOffer, Reply: true}.Marshal()
	noMagic := append([]byte{}, good...)
	noMagic[dhcpMagic] = 0
	long := append([]byte{}, good[:dhcpOptions+1]...)
	long = append(long, 200, 1)
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"short", good[:dhcpOptions-1], "dhcp message shorter than its fixed part"},
		{"magic", noMagic, "dhcp magic cookie missing"},
		{"option", long, "dhcp option runs past the message"},
	} {
		if _, err := ParseDHCP(tt.in); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

func FuzzParseDHCP(f *testing.F) {
	f.Add(DHCP{Type: DHCPRequest, Host: "h", VendorClass: "v", Params: []byte{1, 3}}.Marshal())
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, b []byte) {
		if d, err := ParseDHCP(b); err == nil {
			d.Marshal()
		}
	})
}
