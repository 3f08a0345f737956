package inventory

import (
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
)

// A device has one home, the port it is on. Anybody can put its MAC into a
// frame on another port, so such a frame is a claim and no more: what is said
// there of the device is not believed until the home has been silent, while the
// other port went on, for a while. A device that was really moved has nobody
// left at home; one that is merely imitated contradicts by sending. No rule in
// the kernel asks for the port, so a bed that was rolled works meanwhile.
const (
	// moves is that while for a device that nobody knows.
	moves = 10 * time.Second
	// knownMoves is that while for a device that has a role: its identity could
	// be spoilt, which is worth the wait, and what is switched on seldom says
	// nothing for a minute.
	knownMoves = time.Minute
	// together is within what time one MAC on two ports is two devices, or one
	// that was re-plugged fast (design §7).
	together = 10 * time.Second
	// cloneEvery is how often that is said of one device.
	cloneEvery = 10 * time.Minute
	// contests within cloneEvery make a device of less than life-sustaining
	// class worth an alert: others roam, as a phone from one access point to the
	// next, but they do not go to and fro.
	contests = 3
)

// claim is a port that sends in the name of a device at home elsewhere.
type claim struct {
	port  string
	since time.Duration // by the book's count; zero: no claim
}

// home reports whether what a port says of the device counts. A capture file
// has no ports.
func (r *record) home(port string) bool { return port == "" || r.dev.Port == port }

// claimed notes a sighting on a port that is not the device's, and reports
// whether the device is there now.
func (b *Book) claimed(r *record, port string, now clock.Stamp) bool {
	if r.dev.Identity.Class == device.LifeSustaining && b.now-r.seen <= together {
		b.cloned(r, port, now)
	}
	if r.claim.port != port {
		if r.claim.since != 0 { // two that contend prove nothing of either
			b.contest(r, port, now)
		}
		r.claim = claim{port, b.now}
		r.dev.Claimed, r.stale = port, true
		return false
	}
	wait := moves
	if r.fixed() {
		wait = knownMoves
	}
	if b.now-r.claim.since < wait {
		return false
	}
	b.perPort[r.dev.Port]--
	b.perPort[port]++
	r.dev.Port, r.dev.Claimed, r.claim = port, "", claim{}
	r.note(turns)
	return true
}

// refuted ends a claim, since the device was seen at home.
func (b *Book) refuted(r *record, now clock.Stamp) {
	b.contest(r, r.claim.port, now)
	r.claim = claim{}
	r.dev.Claimed, r.stale = "", true
}

// contest counts that two ports sent in turns: what goes on doing so is not one
// device.
func (b *Book) contest(r *record, port string, now clock.Stamp) {
	if r.contested == 0 || b.now-r.contestedAt >= cloneEvery {
		r.contested, r.contestedAt = 0, b.now
	}
	if r.contested++; r.contested >= contests && r.fixed() {
		b.cloned(r, port, now)
	}
}

// cloned raises the alert: whoever borrows the address of a device is taken for
// it by every switch.
func (b *Book) cloned(r *record, port string, now clock.Stamp) {
	if r.clone != 0 && b.now-r.clone < cloneEvery {
		return
	}
	r.clone = b.now
	b.emit(event.Event{Class: event.Alert, At: now, Body: event.Warning{Signal: "clone", Device: r.dev.ID,
		Text:   fmt.Sprintf("%s (%s) is on port %s, and port %s sends in its name; nothing was blocked", r.dev.ID, r.dev.Identity.Role, r.dev.Port, port),
		Advice: "If it was not re-plugged just now, two devices use its address: look at what is plugged into both ports and take out the one that is not it."}})
}
