package console

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
)

// Source is what the console can see of the agent. No method may block.
type Source interface {
	Status() Status
	Inventory() *device.Snapshot // never nil
	Policy() Policy
	Denies() Denies
	Uplink() Uplink
}

// Status is the gateway on one screen.
type Status struct {
	Gateway, Site, Version, Mode string
	Lab                          bool
	Now                          clock.Stamp
	Running                      time.Duration // of the agent; since boot is in Now
	Conditions                   []health.Condition
	Ports                        []Port
	Firmware                     Firmware
	Synced                       bool // the kernel holds the wall clock to be set by a time server
}

// Firmware is what the gateway was started from.
type Firmware struct {
	Slot, Image, Kernel string // "" where that is not known
	Rescue              string // why nothing is filtered; "" where the rules are in place
}

// Port is one port of the gateway.
type Port struct {
	Name, Use       string // Use: "ward", "uplink"
	Up              bool
	Capture         string // mode, "" where nothing is captured now
	Frames, Dropped uint64
}

// Policy is what the kernel filters by.
type Policy struct {
	Version    int    // 0: no policy
	InForce    bool   // the kernel agreed with it when it was last asked
	Generation uint64 // of the ruleset in force
	Result     string // "applied", "repaired", "refused"; "" before the first
	Reason     string
	Since      time.Time
	Default    string // mode of what no segment names
	Segments   []Segment
	Open       time.Duration // break-glass lets everything pass for so long from now
	Openings   []string      // of single ports and devices, one line each
	Quarantine []Quarantined // by device
	Root       uint64        // version of the root of trust; 0: nobody is obeyed from afar
}

// Quarantined is a device that is cut off.
type Quarantined struct {
	Device        device.ID
	Owner, Reason string
	Left          time.Duration
	Interlock     bool     // its clinical flows as well
	Outside       []string // what the network was asked for, one line a hook
}

// Segment is one segment of the policy.
type Segment struct {
	Name, Mode        string
	Devices, Enforced int      // Enforced: of Devices, those fenced in now
	Allow             []string // one line a rule, in the policy's words
	Denied, WouldDeny uint64   // packets
}

// Denies are the packets that the policy refused, or would have.
type Denies struct {
	Denied, WouldDeny uint64       // packets, exact
	Recent            []event.Deny // newest first
}

// Uplink is the way to the broker, and what waits for it.
type Uplink struct {
	Broker           string // "" for none
	Connected        bool
	Since            time.Time
	LastError        string
	InFlight         int
	Acked            uint64
	LastAck          time.Time
	Classes          []Class
	Bytes, Cap       int64
	Store            string // "file" or "memory only"
	Epoch            string
	Damaged, Refused uint64
	WaitingInMemory  int
	NoRoom           bool
	Identity         Identity
}

// Identity is who the gateway is to the broker.
type Identity struct {
	State       string // one line, "" where the broker asks for no certificate
	Fingerprint string // of the gateway's key
	Request     string // for a certificate, PEM; "" while there is none
}

// Class is one class of events in the outbox.
type Class struct {
	Name                              string
	Committed, Waiting, Evicted, Lost uint64
}
