package device

import (
	"net/netip"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// ID names a device, the same on every gateway of a site: its globally
// administered MAC; otherwise a name local to the gateway ("local:<mac>").
type ID string

// IDOf is the id of a device known by its MAC.
func IDOf(m fact.MAC) ID {
	if m.Local() {
		return ID("local:" + m.String())
	}
	return ID(m.String())
}

// Device is one device as it is known at one moment. It is never changed:
// a new one takes its place in the next Snapshot.
type Device struct {
	ID        ID
	MAC       fact.MAC
	Port      string       // ward port it was last seen on
	Claimed   string       `json:"-"` // another that sends in its name now, "" for none: it may have been moved there
	VLAN      uint16       // 0 for untagged
	IPs       []netip.Addr // newest first, at most MaxIPs
	FirstSeen time.Time
	LastSeen  time.Time
	Facts     []Known // sorted by kind and value, at most MaxFacts
	Identity  Identity
	Pin       *Pin // a person's word about the role; nil: none
	Tags      []string
	// Conversations, most bytes first, at most MaxConversations.
	Conversations []Conversation
	// Utilisation is not kept with the device: after a restart it is found anew.
	Utilisation Utilisation `json:"-"`
}

// Bounds of what is kept of one device.
const (
	MaxIPs           = 8
	MaxFacts         = 96
	MaxConversations = 64
)

// Known is a fact as it is kept: value, not payload.
type Known struct {
	Kind     fact.Kind `json:"kind"`
	Value    string    `json:"value"`
	Personal bool      `json:"personal,omitempty"` // the value looked like a person's name and was not kept
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
}

// Pin is a person's statement of a role; it wins over all evidence.
type Pin struct {
	Role   Role   `json:"role"`
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// Marks are what people say of a device; they hold on every gateway of the site.
type Marks struct {
	Pin  *Pin // nil: none
	Tags []string
}

// Snapshot is the whole inventory at one moment, immutable.
type Snapshot struct {
	Seq     uint64   // grows with every change
	Devices []Device // sorted by ID
}

// Find returns the device with that id, or nil.
func (s *Snapshot) Find(id ID) *Device {
	lo, hi := 0, len(s.Devices)
	for lo < hi {
		if mid := (lo + hi) / 2; s.Devices[mid].ID < id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(s.Devices) && s.Devices[lo].ID == id {
		return &s.Devices[lo]
	}
	return nil
}
