package fake

import "github.com/wardkeeper/wardkeeper/platform"

// Host is a box in memory. Its fields are the parts, with their knobs.
type Host struct {
	Ports    *Ports
	Firewall *Firewall
	Clock    *Clock
	Serial   *Serial
	Disk     *Disk
	Self     *Self
}

// New returns a box that was just switched on: no ports, no serial lines.
func New() *Host {
	clock := newClock()
	return &Host{
		Ports:    newPorts(clock),
		Firewall: NewFirewall(clock),
		Clock:    clock,
		Serial:   newSerial(),
		Disk:     newDisk(),
		Self:     newSelf(),
	}
}

// Host returns what the agent sees of the box.
func (h *Host) Host() platform.Host {
	return platform.Host{
		Capture:  h.Ports,
		Firewall: h.Firewall,
		Links:    h.Ports,
		Clock:    h.Clock,
		Serial:   h.Serial,
		Disk:     h.Disk,
		Self:     h.Self,
	}
}
