package ward

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// TestPatch puts a machine of two sockets in the gateway's place: a hub that
// says on one card what it hears on the other.
func TestPatch(t *testing.T) {
	if why := os.Getenv(refusedEnv); why != "" {
		t.Skip(why)
	}
	w, err := BuildApart(cast.New(cast.DefaultSeed))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	dir := t.TempDir()
	var cards []*net.UnixConn
	for _, port := range []string{Uplink, cast.Pump.Port()} {
		near, far := filepath.Join(dir, port+".near"), filepath.Join(dir, port+".far")
		p, err := NewPatch(port, near, far)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		card, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: far})
		if err != nil {
			t.Fatal(err)
		}
		defer card.Close()
		cards = append(cards, card)
	}
	hear := func(from, to *net.UnixConn, name string) {
		for b := make([]byte, maxFrame); ; {
			n, err := from.Read(b)
			if err != nil {
				return
			}
			_, _ = to.WriteToUnix(b[:n], &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, name+".near")})
		}
	}
	go hear(cards[0], cards[1], cast.Pump.Port())
	go hear(cards[1], cards[0], Uplink)
	for _, p := range cast.Parts() {
		h := w.Host(p)
		if err := h.AddAddr(netip.PrefixFrom(h.Addr, 24)); err != nil {
			t.Fatal(err)
		}
	}
	own := w.Cast.Subnet.Masked().Addr().As4()
	own[3] = 250
	desk := netip.AddrFrom4(own)
	if err := w.Desk(netip.PrefixFrom(desk, 24)); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	l, err := w.Host(cast.PumpServer).Listen(ctx, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	reach := func(from cast.Part, to netip.Addr, limit time.Duration) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		c, err := w.Host(from).Dial(ctx, "tcp4", netip.AddrPortFrom(to, 7).String(), nil)
		if err == nil {
			c.Close()
		}
		return err
	}
	server := w.Host(cast.PumpServer).Addr
	if err := reach(cast.Pump, server, 5*time.Second); err != nil {
		t.Errorf("the pump's port is patched: %v", err)
	}
	if err := reach(cast.Printer, server, time.Second); err == nil {
		t.Error("the printer's port is not, and yet it reaches the server")
	}
	here, err := net.Listen("tcp4", netip.AddrPortFrom(desk, 7).String())
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	if err := reach(cast.Pump, desk, 5*time.Second); err != nil {
		t.Errorf("the lab's desk: %v", err)
	}
}
