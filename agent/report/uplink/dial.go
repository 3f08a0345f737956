package uplink

import (
	"net"
	"time"
)

// netDialer opens connections that TCP itself finds dead after 30 s of silence.
// What waits for an acknowledgement is bounded above it: a write by writeLimit,
// a message by ackLimit, a ping by pingTimeout.
func netDialer() *net.Dialer {
	return &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
}
