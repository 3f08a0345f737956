package linux

import (
	"context"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Watch tells of transactions that were not ours. The kernel ends the report of
// each with a message that carries the port id of the netlink socket it came in
// by: that of our batch socket is ours for as long as it is open. (The process
// id in the same message is that of a thread, counted in the first pid
// namespace, and proves nothing.) After an Apply that failed on the socket its
// own change may be told too.
func (f *Firewall) Watch(ctx context.Context) (<-chan struct{}, error) {
	raw, err := dialEvents(f.buffer)
	if err != nil {
		return nil, fmt.Errorf("watch ruleset: %w", err)
	}
	changed := make(chan struct{}, 1)
	go f.watch(ctx, raw, changed)
	return changed, nil
}

func dialEvents(buffer int) (*netlink.Conn, error) {
	raw, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, err
	}
	if err = tune(raw, buffer); err == nil {
		err = raw.JoinGroup(unix.NFNLGRP_NFTABLES)
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return raw, nil
}

func (f *Firewall) watch(ctx context.Context, raw *netlink.Conn, changed chan<- struct{}) {
	defer close(changed)
	for {
		stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
		f.events(raw, changed)
		stop()
		_ = raw.Close()
		if ctx.Err() != nil {
			return
		}
		// What was missed may have been anything.
		signal(changed)
		var err error
		if raw, err = dialEvents(f.buffer); err != nil {
			return
		}
	}
}

// events reads until the socket fails or is closed.
func (f *Firewall) events(raw *netlink.Conn, changed chan<- struct{}) {
	for {
		messages, err := raw.Receive()
		switch {
		case errors.Is(err, unix.ENOBUFS):
			signal(changed)
		case err != nil:
			return
		}
		for _, m := range messages {
			const generation = unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWGEN
			if m.Header.Type == generation && m.Header.PID != f.port.Load() {
				signal(changed)
			}
		}
	}
}

// signal never blocks: one waiting value tells of any number of changes.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
