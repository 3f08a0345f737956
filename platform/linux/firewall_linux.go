package linux

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

var _ platform.Firewall = (*Firewall)(nil)

// FirewallOptions are the choices of a Firewall; the zero value is a good one.
type FirewallOptions struct {
	// SocketBuffer is the size of the sending and the receiving buffer of its
	// netlink sockets, in bytes; 0 for 64 MiB. Outside the first user namespace
	// the kernel cuts it down to net.core.wmem_max and rmem_max.
	SocketBuffer int
}

// Firewall is nftables, in the network namespace of the process.
type Firewall struct {
	buffer int

	mu sync.Mutex // one transaction at a time
	// batch carries the transactions. It stays open so that its port id, by
	// which Watch knows our own changes, cannot become anyone else's. After an
	// error it is closed: it may hold answers that nobody waits for any more.
	batch *nftConn
	port  atomic.Uint32 // its port id, 0 while there is none
}

// NewFirewall returns a client of nftables. It opens nothing yet.
func NewFirewall(opt FirewallOptions) *Firewall {
	buffer := opt.SocketBuffer
	if buffer == 0 {
		buffer = 64 << 20
	}
	return &Firewall{buffer: buffer}
}

// Apply commits the change in one transaction.
func (f *Firewall) Apply(ctx context.Context, change platform.Change) error {
	if err := change.Validate(); err != nil {
		return fmt.Errorf("apply to table %s: %w", change.Table, err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("apply to table %s: %w", change.Table, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.apply(ctx, change); err != nil {
		return fmt.Errorf("apply %d steps to table %s: %w", len(change.Steps), change.Table, err)
	}
	return nil
}

func (f *Firewall) apply(ctx context.Context, change platform.Change) error {
	if len(change.Steps) == 0 {
		return nil
	}
	w, err := newWriter(change)
	if err != nil {
		return err
	}
	if w.needsSets() {
		if err := w.learnSets(ctx, f.buffer); err != nil {
			return err
		}
	}
	if f.batch == nil {
		if f.batch, err = dialNFT(f.buffer); err != nil {
			return err
		}
		f.port.Store(f.batch.port)
	}
	defer f.batch.until(ctx)()
	if err = w.write(f.batch.Conn); err == nil {
		err = f.batch.Flush()
		err = verdictOf(err)
	}
	if err != nil {
		// Also empties what write may have left buffered.
		f.port.Store(0)
		f.batch.close()
		f.batch = nil
	}
	return err
}

// verdictOf says what the error of a flush proves. The kernel aborts the whole
// batch when it answers any message of it with an error. Everything else, such
// as ENOBUFS on the socket, leaves open what became of the transaction.
func verdictOf(err error) error {
	if err == nil {
		return nil
	}
	var op *netlink.OpError
	if !errors.As(err, &op) {
		return fmt.Errorf("%w: %w", platform.ErrStateUnknown, err)
	}
	if errors.Is(op, unix.EMSGSIZE) && strings.HasPrefix(op.Op, "send") {
		return fmt.Errorf("%w: %w", platform.ErrTooLarge, err)
	}
	// An errno out of a netlink message comes bare, one of a system call does not.
	switch errno, answered := op.Err.(syscall.Errno); {
	case !answered || errno == unix.ENOBUFS:
		return fmt.Errorf("%w: %w", platform.ErrStateUnknown, err)
	case errno == unix.EOPNOTSUPP:
		return fmt.Errorf("%w: %w", platform.ErrUnsupported, err)
	}
	return err
}
