package sim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// User agents of the PC's programs.
const (
	browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36 Edg/128.0.0.0"
	spooler = "Internet Print Provider"
)

// PC looks up and reads the intranet, prints, and talks to its neighbour behind
// the same switch, until ctx ends.
func (s *Stage) PC(ctx context.Context) error {
	every(ctx, 2*time.Second, func() {
		s.report(ctx, Talk{cast.PC, cast.Infra, "udp/53", "DNS answer", s.lookup(ctx)})
		s.report(ctx, Talk{cast.PC, cast.Infra, "tcp/80", "web page", s.browse(ctx)})
		s.report(ctx, Talk{cast.PC, cast.Printer, "tcp/631", "print job", s.print(ctx, cast.PC, spooler)})
		s.report(ctx, Talk{cast.PC, cast.Intruder, "tcp/445", "file share of the neighbour", s.knock(ctx, cast.PC, cast.Intruder, 445)})
	})
	return nil
}

func (s *Stage) lookup(ctx context.Context) error {
	c, err := s.host(cast.PC).ListenUDP(ctx, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	name := "intranet." + s.Ward.Cast.Domain
	return ask(c, netip.AddrPortFrom(s.host(cast.Infra).Addr, 53), 53, wire.Query(uint16(time.Now().UnixNano()), name))
}

func (s *Stage) browse(ctx context.Context) error {
	c, err := s.dial(ctx, cast.PC, cast.Infra, 80, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://intranet."+s.Ward.Cast.Domain+"/", nil)
	if err != nil {
		return err
	}
	return roundTrip(c, r, browser)
}

// knock opens a connection and closes it.
func (s *Stage) knock(ctx context.Context, from, to cast.Part, port uint16) error {
	c, err := s.dial(ctx, from, to, port, time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}

// roundTrip sends a request over an open connection and reads its answer.
func roundTrip(c net.Conn, r *http.Request, userAgent string) error {
	r.Header.Set("User-Agent", userAgent)
	r.Close = true
	if err := r.Write(c); err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), r)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answer %s", resp.Status)
	}
	return nil
}

// Intranet is the web server and the name server on the uplink, until ctx ends.
func (s *Stage) Intranet(ctx context.Context) error {
	h := s.host(cast.Infra)
	l, err := h.Listen(ctx, 80)
	if err != nil {
		return err
	}
	names, err := h.ListenUDP(ctx, 53)
	if err != nil {
		return err
	}
	// Two services on one host, as small hospitals run them.
	server := &http.Server{ReadTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "nginx/1.22.1")
		io.WriteString(w, "<html><title>Intranet</title></html>\n")
	})}
	stop := context.AfterFunc(ctx, func() { server.Close(); names.Close() })
	defer stop()
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := names.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if reply, ok := wire.Answer(b[:n], h.Addr); ok {
				names.WriteToUDPAddrPort(reply, from)
			}
		}
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("intranet: %w", err)
	}
	return nil
}
