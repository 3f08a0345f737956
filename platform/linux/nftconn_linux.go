package linux

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// nftTimeout bounds an exchange with the kernel when the context does not: a
// lost acknowledgement must not stop enforcement for ever.
const nftTimeout = 10 * time.Second

// nftConn is one netlink connection to nftables. The library does not say which
// socket it uses, so it is caught while it is being opened.
type nftConn struct {
	*nftables.Conn
	raw  *netlink.Conn
	port uint32 // netlink port id, unique in the namespace while the socket is open
}

func dialNFT(buffer int) (*nftConn, error) {
	c := &nftConn{}
	conn, err := nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(raw *netlink.Conn) error {
		c.raw = raw
		return tune(raw, buffer)
	}))
	if err != nil {
		if c.raw != nil {
			_ = c.raw.Close()
		}
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	c.Conn = conn
	if c.port, err = portOf(c.raw); err != nil {
		c.close()
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	return c, nil
}

// tune makes the buffers as large as asked and allowed: with the default size
// about 200 messages lose their acknowledgements although they are committed.
func tune(raw *netlink.Conn, buffer int) error {
	if err := raw.SetReadBuffer(buffer); err != nil {
		return fmt.Errorf("set read buffer: %w", err)
	}
	if err := raw.SetWriteBuffer(buffer); err != nil {
		return fmt.Errorf("set write buffer: %w", err)
	}
	// Errors say why, where the kernel knows.
	if err := raw.SetOption(netlink.ExtendedAcknowledge, true); err != nil {
		return fmt.Errorf("set extended acknowledgement: %w", err)
	}
	return nil
}

func portOf(raw *netlink.Conn) (uint32, error) {
	sys, err := raw.SyscallConn()
	if err != nil {
		return 0, err
	}
	var name unix.Sockaddr
	var nameErr error
	if err := sys.Control(func(fd uintptr) { name, nameErr = unix.Getsockname(int(fd)) }); err != nil {
		return 0, err
	}
	if nameErr != nil {
		return 0, fmt.Errorf("getsockname: %w", nameErr)
	}
	addr, ok := name.(*unix.SockaddrNetlink)
	if !ok {
		return 0, errors.New("getsockname: not a netlink socket")
	}
	return addr.Pid, nil
}

// until lets the exchange end with the context, or after nftTimeout. Call what
// it returns when the exchange is over.
func (c *nftConn) until(ctx context.Context) (done func() bool) {
	deadline := time.Now().Add(nftTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = c.raw.SetDeadline(deadline)
	return context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(time.Unix(1, 0)) })
}

func (c *nftConn) close() { _ = c.CloseLasting() }

// errDumpChanged: the rules changed while they were read.
var errDumpChanged = errors.New("ruleset changed while it was read")

// request asks one nftables question; a dump returns many messages.
func (c *nftConn) request(kind uint16, family byte, flags netlink.HeaderFlags, attrs ...netlink.Attribute) ([]netlink.Message, error) {
	body, err := netlink.MarshalAttributes(attrs)
	if err != nil {
		return nil, err
	}
	replies, err := c.raw.Execute(netlink.Message{
		Header: netlink.Header{
			Type:  netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | kind),
			Flags: netlink.Request | flags,
		},
		Data: append([]byte{family, unix.NFNETLINK_V0, 0, 0}, body...),
	})
	if err != nil {
		return nil, err
	}
	for _, r := range replies {
		if r.Header.Flags&netlink.DumpInterrupted != 0 {
			return nil, errDumpChanged
		}
		if len(r.Data) < 4 {
			return nil, errors.New("netlink message without its header")
		}
	}
	return replies, nil
}

// text is a netlink string attribute.
func text(kind uint16, s string) netlink.Attribute {
	return netlink.Attribute{Type: kind, Data: append([]byte(s), 0)}
}
