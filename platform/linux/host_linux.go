package linux

import "github.com/wardkeeper/wardkeeper/platform"

// Options are the choices of a host; the zero value is a good one.
type Options struct {
	// Sys is where sysfs is mounted, "" for /sys.
	Sys string
	// Firewall are the choices of the firewall.
	Firewall FirewallOptions
}

// New returns the host this process runs on, in its network namespace. It
// opens nothing yet.
func New(opt Options) platform.Host {
	if opt.Sys == "" {
		opt.Sys = "/sys"
	}
	return platform.Host{
		Capture:  capturer{},
		Firewall: NewFirewall(opt.Firewall),
		Links:    links{sys: opt.Sys},
		Clock:    newClock(),
		Serial:   serial{},
		Disk:     disk{},
		Self:     self{},
		Dial:     dial,
		Prompt:   prompt,
	}
}
