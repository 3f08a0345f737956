package inventory

import (
	"cmp"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Classifier judges who a device is. It must be pure.
type Classifier interface {
	// Classify returns the identity of d by its facts. d.Identity is the one
	// before; since is how long that role has stood.
	Classify(d device.Device, since time.Duration) device.Identity
}

// Vendors names the registered owner of a MAC prefix, "" if there is none.
type Vendors interface {
	Vendor(mac [6]byte) string
}

// Limits bound the inventory.
type Limits struct {
	Devices int // in all
	PerPort int // on one port
}

// DefaultLimits fit a ward: a few hundred devices and room for a flood.
func DefaultLimits() Limits { return Limits{Devices: 4096, PerPort: 1024} }

// Stats counts what the bounds cost.
type Stats struct {
	Refused uint64 // sightings of new devices that found no room
	Evicted uint64 // unknown devices that gave way to new ones
}

// Book is the inventory without its goroutine.
type Book struct {
	limits   Limits
	classify Classifier
	vendors  Vendors
	events   event.Sink // nil: nobody listens
	byMAC    map[fact.MAC]*record
	perPort  map[string]int
	seq      uint64
	stats    Stats
}

// NewBook makes an empty inventory; events may be nil.
func NewBook(limits Limits, c Classifier, v Vendors, events event.Sink) *Book {
	return &Book{limits: limits, classify: c, vendors: v, events: events,
		byMAC: make(map[fact.MAC]*record), perPort: make(map[string]int)}
}

// Stats returns the counts so far.
func (b *Book) Stats() Stats { return b.stats }

// Apply merges one batch of an observer; now stamps the events it causes.
func (b *Book) Apply(batch fact.Batch, now clock.Stamp) {
	for _, s := range batch.Sightings {
		b.sight(batch.Port, s, now)
	}
	for _, f := range batch.Facts {
		r, ok := b.byMAC[f.MAC]
		if !ok {
			continue // not on a ward port: a peer, which is no device of ours
		}
		if r.add(f.Kind, f.Value.String(), f.Value.Personal(), time.Unix(0, f.Time).UTC()) {
			r.judge, r.changed = true, true
		}
	}
	for _, f := range batch.Flows {
		if r, ok := b.byMAC[f.Device]; ok && (batch.Port == "" || r.dev.Port == batch.Port) {
			r.talks.Add(f)
			r.talksNew, r.silent, r.unsaved = true, true, true
		}
	}
}

// sight creates, refreshes or moves a device.
func (b *Book) sight(port string, s fact.Sighting, now clock.Stamp) {
	if s.MAC.Group() || s.MAC == (fact.MAC{}) {
		return
	}
	at := time.Unix(0, s.Time).UTC()
	r, ok := b.byMAC[s.MAC]
	if !ok {
		if !b.room(port, at) {
			b.stats.Refused++
			return
		}
		r = &record{facts: make(map[factKey]*device.Known), roleAt: at}
		r.dev = device.Device{ID: device.IDOf(s.MAC), MAC: s.MAC, Port: port, VLAN: s.VLAN, FirstSeen: at, LastSeen: at,
			Identity: device.Identity{Role: device.RoleUnknown}}
		b.byMAC[s.MAC] = r
		b.perPort[port]++
		if v := b.vendors.Vendor(s.MAC); v != "" && !s.MAC.Local() {
			if val, ok := fact.New(fact.OUIVendor, v); ok {
				r.add(fact.OUIVendor, val.String(), false, at)
			}
		}
		r.judge, r.changed = true, true
		b.emitChange(r, "new", "", "", now)
	}
	if r.dev.Port != port {
		old := r.dev.Port
		b.perPort[old]--
		b.perPort[port]++
		r.dev.Port, r.dev.VLAN, r.changed = port, s.VLAN, true
		b.emitChange(r, "moved", old, "", now)
	}
	if r.address(s.IP) {
		r.changed = true
	}
	if at.After(r.dev.LastSeen) {
		r.dev.LastSeen, r.silent, r.unsaved = at, true, true
	}
}

// idle is how long an unknown device must have been silent before a new one may
// take its place.
const idle = 10 * time.Minute

// room says whether one more device fits on the port, after evicting a silent
// unknown one if need be: under a flood of addresses the known devices stay.
func (b *Book) room(port string, at time.Time) bool {
	full := len(b.byMAC) >= b.limits.Devices
	if !full && b.perPort[port] < b.limits.PerPort {
		return true
	}
	var victim *record
	for _, r := range b.byMAC {
		d := &r.dev
		if (!full && d.Port != port) || d.Pin != nil || d.Identity.Confidence > device.Candidate || at.Sub(d.LastSeen) < idle {
			continue
		}
		if victim == nil || d.LastSeen.Before(victim.dev.LastSeen) {
			victim = r
		}
	}
	if victim == nil {
		return false
	}
	delete(b.byMAC, victim.dev.MAC)
	b.perPort[victim.dev.Port]--
	b.stats.Evicted++
	return b.perPort[port] < b.limits.PerPort
}

// Settle judges the devices with news and reports whether the inventory
// differs from the last snapshot in more than counters.
func (b *Book) Settle(now clock.Stamp) bool {
	changed := false
	for _, r := range b.byMAC {
		if r.judge {
			b.judge(r, now)
		}
		if r.changed {
			changed, r.changed, r.unsaved, r.reported = true, false, true, time.Time{}
		}
	}
	if changed {
		b.seq++
	}
	return changed
}

func (b *Book) judge(r *record, now clock.Stamp) {
	r.judge = false
	old := r.dev.Identity
	d := r.dev
	d.Facts = r.known()
	id := b.classify.Classify(d, now.Wall.Sub(r.roleAt))
	r.dev.Identity = id
	if id.Role != old.Role {
		r.roleAt = now.Wall
	}
	if id.Role != old.Role || id.Confidence != old.Confidence {
		r.changed = true
		b.emitChange(r, "identity", "", old.Role, now)
	}
}

// Snapshot copies the inventory, sorted by id.
func (b *Book) Snapshot() *device.Snapshot {
	s := &device.Snapshot{Seq: b.seq, Devices: make([]device.Device, 0, len(b.byMAC))}
	for _, r := range b.byMAC {
		s.Devices = append(s.Devices, r.value())
	}
	slices.SortFunc(s.Devices, func(a, b device.Device) int { return cmp.Compare(a.ID, b.ID) })
	return s
}
