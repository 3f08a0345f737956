package sim

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// Scene is a conversation of the bedside: who asks whom, and what is said.
type Scene struct {
	From, To cast.Part
	Service  string // "tcp/4001"
	What     string

	port   uint16
	asks   uint16 // the port that UDP is asked from; 0: any
	answer uint16 // the port that it is answered from; 0: port
	period time.Duration
	// say is what From says in the n-th round, from 0; each is answered.
	say func(n int) [][]byte
	// hear is To's answer; nil: none is due. Without hear, all are told.
	hear func(heard []byte) []byte
	// whole reports whether all of a message has come; nil: whatever came is.
	whole func(b []byte) bool
}

// scene makes one at a round a second.
func scene(from, to cast.Part, proto string, port uint16, what string, say func(int) [][]byte, hear func([]byte) []byte) Scene {
	return Scene{From: from, To: to, Service: fmt.Sprintf("%s/%d", proto, port), What: what, port: port, period: time.Second, say: say, hear: hear}
}

// Scenes are those of the ward's kind.
func (s *Stage) Scenes() (all []Scene) {
	here := map[cast.Part]bool{}
	for _, p := range s.Ward.Cast.Parts() {
		here[p] = true
	}
	for _, x := range append(append(s.monitors(), s.therapy()...), s.laboratory()...) {
		if here[x.From] && here[x.To] {
			all = append(all, x)
		}
	}
	return all
}

// Settle gives a host of the bedside its address, which is fixed there, and
// tells the neighbours.
func (s *Stage) Settle(p cast.Part) error {
	h := s.host(p)
	if err := h.AddAddr(netip.PrefixFrom(h.Addr, s.Ward.Cast.Subnet.Bits())); err != nil {
		return err
	}
	if err := h.DefaultRoute(s.host(cast.Infra).Addr); err != nil {
		return err
	}
	return announce(h)
}

// Attend answers the scenes that ask one port of a host, until ctx ends.
func (s *Stage) Attend(ctx context.Context, x Scene) error {
	if strings.HasPrefix(x.Service, "udp") {
		return s.attendUDP(ctx, x)
	}
	l, err := s.host(x.To).Listen(ctx, x.port)
	if err != nil {
		return err
	}
	return serve(ctx, l, func(c net.Conn) {
		for {
			heard, err := x.take(c)
			if err != nil {
				return
			}
			if answer := x.hear(heard); answer != nil {
				if _, err := c.Write(answer); err != nil {
					return
				}
			}
		}
	})
}

// take reads one message.
func (x Scene) take(c net.Conn) ([]byte, error) {
	var all []byte
	b := make([]byte, 4096)
	for len(all) <= messageLimit {
		n, err := c.Read(b)
		if err != nil {
			return nil, err
		}
		if all = append(all, b[:n]...); x.whole == nil || x.whole(all) {
			return all, nil
		}
	}
	return nil, errLong
}

func (s *Stage) attendUDP(ctx context.Context, x Scene) error {
	c, err := s.host(x.To).ListenUDP(ctx, x.port)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetReadDeadline(time.Now().Add(drain)) })
	defer stop()
	out := c
	if x.answer != 0 {
		if out, err = s.host(x.To).ListenUDP(ctx, x.answer); err != nil {
			return err
		}
		defer out.Close()
	}
	b := make([]byte, 2048)
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("%v: %w", x.To, err)
		}
		if answer := x.hear(b[:n]); answer != nil {
			out.WriteToUDPAddrPort(answer, from)
		}
	}
}

// Enact plays the scene until ctx ends.
func (s *Stage) Enact(ctx context.Context, x Scene) error {
	if strings.HasPrefix(x.Service, "udp") {
		return s.enactUDP(ctx, x)
	}
	var c net.Conn
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	n := 0
	every(ctx, x.period, func() {
		var err error
		if c == nil {
			if c, err = s.dial(ctx, x.From, x.To, x.port, time.Hour); err != nil {
				c = nil // a typed nothing would not be nil
			}
		}
		if err == nil {
			err = x.round(c, n)
		}
		if n++; err != nil && c != nil {
			c.Close()
			c = nil
		}
		s.report(ctx, Talk{x.From, x.To, x.Service, x.What, err})
	})
	return nil
}

// round says what is due, and hears the answers.
func (x Scene) round(c net.Conn, n int) error {
	b := make([]byte, 4096)
	for _, m := range x.say(n) {
		if _, err := c.Write(m); err != nil {
			return err
		}
		if x.hear(m) == nil { // nothing is due
			continue
		}
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			return err
		}
		if _, err := c.Read(b); err != nil {
			return fmt.Errorf("no answer: %w", err)
		}
	}
	return nil
}

// enactUDP asks, where the other host answers, and else tells all: those of the
// ward, or a group.
func (s *Stage) enactUDP(ctx context.Context, x Scene) error {
	h, port := s.host(x.From), x.asks
	if x.hear == nil {
		port = x.port
	}
	c, err := h.ListenUDP(ctx, port)
	if err != nil {
		return err
	}
	defer c.Close()
	to := s.host(x.To).Addr
	if x.hear == nil {
		if to = s.Ward.Cast.Broadcast(); x.port == wire.DiscoveryPort {
			if to = wire.DiscoveryGroup(); h.Join(c, to, 1) != nil {
				return errGroup
			}
		}
	}
	n := 0
	every(ctx, x.period, func() {
		var err error
		for _, m := range x.say(n) {
			if at := netip.AddrPortFrom(to, x.port); x.hear == nil || x.hear(m) == nil {
				_, err = c.WriteToUDPAddrPort(m, at)
			} else {
				err = ask(c, at, cmp.Or(x.answer, x.port), m)
			}
		}
		n++
		s.report(ctx, Talk{x.From, x.To, x.Service, x.What, err})
	})
	return nil
}

var errGroup = errors.New("cannot join the group of WS-Discovery")

// hl7Ended reports a whole MLLP block.
func hl7Ended(b []byte) bool { return bytes.HasSuffix(b, []byte{0x1c, '\r'}) }

// hl7 is a scene in which a device sends HL7 to the hub.
func (s *Stage) hl7(from cast.Part, what string, message func(n int) wire.Report) Scene {
	x := scene(from, cast.Hub, "tcp", hl7Port, what, func(n int) [][]byte {
		r := message(n)
		r.Receiver, r.Time, r.Control = s.member(cast.Hub).Name, hl7Time(), fmt.Sprintf("%08d", n)
		return [][]byte{wire.MLLP(r.Message())}
	}, func(heard []byte) []byte {
		m, _, ok, err := wire.CutMLLP(heard)
		if !ok || err != nil {
			return nil
		}
		ack, err := wire.Ack(m, hl7Time())
		if err != nil {
			return nil
		}
		return wire.MLLP(ack)
	})
	x.whole = hl7Ended
	return x
}

// member is who plays a part.
func (s *Stage) member(p cast.Part) cast.Member { return s.Ward.Cast.Member(p) }

// patient is PID and PV1 of the ward's patient.
func (s *Stage) patient() string {
	p := s.Ward.Cast.Patient
	return wire.PatientSegments(p.Family, p.Given, p.ID, "12^3")
}

// person is the patient's name as bedside devices write it.
func (s *Stage) person() string { return s.Ward.Cast.Patient.Family + "," + s.Ward.Cast.Patient.Given }

// Answers reports whether To has a program that hears the scene.
func (x Scene) Answers() bool { return x.hear != nil }
