package ward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// refusedEnv carries the reason why this machine has no lab to the tests.
const refusedEnv = "WARDLAB_REFUSED"

func TestMain(m *testing.M) {
	code, err := Enter(m.Run)
	if err != nil {
		os.Setenv(refusedEnv, err.Error())
		code = m.Run()
	}
	os.Exit(code)
}

// build makes a ward with fixed addresses everywhere. The gateway's ports are in
// the test's own namespace: one ward at a time, one test.
func build(t *testing.T) *Ward {
	t.Helper()
	if why := os.Getenv(refusedEnv); why != "" {
		t.Skip(why)
	}
	w, err := Build(cast.New(cast.DefaultSeed))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	for _, p := range cast.Parts() {
		h := w.Host(p)
		if err := h.AddAddr(netip.PrefixFrom(h.Addr, 24)); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func TestWard(t *testing.T) {
	build(t).Close() // leaves room for the next
	w := build(t)
	t.Run("gateway", func(t *testing.T) { gatewayIsTransparent(t) })
	t.Run("everyone reaches everyone", func(t *testing.T) { reach(t, w) })
	t.Run("multicast and broadcast", func(t *testing.T) { groups(t, w) })
	t.Run("whole frames", func(t *testing.T) { frames(t, w, false) })
	t.Run("fragments", func(t *testing.T) { frames(t, w, true) })
	t.Run("another mac", func(t *testing.T) { otherMAC(t, w) })
}

func gatewayIsTransparent(t *testing.T) {
	br, err := netlink.LinkByName(Bridge)
	if err != nil {
		t.Fatal(err)
	}
	b := br.(*netlink.Bridge)
	if b.GroupFwdMask == nil || *b.GroupFwdMask != forwardMask {
		t.Errorf("group forward mask %v, want %#x", b.GroupFwdMask, forwardMask)
	}
	if b.MulticastSnooping == nil || *b.MulticastSnooping {
		t.Error("multicast snooping is on")
	}
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	var ports []string
	for _, l := range links {
		if l.Attrs().MasterIndex == br.Attrs().Index {
			ports = append(ports, l.Attrs().Name)
		}
	}
	if len(ports) != len(WardPorts())+1 {
		t.Errorf("bridge ports %v, want %v and %s", ports, WardPorts(), Uplink)
	}
	for _, s := range []string{"net/ipv6/conf/all/disable_ipv6"} {
		if b, err := os.ReadFile("/proc/sys/" + s); err == nil && strings.TrimSpace(string(b)) != "1" {
			t.Errorf("%s = %s", s, b)
		}
	}
}

func reach(t *testing.T, w *Ward) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, to := range cast.Parts() {
		l, err := w.Host(to).Listen(ctx, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, from := range cast.Parts() {
			if from == to {
				continue
			}
			c, err := w.Host(from).Dial(ctx, "tcp4", netip.AddrPortFrom(w.Host(to).Addr, 7).String(), nil)
			if err != nil {
				t.Errorf("%v to %v: %v", from, to, err)
				continue
			}
			c.Close()
		}
		l.Close()
	}
}

func groups(t *testing.T, w *Ward) {
	ctx := t.Context()
	group := netip.MustParseAddr("224.0.23.63")
	ear, err := w.Host(cast.Central).ListenUDP(ctx, 24005)
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	if err := w.Host(cast.Central).Join(ear, group, 8); err != nil {
		t.Fatal(err)
	}
	mouth, err := w.Host(cast.Monitor).ListenUDP(ctx, 24005)
	if err != nil {
		t.Fatal(err)
	}
	defer mouth.Close()
	if err := w.Host(cast.Monitor).Join(mouth, group, 8); err != nil {
		t.Fatal(err)
	}
	for _, to := range []netip.Addr{group, w.Cast.Broadcast(), netip.MustParseAddr("255.255.255.255")} {
		if _, err := mouth.WriteToUDPAddrPort([]byte("x"), netip.AddrPortFrom(to, 24005)); err != nil {
			t.Errorf("to %v: %v", to, err)
			continue
		}
		ear.SetReadDeadline(time.Now().Add(2 * time.Second))
		if _, _, err := ear.ReadFromUDP(make([]byte, 10)); err != nil {
			t.Errorf("to %v: %v", to, err)
		}
	}
}

// frames sends a stream from the pump to its server and looks at what crosses
// w1: no frame longer than Ethernet's 1514 octets, fragments if asked for.
func frames(t *testing.T, w *Ward, fragment bool) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	pump, server := w.Host(cast.Pump), w.Host(cast.PumpServer)
	l, err := server.Listen(ctx, 9)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan error, 1)
	const size = 200_000
	go func() {
		c, err := l.Accept()
		if err != nil {
			got <- err
			return
		}
		defer c.Close()
		b, n := make([]byte, 64<<10), 0
		for n < size {
			k, err := c.Read(b)
			if n += k; err != nil {
				got <- fmt.Errorf("after %d octets: %w", n, err)
				return
			}
		}
		got <- nil
	}()
	// Every frame: a socket for one EtherType sees nothing of what a bridge port
	// takes in, the bridge has it first.
	raw, err := OpenRaw("w1", 0)
	if err != nil {
		t.Fatal(err)
	}
	control := MayFragment
	if fragment {
		if err := errors.Join(pump.SetMTU(620), pump.RouteMTU(server.Addr, 1500, 580)); err != nil {
			t.Fatal(err)
		}
	} else {
		control = nil
	}
	c, err := pump.Dial(ctx, "tcp4", netip.AddrPortFrom(server.Addr, 9).String(), control)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	c.Close()
	longest, fragments := 0, 0
	raw.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	for b := make([]byte, 70<<10); ; {
		n, _, err := raw.Read(b)
		if err != nil {
			break
		}
		longest = max(longest, n)
		if n >= 34 && (b[20]&0x3f != 0 || b[21] != 0) { // more fragments, or an offset
			fragments++
		}
	}
	raw.Close()
	if longest > 1514 || longest < 600 {
		t.Errorf("longest frame %d octets", longest)
	}
	if fragment != (fragments > 0) {
		t.Errorf("%d fragments", fragments)
	}
	if fragment {
		if longest > 634 {
			t.Errorf("longest frame %d octets, want at most 634", longest)
		}
		if err := errors.Join(pump.RouteMTU(server.Addr, 0, 0), pump.SetMTU(1500)); err != nil {
			t.Fatal(err)
		}
	}
}

func otherMAC(t *testing.T, w *Ward) {
	h := w.Host(cast.Intruder)
	if err := h.SetMAC(w.Host(cast.Printer).MAC); err != nil {
		t.Fatal(err)
	}
	err := h.Do(func() error {
		ifi, err := net.InterfaceByName(link)
		if err == nil && cast.MAC(ifi.HardwareAddr) != w.Host(cast.Printer).MAC {
			err = fmt.Errorf("mac is %v", ifi.HardwareAddr)
		}
		return err
	})
	if err := errors.Join(err, h.SetMAC(h.MAC)); err != nil {
		t.Error(err)
	}
}
