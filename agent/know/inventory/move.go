package inventory

import (
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
)

const (
	// together is within what time one MAC on two ports is two devices, or one
	// that was re-plugged fast (design §7).
	together = 10 * time.Second
	// cloneEvery is how often that is said of one device.
	cloneEvery = 10 * time.Minute
)

// move puts a device onto the port it was seen on. It reports false for a
// sighting that is older than the one on the port where the device is now: the
// observers of two ports do not hand over in order.
func (b *Book) move(r *record, port string, at time.Time, now clock.Stamp) bool {
	apart := at.Sub(r.seenAt)
	if apart.Abs() <= together {
		b.cloned(r, port, now)
	}
	if apart < 0 && -apart < setBack {
		return false
	}
	b.perPort[r.dev.Port]--
	b.perPort[port]++
	r.dev.Port = port
	r.note(turns)
	return true
}

// cloned raises the alert for a life-sustaining device: whoever borrows its
// address is taken for it by every switch. Others roam: a phone walks from one
// access point to the next.
func (b *Book) cloned(r *record, port string, now clock.Stamp) {
	id := r.dev.Identity
	if id.Class != device.LifeSustaining || (r.clone != 0 && b.now-r.clone < cloneEvery) {
		return
	}
	r.clone = b.now
	b.emit(event.Event{Class: event.Alert, At: now, Body: event.Warning{Signal: "clone", Device: r.dev.ID,
		Text: fmt.Sprintf("%s (%s) sent from port %s and port %s within %d s; nothing was blocked",
			r.dev.ID, id.Role, r.dev.Port, port, together/time.Second),
		Advice: "If it was not re-plugged just now, two devices use its address: look at what is plugged into both ports and take out the one that is not it."}})
}
