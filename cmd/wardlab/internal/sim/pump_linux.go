package sim

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// Ports of the pump server.
const (
	hl7Port = 2575
	tlsPort = 443
)

// Pump reports its infusion once a second over a lasting HL7 connection, and
// fetches its drug library by TLS every few seconds, until ctx ends. One report
// goes out in IP fragments.
func (s *Stage) Pump(ctx context.Context) error {
	var conn net.Conn
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	n := 0
	// One after the other in one goroutine: while the card's MTU is lowered for
	// the fragments, nothing else of the pump may be under way.
	every(ctx, time.Second, func() {
		n++
		switch {
		case n == 3:
			s.report(ctx, Talk{cast.Pump, cast.PumpServer, "tcp/2575", "HL7 report in IP fragments acknowledged", s.fragmented(ctx, n)})
		case n%4 == 2:
			s.report(ctx, Talk{cast.Pump, cast.PumpServer, "tcp/443", "TLS session", s.library(ctx)})
		}
		var err error
		if conn == nil {
			conn, err = s.dial(ctx, cast.Pump, cast.PumpServer, hl7Port, time.Hour)
		}
		if err == nil {
			err = s.send(conn, n, 0)
		}
		if err != nil && conn != nil {
			// A pump opens a new connection at its next report; that it had to
			// shows in the witnesses' counts.
			conn.Close()
			conn = nil
		}
		s.report(ctx, Talk{cast.Pump, cast.PumpServer, "tcp/2575", "HL7 report acknowledged", err})
	})
	return nil
}

// send writes one report in three TCP segments and waits for its acceptance.
func (s *Stage) send(c net.Conn, n, padding int) error {
	pump, server := s.host(cast.Pump).Member, s.host(cast.PumpServer).Member
	patient := s.Ward.Cast.Patient
	control := fmt.Sprintf("%08d", n)
	r := wire.PumpReport{App: "BBRAUN_SPACE", Facility: "BBRAUN", EUI: pump.MAC.EUI64(0xFFFE), Receiver: server.Name,
		Control: control, Time: hl7Time(), Model: pump.Model, Serial: pump.Serial,
		UDI: "04046955000012", Lot: "2" + pump.Serial[:4], Made: "20190312", Expires: "20290312",
		Family: patient.Family, Given: patient.Given, PatientID: patient.ID, Drug: "Norepinephrine",
		Rate: 3.5 + float64(n%7)/10, Padding: padding}
	message := wire.MLLP(r.ORU())
	cut := []int{len(message) / 3, 2 * len(message) / 3, len(message)}
	if padding > 0 {
		cut = cut[2:] // one write: the segments shall be as long as they can be
	}
	from := 0
	for _, to := range cut {
		if _, err := c.Write(message[from:to]); err != nil {
			return fmt.Errorf("send report: %w", err)
		}
		from = to
		time.Sleep(5 * time.Millisecond) // so that the kernel does not join them
	}
	answer, err := readMLLP(c, nil)
	if err != nil {
		return fmt.Errorf("await acknowledgement: %w", err)
	}
	if got, accepted := wire.AckedControl(answer); got != control || !accepted {
		return errNotAccepted
	}
	return nil
}

// errNotAccepted says that a report was answered, but not with acceptance.
var errNotAccepted = errors.New("report not accepted")

// hl7Time is now as an HL7 DTM.
func hl7Time() string { return time.Now().UTC().Format("20060102150405+0000") }

// fragmentMTU is the MTU of the pump's card while it fragments, octets.
const fragmentMTU = 620

// fragmented sends one long report whose TCP segments are longer than the
// card's MTU, with don't-fragment clear: what a path with a narrow link does.
// The segment size it announces stays small, so that nothing longer than the
// card's MTU comes back.
func (s *Stage) fragmented(ctx context.Context, n int) (err error) {
	h, server := s.host(cast.Pump), s.host(cast.PumpServer)
	if err := h.SetMTU(fragmentMTU); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, h.RouteMTU(server.Addr, 0, 0), h.SetMTU(1500))
	}()
	if err := h.RouteMTU(server.Addr, 1500, fragmentMTU-40); err != nil {
		return err
	}
	c, err := s.dialWith(ctx, cast.Pump, cast.PumpServer, hl7Port, 5*time.Second, ward.MayFragment)
	if err != nil {
		return err
	}
	defer c.Close()
	return s.send(c, 1000+n, 2200)
}

// library is one TLS session with a request and an answer.
func (s *Stage) library(ctx context.Context) error {
	c, err := s.dial(ctx, cast.Pump, cast.PumpServer, tlsPort, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	name := s.host(cast.PumpServer).Name + "." + s.Ward.Cast.Domain
	// The lab's certificate is made anew for each run and signed by nobody; the
	// handshake on the wire is a real one all the same.
	t := tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err := t.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("tls handshake: %w", err)
	}
	if _, err := fmt.Fprintf(t, "GET /druglibrary/version HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", name); err != nil {
		return fmt.Errorf("tls request: %w", err)
	}
	if _, err := io.ReadAll(io.LimitReader(t, 64<<10)); err != nil {
		return fmt.Errorf("tls answer: %w", err)
	}
	return nil
}

// messageLimit bounds what a stream may hold without a whole message.
const messageLimit = 64 << 10

// readMLLP reads one message; buf holds what was read before.
func readMLLP(c io.Reader, buf []byte) ([]byte, error) {
	b := make([]byte, 4096)
	for {
		msg, _, ok, err := wire.CutMLLP(buf)
		if err != nil || ok {
			return bytes.Clone(msg), err
		}
		if len(buf) > messageLimit {
			return nil, errLong
		}
		n, err := c.Read(b)
		if err != nil {
			return nil, err
		}
		buf = append(buf, b[:n]...)
	}
}

var errLong = errors.New("message longer than 64 KiB")
