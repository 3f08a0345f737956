package linux

import (
	"context"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// userTimeout is how long sent data may stay without an acknowledgement (tcp(7),
// TCP_USER_TIMEOUT): without it the kernel repeats it for a quarter of an hour
// before it believes that the peer is gone.
const userTimeout = 30 * time.Second

// dial opens a connection that finds its peer dead after 30 s: of data without
// an acknowledgement, or of silence without an answer to keep-alive probes.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control: func(network, _ string, raw syscall.RawConn) error {
			var err error
			cerr := raw.Control(func(fd uintptr) {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout/time.Millisecond))
			})
			if cerr != nil {
				return cerr
			}
			return err
		},
	}
	return d.DialContext(ctx, network, address)
}
