package sim

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// Talk is one exchange between two hosts, tried and answered or not.
type Talk struct {
	From, To cast.Part
	Service  string // "tcp/2575"
	What     string // "HL7 report acknowledged"
	Err      error  // nil: answered
}

// Stage is what every simulator is given.
type Stage struct {
	Ward   *ward.Ward
	Report func(Talk) // safe for concurrent use
}

func (s *Stage) host(p cast.Part) *ward.Host { return s.Ward.Host(p) }

func (s *Stage) report(ctx context.Context, t Talk) {
	if t.Err != nil && ctx.Err() != nil {
		return // the end of the run is no failure of the network
	}
	s.Report(t)
}

// dialTimeout is how long a device waits for its server.
const dialTimeout = 3 * time.Second

// dial opens a stream to a host and bounds its whole life, so that no silence
// of a peer can hold a simulator.
func (s *Stage) dial(ctx context.Context, from, to cast.Part, port uint16, life time.Duration) (net.Conn, error) {
	return s.dialWith(ctx, from, to, port, life, nil)
}

func (s *Stage) dialWith(ctx context.Context, from, to cast.Part, port uint16, life time.Duration, control controlFunc) (net.Conn, error) {
	dctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	at := netAddr(s.host(to).Addr, port)
	c, err := s.host(from).Dial(dctx, "tcp4", at, control)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(life)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// every calls fn now and then once a period until ctx ends.
func every(ctx context.Context, period time.Duration, fn func()) {
	t := time.NewTicker(period)
	defer t.Stop()
	for ctx.Err() == nil {
		fn()
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
}

// serve accepts until ctx ends and gives each connection a goroutine.
func serve(ctx context.Context, l net.Listener, handle func(net.Conn)) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		go func() {
			end := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now().Add(drain)) })
			defer end()
			defer c.Close()
			handle(c)
		}()
	}
}

// drain is how long a server may still answer after the run has ended: its
// clients stop first, and their last request deserves an answer.
const drain = 500 * time.Millisecond
