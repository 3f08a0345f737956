package inventory

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
)

// talksEvery is how often the conversations of a device are reported: no finer,
// for whoever knows which bed a device stands at could tell what happens there
// and when. Their times are cut to it too.
const talksEvery = 5 * time.Minute

// reportGaps pace the inventory record of one device.
func reportGaps() gaps {
	return gaps{counts: 15 * time.Minute, learns: 30 * time.Second, turns: 5 * time.Second}
}

// maxTold is how many events about one device go out in a minute. What comes
// after that is told when the minute is over, as far as it still holds: a
// device that jumps between two ports makes few events, not one a frame.
const maxTold = 4

// tell emits what the last events of the device did not say.
func (b *Book) tell(r *record, now clock.Stamp) {
	if !r.told.known {
		r.told = told{known: true, port: r.dev.Port, role: device.RoleUnknown}
		b.emitChange(r, "new", "", "", now)
	}
	if r.told.port != r.dev.Port && b.spend(r) {
		b.emitChange(r, "moved", r.told.port, "", now)
		r.told.port = r.dev.Port
	}
	id := r.dev.Identity
	other := r.told.role != id.Role || (id.Role != device.RoleUnknown && r.told.confidence != id.Confidence)
	if other && b.spend(r) {
		b.emitChange(r, "identity", "", r.told.role, now)
		r.told.role, r.told.confidence = id.Role, id.Confidence
	}
}

// spend takes one of the events of this minute.
func (b *Book) spend(r *record) bool {
	if r.window == 0 || b.now-r.window >= time.Minute {
		r.window, r.spent = b.now, 0
	}
	if r.spent == maxTold {
		return false
	}
	r.spent++
	return true
}

func (b *Book) emitChange(r *record, change, oldPort string, oldRole device.Role, now clock.Stamp) {
	id := r.dev.Identity
	if change == "new" {
		id = device.Identity{Role: device.RoleUnknown} // what it is taken for is the next event
	}
	b.emit(event.Event{Class: event.Ordinary, At: now, Body: event.DeviceChange{Change: change, Device: r.dev.ID, MAC: r.dev.MAC,
		Port: r.dev.Port, OldPort: oldPort, Role: id.Role, OldRole: oldRole, Confidence: id.Confidence}})
}

func (b *Book) emit(e event.Event) {
	if b.events != nil {
		b.events.Emit(e)
	}
}

// Report emits the inventory record, the conversations and the hours of use of
// the devices that are due.
func (b *Book) Report(now clock.Stamp) {
	b.advance(now)
	left := atOnce
	for _, r := range b.byMAC {
		b.tellUse(r, now, &left)
		if r.judged != 0 && r.report.now(reportGaps(), b.now) {
			b.emit(b.inventoryEvent(r, now))
			r.report.done(b.now)
		}
		if r.talk && (r.talked == 0 || b.now-r.talked >= talksEvery) {
			b.emit(conversationsEvent(r, now))
			r.talked, r.talk = b.now, false
		}
	}
}

func (b *Book) inventoryEvent(r *record, now clock.Stamp) event.Event {
	d := &r.dev
	ips := make([]string, len(d.IPs))
	for i, a := range d.IPs {
		ips[i] = a.String()
	}
	return event.Event{Class: event.State, Key: "inventory/" + string(d.ID), At: now, Body: event.Inventory{Device: d.ID, MAC: d.MAC,
		Port: d.Port, VLAN: d.VLAN, IPs: ips, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen, Identity: d.Identity, Facts: outward(r.known())}}
}

func conversationsEvent(r *record, now clock.Stamp) event.Event {
	list := r.talks.News()
	rows := make([]event.Conversation, len(list))
	for i, c := range list {
		peer := c.PeerMAC.String()
		if c.Peer.IsValid() {
			peer = c.Peer.String()
		}
		rows[i] = event.Conversation{Peer: peer, Service: c.Service.String(), Opener: c.Opener.String(), Answered: c.Answered,
			PacketsFrom: c.PacketsFrom, BytesFrom: c.BytesFrom, PacketsTo: c.PacketsTo, BytesTo: c.BytesTo, First: c.First.Truncate(talksEvery), Last: c.Last.Truncate(talksEvery)}
	}
	return event.Event{Class: event.Telemetry, At: now, Body: event.Conversations{Device: r.dev.ID, Conversations: rows}}
}
