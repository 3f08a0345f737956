package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// Monitor makes itself known once a second, by multicast and by broadcast in
// turn (both are in use), and answers its central station, until ctx ends.
func (s *Stage) Monitor(ctx context.Context) error {
	h := s.host(cast.Monitor)
	data, err := h.ListenUDP(ctx, wire.PhilipsData)
	if err != nil {
		return err
	}
	indicate, err := h.ListenUDP(ctx, wire.PhilipsIndicate)
	if err != nil {
		return err
	}
	defer indicate.Close()
	if err := h.Join(indicate, wire.PhilipsGroup(), 8); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { data.SetReadDeadline(time.Now().Add(drain)) })
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.monitorData(ctx, data) }()

	begun := time.Now()
	// The registered group of current software, and the directed broadcast of
	// older: a policy must let both through.
	to := []netip.Addr{wire.PhilipsGroup(), s.Ward.Cast.Broadcast()}
	n := uint16(0)
	every(ctx, time.Second, func() {
		m := wire.MonitorIdentity{MAC: h.MAC, Addr: h.Addr, Mask: netip.AddrFrom4([4]byte{255, 255, 255, 0}),
			Model: h.Model, Serial: h.Serial, SW: h.SW, Part: "S-M8003-1402A", Invoke: n,
			EventMS: uint32(time.Since(begun).Milliseconds() * 8)}
		dst := netip.AddrPortFrom(to[n%2], wire.PhilipsIndicate)
		_, err := indicate.WriteToUDPAddrPort(wire.ConnectIndication(m), dst)
		n++
		if err != nil {
			s.report(ctx, Talk{cast.Monitor, cast.Central, "udp/24005", "connect indication", err})
		}
	})
	return <-done
}

// monitorData answers associations and polls.
func (s *Stage) monitorData(ctx context.Context, c *net.UDPConn) error {
	defer c.Close()
	b := make([]byte, 2048)
	begun := time.Now()
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("monitor: %w", err)
		}
		// Heart rate, saturation, pressures, breaths: values that nobody but the
		// central station may keep.
		var reply []byte
		if n > 0 && b[0] == wire.SessionConnect {
			reply = wire.AssociationAccept()
		} else if invoke, ok := wire.PollInvoke(b[:n]); ok {
			reply = wire.PollReply(invoke, uint32(time.Since(begun).Milliseconds()*8), []uint16{72, 98, 120, 80, 16})
		}
		if reply != nil {
			c.WriteToUDPAddrPort(reply, from)
		}
	}
}

// Central waits for monitors to make themselves known, associates with them and
// polls their values twice a second, until ctx ends.
func (s *Stage) Central(ctx context.Context) error {
	h := s.host(cast.Central)
	ear, err := h.ListenUDP(ctx, wire.PhilipsIndicate)
	if err != nil {
		return err
	}
	defer ear.Close()
	if err := h.Join(ear, wire.PhilipsGroup(), 8); err != nil {
		return err
	}
	known := make(chan netip.Addr, 1)
	stop := context.AfterFunc(ctx, func() { ear.Close() })
	defer stop()
	go s.hear(ctx, ear, known)

	c, err := h.ListenUDP(ctx, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	var monitor netip.Addr
	select {
	case monitor = <-known:
	case <-ctx.Done():
		return nil
	}
	at := netip.AddrPortFrom(monitor, wire.PhilipsData)
	associated, invoke := false, uint16(0)
	every(ctx, 500*time.Millisecond, func() {
		request, what := wire.AssociationRequest(), "IntelliVue association"
		if associated {
			invoke++
			request, what = wire.PollRequest(invoke), "IntelliVue values"
		}
		// After a silence the central station begins anew, as the data export
		// protocol asks of it.
		err := ask(c, at, at.Port(), request)
		associated = err == nil
		s.report(ctx, Talk{cast.Central, cast.Monitor, "udp/24105", what, err})
	})
	return nil
}

// hear takes indications and passes on the first sender.
func (s *Stage) hear(ctx context.Context, c *net.UDPConn, known chan<- netip.Addr) {
	b := make([]byte, 2048)
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if m := s.host(cast.Monitor); n > 4 && from.Addr().Unmap() == m.Addr {
			s.report(ctx, Talk{cast.Monitor, cast.Central, "udp/24005", "connect indication", nil})
			select {
			case known <- from.Addr().Unmap():
			default:
			}
		}
	}
}

// errSilent says that a datagram was not answered.
var errSilent = errors.New("no answer")

// ask sends a datagram and waits a second for an answer from that port of the same
// address.
func ask(c *net.UDPConn, to netip.AddrPort, answerer uint16, request []byte) error {
	if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := c.WriteToUDPAddrPort(request, to); err != nil {
		return err
	}
	b := make([]byte, 2048)
	for {
		_, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			return errSilent
		}
		if from.Addr().Unmap() == to.Addr() && from.Port() == answerer {
			return nil
		}
	}
}
