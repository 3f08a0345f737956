package uplink

import (
	"net"
	"syscall"
	"time"
)

// netDialer opens connections on which data that stays unacknowledged for 30 s
// ends the connection: TCP alone would go on for a quarter of an hour.
func netDialer() *net.Dialer {
	const tcpUserTimeout = 18 // linux/tcp.h, in milliseconds
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control: func(_, _ string, c syscall.RawConn) error {
			var serr error
			err := c.Control(func(fd uintptr) {
				serr = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, 30_000)
			})
			if err != nil {
				return err
			}
			return serr
		},
	}
}
