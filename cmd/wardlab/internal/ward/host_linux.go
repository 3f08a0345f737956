package ward

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// link is the name of every host's network card.
const link = "eth0"

// Host is one host of the ward, in a namespace of its own.
type Host struct {
	cast.Member
	ns *namespace
}

// Do runs fn in the host's namespace.
func (h *Host) Do(fn func() error) error { return h.ns.do(fn) }

// Dial connects from the host. control may be nil; it sees the socket before
// it connects.
func (h *Host) Dial(ctx context.Context, network, addr string, control func(network, addr string, c syscall.RawConn) error) (net.Conn, error) {
	var conn net.Conn
	err := h.Do(func() (err error) {
		// One address, no name: the dial stays on this thread.
		conn, err = (&net.Dialer{Control: control}).DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// DialFrom connects from one of the host's addresses; the zero Addr leaves the
// choice to the kernel.
func (h *Host) DialFrom(ctx context.Context, from netip.Addr, network, addr string) (net.Conn, error) {
	var conn net.Conn
	err := h.Do(func() (err error) {
		var d net.Dialer
		if from.IsValid() {
			d.LocalAddr = &net.TCPAddr{IP: from.AsSlice()}
		}
		conn, err = d.DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// Listen opens a stream listener of the host.
func (h *Host) Listen(ctx context.Context, port uint16) (net.Listener, error) {
	var l net.Listener
	err := h.Do(func() (err error) {
		var lc net.ListenConfig
		lc.SetMultipathTCP(false) // plain TCP, as devices speak it
		l, err = lc.Listen(ctx, "tcp4", fmt.Sprintf(":%d", port))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%v: listen on tcp/%d: %w", h.Part, port, err)
	}
	return l, nil
}

// ListenUDP opens a datagram socket that may broadcast; port 0 is any.
func (h *Host) ListenUDP(ctx context.Context, port uint16) (*net.UDPConn, error) {
	var c net.PacketConn
	err := h.Do(func() (err error) {
		lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) error {
			if err := setsockopt(rc, syscall.SOL_SOCKET, syscall.SO_BROADCAST, 1); err != nil {
				return err
			}
			// Limited broadcasts and multicasts leave through the card without
			// a route that says so.
			return bindToCard(rc)
		}}
		c, err = lc.ListenPacket(ctx, "udp4", fmt.Sprintf(":%d", port))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%v: listen on udp/%d: %w", h.Part, port, err)
	}
	return c.(*net.UDPConn), nil
}

// ListenICMP opens a raw ICMP socket.
func (h *Host) ListenICMP(ctx context.Context) (net.PacketConn, error) {
	var c net.PacketConn
	err := h.Do(func() (err error) {
		c, err = new(net.ListenConfig).ListenPacket(ctx, "ip4:icmp", "0.0.0.0")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%v: open icmp socket: %w", h.Part, err)
	}
	return c, nil
}

// Join subscribes the socket to a multicast group and sends to it through the
// host's card with that TTL.
func (h *Host) Join(c *net.UDPConn, group netip.Addr, ttl int) error {
	rc, err := c.SyscallConn()
	if err != nil {
		return fmt.Errorf("%v: join %v: %w", h.Part, group, err)
	}
	mreq := &syscall.IPMreq{Multiaddr: group.As4()}
	if h.Addr.IsValid() {
		mreq.Interface = h.Addr.As4()
	}
	var serr error
	if err := rc.Control(func(fd uintptr) {
		if serr = syscall.SetsockoptIPMreq(int(fd), syscall.IPPROTO_IP, syscall.IP_ADD_MEMBERSHIP, mreq); serr == nil {
			serr = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_MULTICAST_TTL, ttl)
		}
	}); err != nil {
		return fmt.Errorf("%v: join %v: %w", h.Part, group, err)
	}
	if serr != nil {
		return fmt.Errorf("%v: join %v: %w", h.Part, group, serr)
	}
	return nil
}

// setsockopt sets one integer option.
func setsockopt(rc syscall.RawConn, level, opt, value int) error {
	var serr error
	if err := rc.Control(func(fd uintptr) { serr = syscall.SetsockoptInt(int(fd), level, opt, value) }); err != nil {
		return err
	}
	return serr
}

// bindToCard ties a socket to the host's card.
func bindToCard(rc syscall.RawConn) error {
	var serr error
	if err := rc.Control(func(fd uintptr) { serr = syscall.BindToDevice(int(fd), link) }); err != nil {
		return err
	}
	return serr
}

// ipPMTUDiscOmit is IP_PMTUDISC_OMIT of linux/in.h: don't-fragment stays clear
// and the interface's MTU decides, not the path's.
const ipPMTUDiscOmit = 5

// MayFragment is a Dial control: packets longer than the card's MTU leave in
// fragments.
func MayFragment(_, _ string, rc syscall.RawConn) error {
	return setsockopt(rc, syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER, ipPMTUDiscOmit)
}

// netlinkDo runs fn with the host's card.
func (h *Host) netlinkDo(what string, fn func(l netlink.Link) error) error {
	err := h.Do(func() error {
		l, err := netlink.LinkByName(link)
		if err != nil {
			return err
		}
		return fn(l)
	})
	if err != nil {
		return fmt.Errorf("%v: %s: %w", h.Part, what, err)
	}
	return nil
}
