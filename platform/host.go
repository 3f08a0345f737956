package platform

import (
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// Host bundles everything the agent may ask of the operating system.
type Host struct {
	Capture  Capture
	Firewall Firewall
	Links    Links
	Clock    Clock
	Serial   Serial
	Disk     Disk
	Self     Self
	// Dial opens connections to peers that may vanish without a word; nil: as
	// package net does it. It has the signature of net.Dialer.DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Prompt asks the station with that MAC, on the named port, to authenticate
	// again by 802.1X; nil: the host cannot. It is the only frame that the agent
	// sends on a ward port. The error wraps ErrNoPort if there is no such port.
	Prompt func(ctx context.Context, port string, mac [6]byte) error
}

// ErrNoPort says that no network port of that name exists (now).
var ErrNoPort = errors.New("no such port")

// Links reads the network ports of the box. It changes nothing.
type Links interface {
	// Link describes one port; the error wraps ErrNoPort if there is none.
	Link(name string) (Link, error)
	// Links lists all ports of the network namespace, sorted by name.
	Links() ([]Link, error)
	// Watch sends a value after any port appeared, vanished or changed, until
	// ctx ends and the channel is closed. Several changes may share one value.
	Watch(ctx context.Context) (<-chan struct{}, error)
}

// Link is a network port as the kernel describes it.
type Link struct {
	Name    string
	Index   int // changes when a port vanishes and returns
	MAC     [6]byte
	Up      bool   // administratively up
	Carrier bool   // a peer is there
	Master  string // the bridge it belongs to, or ""
	// Bus is the subsystem of /sys/class/net/NAME/device: "pci", "usb",
	// "virtio", …; "" where the port has no hardware behind it (veth, bridge).
	Bus string
}

// Clock tells wall time, time since boot, and which boot it is.
type Clock interface {
	// Now is the wall clock, good or not.
	Now() time.Time
	// Mono is the time since boot, suspended time included. It never jumps.
	Mono() time.Duration
	// Synced reports whether the kernel holds the wall clock to be
	// synchronised (adjtimex without STA_UNSYNC).
	Synced() bool
	// BootID names this boot; it is another after each reboot.
	BootID() string
}

// Serial opens serial lines and pseudo-terminals.
type Serial interface {
	// Open opens the device raw, 8N1 without flow control, exclusively.
	Open(device string, baud int) (SerialPort, error)
}

// SerialPort is an open serial line. Close ends a blocked Read or Write.
type SerialPort interface {
	io.ReadWriteCloser
	// SetWriteDeadline bounds every Write: a line stuck in XOFF must not hold
	// its writer for ever.
	SetWriteDeadline(t time.Time) error
}

// Disk tells of the file systems the agent writes to.
type Disk interface {
	// Usage describes the file system that holds path.
	Usage(path string) (DiskUsage, error)
}

// DiskUsage is a file system's state, in bytes.
type DiskUsage struct {
	Total, Free uint64 // Free: for unprivileged writers
	ReadOnly    bool
}

// Self is the agent's own process, and its binary, which can be run again for
// work that may not endanger this process (the preflight of a damaged database
// can end in an uncatchable fault).
type Self interface {
	// Run starts this binary with args and waits. The error says why it could
	// not start, that ctx ended, or how it exited, with the end of its stderr.
	Run(ctx context.Context, args ...string) error
	// Memory is what this process has in memory, in bytes: its resident set, with
	// the rings that it shares with the kernel. It is cheap.
	Memory() (uint64, error)
}
