package ward

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/vishvananda/netlink"
)

// Patch joins a loose port of the gateway to the network card of a virtual
// machine: one frame is one datagram between two unix sockets, as QEMU's
// -netdev dgram has it. It needs no right that the lab does not have.
type Patch struct {
	wire *Raw
	sock *net.UnixConn
	far  *net.UnixAddr
	done sync.WaitGroup
}

// NewPatch listens at near and sends to far, which need not be there yet:
// frames for nobody are lost, as on a cable.
func NewPatch(port, near, far string) (*Patch, error) {
	l, err := netlink.LinkByName(port)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", port, err)
	}
	// Frames for the hosts behind the gateway are not for this port's own MAC.
	if err := netlink.SetPromiscOn(l); err != nil {
		return nil, fmt.Errorf("open %s for all frames: %w", port, err)
	}
	wire, err := OpenRaw(port, 0)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(near); err != nil && !errors.Is(err, os.ErrNotExist) { // of an earlier run
		return nil, errors.Join(fmt.Errorf("patch %s: %w", port, err), wire.Close())
	}
	sock, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: near})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("patch %s: %w", port, err), wire.Close())
	}
	p := &Patch{wire: wire, sock: sock, far: &net.UnixAddr{Net: "unixgram", Name: far}}
	p.done.Go(p.toGuest)
	p.done.Go(p.fromGuest)
	return p, nil
}

// maxFrame is the longest frame of the lab, with room.
const maxFrame = 16 << 10

func (p *Patch) toGuest() {
	for b := make([]byte, maxFrame); ; {
		n, outgoing, err := p.wire.Read(b)
		var transient syscall.Errno // as while the port is down
		if err != nil && !errors.As(err, &transient) {
			return // closed
		}
		if err != nil || outgoing {
			continue
		}
		_, _ = p.sock.WriteToUnix(b[:n], p.far) // nobody there: lost
	}
}

func (p *Patch) fromGuest() {
	for b := make([]byte, maxFrame); ; {
		n, err := p.sock.Read(b)
		if err != nil {
			return // closed
		}
		_ = p.wire.Write(b[:n])
	}
}

// Close takes the cable out.
func (p *Patch) Close() error {
	err := errors.Join(p.sock.Close(), p.wire.Close())
	p.done.Wait()
	return err
}
