package sim

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// patience is how long a try waits: time for the kernel's first SYN and two
// more, after 1 s and 2 s.
const patience = 2200 * time.Millisecond

// victims are the devices of the ward.
func victims() []cast.Part {
	return []cast.Part{cast.Pump, cast.Monitor, cast.Ultrasound, cast.Printer}
}

// scanned are the ports the intruder tries on each: what malware and curious
// people look for.
func scanned() []uint16 { return []uint16{21, 22, 23, 80, 139, 443, 445, 631, 3389, 5900} }

// Intrude does all the mischief, under each guise in turn, and calls tried for
// every attempt. It takes about eight seconds.
func (s *Stage) Intrude(ctx context.Context, tried func(Attempt)) error {
	s.arpScan()
	s.asItself(ctx, tried)
	if err := s.asPumpServer(ctx, tried); err != nil {
		return err
	}
	return s.asPrinter(ctx, tried)
}

// asItself scans the ward, and has the devices themselves try what is not
// their work, as an infected one would.
func (s *Stage) asItself(ctx context.Context, tried func(Attempt)) {
	var wait sync.WaitGroup
	// All wait side by side: one after the other, fifty silences would take two
	// minutes.
	try := func(a Attempt, do func() Outcome) {
		wait.Go(func() {
			a.Outcome = do()
			if ctx.Err() == nil {
				tried(a)
			}
		})
		time.Sleep(15 * time.Millisecond) // a scan, not a flood
	}
	for _, port := range scanned() {
		for _, v := range victims() {
			a := Attempt{From: cast.Intruder, To: v, As: AsItself, Service: tcp(port)}
			try(a, func() Outcome { return s.connect(ctx, cast.Intruder, v, port, netip.Addr{}) })
		}
	}
	for _, v := range victims() {
		a := Attempt{From: cast.Intruder, To: v, As: AsItself, Service: "icmp"}
		try(a, func() Outcome { return s.ping(ctx, cast.Intruder, v) })
	}
	// A foreign central station, SNMP, and a datagram whose later fragments carry
	// no port by which they could be judged.
	datagrams := []struct {
		to      cast.Part
		port    uint16
		payload []byte
	}{
		{cast.Monitor, wire.PhilipsData, wire.AssociationRequest()},
		{cast.Pump, 161, []byte{0x30, 0x00}},
		{cast.Pump, 162, make([]byte, 4000)}, // three fragments
		{cast.Printer, 161, []byte{0x30, 0x00}},
	}
	for _, d := range datagrams {
		a := Attempt{From: cast.Intruder, To: d.to, As: AsItself, Service: udp(d.port)}
		try(a, func() Outcome { return s.datagram(ctx, cast.Intruder, d.to, d.port, d.payload) })
	}
	// Outbound: the intranet is no peer of any device.
	for _, from := range victims() {
		a := Attempt{From: from, To: cast.Infra, As: AsItself, Service: tcp(80)}
		try(a, func() Outcome { return s.connect(ctx, from, cast.Infra, 80, netip.Addr{}) })
	}
	wait.Wait()
}

// asPumpServer takes the pump server's address: claims it by ARP in every form,
// and uses it for IP. It has learnt the victims' cards before, so that its IP
// does not depend on its ARP.
func (s *Stage) asPumpServer(ctx context.Context, tried func(Attempt)) error {
	h := s.host(cast.Intruder)
	stolen := s.host(cast.PumpServer).Addr
	for _, v := range victims() {
		if err := h.Neighbour(s.host(v).Addr, s.host(v).MAC); err != nil {
			return err
		}
	}
	if err := h.AddAddr(netip.PrefixFrom(stolen, 32)); err != nil {
		return err
	}
	err := s.claims()
	var wait sync.WaitGroup
	for _, v := range []cast.Part{cast.Pump, cast.Monitor} {
		for _, port := range []uint16{23, 445} {
			wait.Go(func() {
				o := s.connect(ctx, cast.Intruder, v, port, stolen)
				if ctx.Err() == nil {
					tried(Attempt{From: cast.Intruder, To: v, As: AsPumpServer, Service: tcp(port), Outcome: o})
				}
			})
		}
	}
	wait.Wait()
	return errors.Join(err, h.DelAddr(netip.PrefixFrom(stolen, 32)))
}

// asPrinter takes the printer's MAC.
func (s *Stage) asPrinter(ctx context.Context, tried func(Attempt)) error {
	h := s.host(cast.Intruder)
	// From here on the gateway's bridge takes the intruder's port for the
	// printer's, until the printer speaks again: answers may go astray, so that
	// only the victims' witnesses know whether anything arrived.
	if err := h.SetMAC(s.host(cast.Printer).MAC); err != nil {
		return err
	}
	var wait sync.WaitGroup
	for _, v := range []cast.Part{cast.Pump, cast.Monitor} {
		for _, port := range []uint16{23, 445} {
			wait.Go(func() {
				o := s.connect(ctx, cast.Intruder, v, port, netip.Addr{})
				if ctx.Err() == nil {
					tried(Attempt{From: cast.Intruder, To: v, As: AsPrinter, Service: tcp(port), Outcome: o})
				}
			})
		}
	}
	wait.Wait()
	return errors.Join(h.SetMAC(h.MAC), announce(h))
}

// connect tries a connection; from is the source address, if not the host's own.
func (s *Stage) connect(ctx context.Context, who, to cast.Part, port uint16, from netip.Addr) Outcome {
	dctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := s.host(who).DialFrom(dctx, from, "tcp4", netAddr(s.host(to).Addr, port))
	if err == nil {
		c.Close()
	}
	return outcome(err)
}

// outcome reads an error of a connection or of a read.
func outcome(err error) Outcome {
	switch {
	case err == nil:
		return Answered
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return Refused
	}
	return Silent // no answer, or no ARP answer
}

// datagram sends one and waits for an answer, or an ICMP error.
func (s *Stage) datagram(ctx context.Context, who, to cast.Part, port uint16, payload []byte) Outcome {
	c, err := s.host(who).Dial(ctx, "udp4", netAddr(s.host(to).Addr, port), nil)
	if err != nil {
		return outcome(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return Silent
	}
	if _, err := c.Write(payload); err != nil {
		return outcome(err)
	}
	_, err = c.Read(make([]byte, 2048))
	return outcome(err)
}

// ping sends one ICMP echo request (RFC 792).
func (s *Stage) ping(ctx context.Context, who, to cast.Part) Outcome {
	c, err := s.host(who).ListenICMP(ctx)
	if err != nil {
		return Silent
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return Silent
	}
	peer := s.host(to).Addr
	if _, err := c.WriteTo(wire.Echo(uint16(to), 1), &net.IPAddr{IP: peer.AsSlice()}); err != nil {
		return outcome(err)
	}
	b := make([]byte, 512)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return outcome(err)
		}
		ip, ok := from.(*net.IPAddr)
		if a, valid := netip.AddrFromSlice(ip.IP); ok && valid && a.Unmap() == peer && n > 0 && b[0] == 0 {
			return Answered
		}
	}
}
