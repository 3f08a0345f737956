package linux

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
)

// cable makes a port with a far end.
func cable(t *testing.T, port string) (far *packet.Conn) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = port
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: port + "far"}
	if err := netlink.LinkAdd(veth); err != nil {
		t.Skip("no veth pair here: ", err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(veth) })
	link, err := netlink.LinkByName(port + "far")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		t.Fatal(err)
	}
	ifi, err := net.InterfaceByName(port + "far")
	if err != nil {
		t.Fatal(err)
	}
	far, err = packet.Listen(ifi, packet.Raw, 0x0003, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return far
}

// arrives reports whether a frame that one far end sends gets to the other.
func arrives(t *testing.T, from, to *packet.Conn, frame []byte) bool {
	t.Helper()
	for range 20 {
		if _, err := from.WriteTo(frame, &packet.Addr{HardwareAddr: net.HardwareAddr(frame[:6])}); err != nil {
			t.Fatal(err)
		}
		if err := to.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		for buf := make([]byte, 2048); ; {
			n, _, err := to.ReadFrom(buf)
			if err != nil {
				break
			}
			if bytes.Equal(buf[:n], frame) {
				return true
			}
		}
	}
	return false
}

func TestBridge(t *testing.T) {
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0); err != nil {
		t.Log(err)
	}
	a, b := cable(t, "p1"), cable(t, "p2")
	br := Bridge{Name: "brt", Ports: []string{"p1", "p2", "p3"}}
	t.Cleanup(func() {
		if l, err := netlink.LinkByName("brt"); err == nil {
			_ = netlink.LinkDel(l)
		}
	})
	frame := func(dst ...byte) []byte {
		return append(append(dst, 2, 0, 0, 0, 0, 9, 0x88, 0xb5), make([]byte, 50)...)
	}
	device := frame(2, 0, 0, 0, 0, 8)
	if arrives(t, a, b, device) {
		t.Fatal("a frame crosses without a bridge")
	}
	if br.Check().Cut == nil {
		t.Error("no bridge, and Check is content")
	}
	if err := br.Up(); err == nil || !strings.Contains(err.Error(), "find port p3: no such port") {
		t.Errorf("a missing port: %v", err)
	}
	if h := br.Check(); h.Wrong != nil || h.Cut != nil || !slices.Equal(h.Missing, []string{"p3"}) {
		t.Fatalf("health %+v", h)
	}
	for name, f := range map[string][]byte{"a device's": device, "spanning tree": frame(1, 0x80, 0xc2, 0, 0, 0), "EAPOL": frame(1, 0x80, 0xc2, 0, 0, 3),
		"LLDP": frame(1, 0x80, 0xc2, 0, 0, 0x0e), "multicast without a querier": frame(1, 0, 0x5e, 0, 0x17, 0x3f)} {
		if !arrives(t, a, b, f) {
			t.Errorf("%s frame does not cross", name)
		}
	}

	// A third port that hangs loose is wrong, and cuts nobody off.
	cable(t, "p4")
	loose := Bridge{Name: "brt", Ports: []string{"p1", "p2", "p4"}}
	if h := loose.Check(); h.Cut != nil || h.Wrong == nil || h.Wrong.Error() != "port p4 is not in bridge brt" {
		t.Errorf("health with a loose port %+v", h)
	}
	for _, c := range []struct {
		what string
		undo func() error
		cut  bool
	}{
		{"port p2 is down", func() error { return onLink("p2", netlink.LinkSetDown) }, true}, // one of two is none
		{"port p1 is not in bridge", func() error { return onLink("p1", netlink.LinkSetNoMaster) }, true},
		{"bridge brt is down", func() error { return onLink("brt", netlink.LinkSetDown) }, true},
		{"stp_state is 1, want 0", func() error { return os.WriteFile("/sys/class/net/brt/bridge/stp_state", []byte("1"), 0) }, false},
	} {
		if err := c.undo(); err != nil {
			t.Fatal(err)
		}
		h := br.Check()
		if said := errors.Join(h.Wrong, h.Cut); (h.Cut != nil) != c.cut || !strings.Contains(fmt.Sprint(said), c.what) {
			t.Errorf("Check says %+v, want %q, cut %v", h, c.what, c.cut)
		}
		_ = br.Up() // p3 is still missing
		if h := br.Check(); h.Wrong != nil || h.Cut != nil {
			t.Errorf("after %q and Up: %+v", c.what, h)
		}
		if !arrives(t, b, a, device) {
			t.Errorf("after %q and Up nothing crosses", c.what)
		}
	}
}

func onLink(name string, do func(netlink.Link) error) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return do(link)
}
