package inventory

import (
	"cmp"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/know/utilise"
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
	Gone    uint64 // devices that were not seen for too long
	Evicted uint64 // unknown devices that gave way to new ones
	Foreign uint64 // facts of a device from a port that is not its own: not believed
}

// Book is the inventory without its goroutine.
type Book struct {
	limits   Limits
	classify Classifier
	vendors  Vendors
	events   event.Sink // nil: nobody listens
	byMAC    map[fact.MAC]*record
	perPort  map[string]int
	barren   map[string]time.Duration     // by port: when room was last looked for in vain
	gone     map[device.ID]bool           // forgotten, but still with the keeper
	uses     map[device.ID]*utilise.Meter // read by LoadUse, of no device yet
	unused   map[device.ID]bool           // as gone, with the keeper of the utilisation
	bin      int                          // of the utilisation, by now
	marks    map[device.ID]device.Marks
	marked   bool // marks are known; until then those kept with the devices hold
	seq      uint64
	stats    Stats

	now  time.Duration // by which everything ages, see advance
	last clock.Stamp
}

// NewBook makes an empty inventory; events may be nil.
func NewBook(limits Limits, c Classifier, v Vendors, events event.Sink) *Book {
	return &Book{limits: limits, classify: c, vendors: v, events: events, now: 1, byMAC: make(map[fact.MAC]*record),
		perPort: make(map[string]int), barren: make(map[string]time.Duration), gone: make(map[device.ID]bool), unused: make(map[device.ID]bool)}
}

// Stats returns the counts so far.
func (b *Book) Stats() Stats { return b.stats }

// advance passes the time. Ages are by the monotonic clock: the wall clock of
// a gateway is wrong at boot and set later, by years and in both directions. A
// replay has no monotonic clock; there the wall time counts, as far as it grows.
func (b *Book) advance(now clock.Stamp) {
	d := now.Mono - b.last.Mono
	if now.Mono == 0 {
		d = now.Wall.Sub(b.last.Wall)
	}
	if d > 0 && !b.last.Wall.IsZero() {
		b.now += d
	}
	b.last = now
	b.turn(now)
}

// Apply merges one batch of an observer; now stamps the events it causes.
func (b *Book) Apply(batch fact.Batch, now clock.Stamp) {
	b.advance(now)
	for _, s := range batch.Sightings {
		b.sight(batch.Port, s, now)
	}
	for _, f := range batch.Facts {
		r, ok := b.byMAC[f.MAC]
		if !ok {
			continue // not on a ward port: a peer, which is no device of ours
		}
		if !r.home(batch.Port) {
			b.stats.Foreign++
			continue
		}
		if r.use != nil {
			r.use.Fact(f.Kind, f.Value.String())
		}
		if r.add(f.Kind, f.Value.String(), f.Value.Personal(), time.Unix(0, f.Time).UTC()) {
			r.judge = true
			r.note(learns)
		}
	}
	for _, f := range batch.Flows {
		if r, ok := b.byMAC[f.Device]; ok && r.home(batch.Port) {
			n := counts
			if r.talks.Add(f) {
				n = learns
			}
			if r.use != nil {
				r.use.Flow(&f)
			}
			r.talk, r.stale = true, true
			r.save.note(n)
			r.report.note(counts) // conversations are reported apart
		}
	}
}

// sight creates or refreshes a device, or notes that it may have moved.
func (b *Book) sight(port string, s fact.Sighting, now clock.Stamp) {
	if s.MAC.Group() || s.MAC == (fact.MAC{}) {
		return
	}
	at := time.Unix(0, s.Time).UTC()
	r, ok := b.byMAC[s.MAC]
	if !ok {
		if !b.room(port, now) {
			b.stats.Refused++
			return
		}
		r = b.create(port, s, at)
	}
	switch {
	case r.dev.Port != port:
		if !b.claimed(r, port, now) {
			return
		}
	case r.claim.since != 0:
		b.refuted(r, now)
	}
	r.seen = b.now
	if r.use != nil {
		r.use.Heard()
	}
	if r.address(s.IP) {
		r.note(learns)
	}
	if r.dev.VLAN != s.VLAN {
		r.dev.VLAN = s.VLAN
		r.note(counts)
	}
	if last := newest(r.dev.LastSeen, at); !last.Equal(r.dev.LastSeen) {
		r.dev.LastSeen = last
		r.note(counts)
	}
	if r.dev.FirstSeen.After(r.dev.LastSeen) { // the clock was ahead then
		r.dev.FirstSeen = r.dev.LastSeen
	}
}

func (b *Book) create(port string, s fact.Sighting, at time.Time) *record {
	r := &record{facts: make(map[factKey]*learned), roleAt: b.now, judge: true}
	r.dev = device.Device{ID: device.IDOf(s.MAC), MAC: s.MAC, Port: port, VLAN: s.VLAN, FirstSeen: at, LastSeen: at,
		Identity: device.Identity{Role: device.RoleUnknown}}
	b.byMAC[s.MAC] = r
	b.perPort[port]++
	b.mark(r)
	delete(b.gone, r.dev.ID)
	if v := b.vendors.Vendor(s.MAC); v != "" && !s.MAC.Local() {
		if val, ok := fact.New(fact.OUIVendor, v); ok {
			r.add(fact.OUIVendor, val.String(), false, at)
		}
	}
	r.note(turns)
	return r
}

// Settle judges the devices with news, tells of what became of them, and
// reports whether the inventory differs from the last snapshot in more than
// counters.
func (b *Book) Settle(now clock.Stamp) bool {
	b.advance(now)
	changed := false
	for _, r := range b.byMAC {
		if b.aged(r, now) {
			b.forget(r, now)
			b.stats.Gone++
			changed = true
			continue
		}
		if r.judge || (r.dev.Identity.Contradiction != "" && b.now-r.judged >= rejudge) {
			b.judge(r)
		}
		b.tell(r, now)
		if r.fresh {
			changed, r.fresh = true, false
		}
	}
	if changed {
		b.seq++
	}
	return changed
}

// rejudge is how often a device is judged again whose role may only be standing
// because its dwell time has not ended: that ends without news.
const rejudge = time.Minute

func (b *Book) judge(r *record) {
	r.judge, r.judged = false, b.now
	old := r.dev.Identity
	d := r.dev
	d.Facts = r.known()
	r.dev.Identity = b.classify.Classify(d, b.now-r.roleAt)
	if r.dev.Identity.Role != old.Role {
		r.roleAt = b.now
	}
	if id := r.dev.Identity; id.Role != old.Role || id.Confidence != old.Confidence || id.Class != old.Class {
		r.note(turns)
	}
	b.meter(r)
}

// Snapshot copies the inventory, sorted by id.
func (b *Book) Snapshot() *device.Snapshot {
	s := &device.Snapshot{Seq: b.seq, Devices: make([]device.Device, 0, len(b.byMAC))}
	for _, r := range b.byMAC {
		s.Devices = append(s.Devices, r.freeze())
	}
	slices.SortFunc(s.Devices, func(a, b device.Device) int { return cmp.Compare(a.ID, b.ID) })
	return s
}
