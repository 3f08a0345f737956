package inventory

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
)

// A device that nobody has seen for long is gone. What counts is the time in
// which this gateway looked: one that was switched off for a year, or whose
// clock was set, has missed nothing that it could know of.
const (
	// strangerStays is for devices without a role worth the name: visitors, and
	// the random addresses of phones. No rule knows them.
	strangerStays = 30 * 24 * time.Hour
	// knownStays is for devices with a role: a printer in store comes back under
	// its rules.
	knownStays = 90 * 24 * time.Hour
)

// stays is how long the device may be silent; false: for ever. Whoever comes
// back after it was forgotten is a stranger, whom no segment fences in until
// its role is confirmed anew. So a life-sustaining device is never forgotten by
// itself: a ventilator may stand in a store-room for longer than any limit, and
// what protects it ends by a signed act only (design §7). Nor is what a person
// has pinned.
func (r *record) stays() (time.Duration, bool) {
	id := r.dev.Identity
	switch {
	case r.dev.Pin != nil, id.Confidence == device.Confirmed && id.Class == device.LifeSustaining:
		return 0, false
	case r.fixed():
		return knownStays, true
	}
	return strangerStays, true
}

// aged reports that the device is gone. A replay reads files, which may lie
// years apart, and forgets nobody: it has no monotonic clock.
func (b *Book) aged(r *record, now clock.Stamp) bool {
	limit, ok := r.stays()
	return ok && now.Mono != 0 && b.now-r.seen >= limit
}

// forget takes a device out and tells everybody: a last inventory record takes
// the place of the one that may still wait in the outbox, so that no collector
// keeps the device for ever.
func (b *Book) forget(r *record, now clock.Stamp) {
	delete(b.byMAC, r.dev.MAC)
	b.perPort[r.dev.Port]--
	if r.saved {
		b.gone[r.dev.ID] = true
	}
	if r.use != nil {
		b.unused[r.dev.ID] = true
	}
	if !r.told.known { // nobody has heard of it
		return
	}
	b.emitChange(r, "gone", "", "", now)
	if r.judged == 0 {
		return
	}
	e := b.inventoryEvent(r, now)
	body := e.Body.(event.Inventory)
	body.Gone = true
	e.Body = body
	b.emit(e)
}
