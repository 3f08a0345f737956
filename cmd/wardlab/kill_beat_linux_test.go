package main

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// beatPort is discard (RFC 863): between a pump and its server everything
// passes, whatever the service.
const beatPort = 9

// heartbeat is numbered datagrams from the pump to its server, close enough to
// one another that no death of the agent falls between two.
type heartbeat struct {
	from, to *net.UDPConn
	at       netip.AddrPort

	mu   sync.Mutex
	next int          // number of the next
	got  map[int]bool // at the server
}

func newHeartbeat(ctx context.Context, w *ward.Ward, c *cast.Cast) (*heartbeat, error) {
	from, err := w.Host(cast.Pump).ListenUDP(ctx, 0)
	if err != nil {
		return nil, err
	}
	to, err := w.Host(cast.PumpServer).ListenUDP(ctx, beatPort)
	if err != nil {
		from.Close()
		return nil, err
	}
	return &heartbeat{from: from, to: to, at: netip.AddrPortFrom(c.Member(cast.PumpServer).Addr, beatPort), got: map[int]bool{}}, nil
}

// run sends until ctx ends.
func (h *heartbeat) run(ctx context.Context) error {
	t := time.NewTicker(25 * time.Millisecond)
	defer t.Stop()
	for {
		h.mu.Lock()
		n := h.next
		h.next++
		h.mu.Unlock()
		if _, err := h.from.WriteToUDPAddrPort(binary.BigEndian.AppendUint32(nil, uint32(n)), h.at); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// hear takes them at the server, until ctx ends.
func (h *heartbeat) hear(ctx context.Context) error {
	defer h.from.Close()
	stop := context.AfterFunc(ctx, func() { h.to.Close() })
	defer stop()
	b := make([]byte, 64)
	for {
		n, err := h.to.Read(b)
		if err != nil {
			return err
		}
		if n == 4 {
			h.mu.Lock()
			h.got[int(binary.BigEndian.Uint32(b))] = true
			h.mu.Unlock()
		}
	}
}

// sent is how many were sent, or are just being.
func (h *heartbeat) sent() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.next
}

// unheard is how many of the numbers from..to-1 are not at the server.
func (h *heartbeat) unheard(from, to int) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := from; i < to; i++ {
		if !h.got[i] {
			n++
		}
	}
	return n
}
