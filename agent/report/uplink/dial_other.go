//go:build !linux

package uplink

import (
	"net"
	"time"
)

// netDialer opens connections that TCP itself finds dead after 30 s of silence.
func netDialer() *net.Dialer {
	return &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
}
