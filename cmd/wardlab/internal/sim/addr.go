package sim

import (
	"net/netip"
	"syscall"
)

// controlFunc sees a socket before it connects.
type controlFunc = func(network, addr string, c syscall.RawConn) error

func netAddr(a netip.Addr, port uint16) string { return netip.AddrPortFrom(a, port).String() }
