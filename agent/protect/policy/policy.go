package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Policy is a checked policy file.
type Policy struct {
	Version  int
	Peers    []Peer    // by name
	Segments []Segment // as written
	Default  Mode      // of devices that no segment takes: Observe or Stage
	Source   []byte    `json:"-"` // the file, to be kept with the rules made of it
}

// Peer is a named other side.
type Peer struct {
	Name string
	// Addresses lie behind the uplink, unless Device says otherwise; Standby are
	// those of disaster recovery, allowed as well.
	Addresses, Standby []netip.Prefix
	// Clinical: with a life-sustaining device it makes an exempt pair. All its
	// addresses are single ones.
	Clinical bool
	// Device is set for a peer on the ward, matched by MAC and address. Its
	// addresses come from Addresses, or else from the inventory.
	Device device.ID
	MAC    fact.MAC
}

// All are the addresses and those of the standby.
func (p *Peer) All() []netip.Prefix {
	return append(append([]netip.Prefix(nil), p.Addresses...), p.Standby...)
}

// Segment is a set of devices with one allow-list.
type Segment struct {
	Name    string
	Roles   []device.Role
	Tags    []string
	Devices []device.ID
	Mode    Mode
	Allow   []Allow
}

// Allow is one entry of an allow-list.
type Allow struct {
	Dir      Direction
	Kind     TargetKind
	Name     string // of the peer, segment or group; "any", "any-internal"
	Services []Service
}

// String writes the entry as one line.
func (a Allow) String() string {
	list := make([]string, len(a.Services))
	for i, s := range a.Services {
		list[i] = s.String()
	}
	return strings.TrimSpace(a.Dir.String() + " " + a.Name + " " + strings.Join(list, " "))
}

// TargetKind says what the other side of an Allow is.
type TargetKind uint8

// Kinds of targets.
const (
	PeerTarget     TargetKind = iota + 1
	SegmentTarget             // the devices of a segment of this ward
	GroupTarget               // a named multicast or broadcast group
	AnyTarget                 // every address
	InternalTarget            // the site's networks
)

// peer finds a peer by name, nil if there is none.
func (p *Policy) peer(name string) *Peer {
	for i := range p.Peers {
		if p.Peers[i].Name == name {
			return &p.Peers[i]
		}
	}
	return nil
}

// Segment finds a segment by name, nil if there is none.
func (p *Policy) Segment(name string) *Segment {
	for i := range p.Segments {
		if p.Segments[i].Name == name {
			return &p.Segments[i]
		}
	}
	return nil
}

// targets are the names that an allow entry may have.
func (p *Policy) targets() []string {
	out := []string{"any", "any-internal"}
	for _, q := range p.Peers {
		out = append(out, q.Name)
	}
	for _, s := range p.Segments {
		out = append(out, s.Name)
	}
	for _, g := range groups() {
		out = append(out, g.Name)
	}
	return out
}

// clinicalPeers are the peers marked clinical which the segment's own allow-list
// names, whatever the service there.
func (p *Policy) clinicalPeers(s *Segment) []*Peer {
	var out []*Peer
	seen := map[string]bool{}
	for _, a := range s.Allow {
		if a.Kind != PeerTarget || seen[a.Name] {
			continue
		}
		seen[a.Name] = true
		if q := p.peer(a.Name); q.Clinical {
			out = append(out, q)
		}
	}
	return out
}

// hash names the content of v.
func hash(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // only plain structs of this package come here
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}
