package inventory

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
)

// How often a device is reported at most.
const (
	inventoryEvery = 2 * time.Second  // after a change
	refreshEvery   = 15 * time.Minute // counters and last seen alone
	talksEvery     = 15 * time.Second
)

func (b *Book) emitChange(r *record, change, oldPort string, oldRole device.Role, now clock.Stamp) {
	b.emit(event.Event{Class: event.Ordinary, At: now, Body: event.DeviceChange{Change: change, Device: r.dev.ID, MAC: r.dev.MAC,
		Port: r.dev.Port, OldPort: oldPort, Role: r.dev.Identity.Role, OldRole: oldRole, Confidence: r.dev.Identity.Confidence}})
}

func (b *Book) emit(e event.Event) {
	if b.events != nil {
		b.events.Emit(e)
	}
}

// Report emits the inventory record and the conversations of the devices that
// are due.
func (b *Book) Report(now clock.Stamp) {
	for _, r := range b.byMAC {
		age := now.Wall.Sub(r.reported)
		if r.reported.IsZero() || (r.silent && age > refreshEvery) {
			b.emit(b.inventoryEvent(r, now))
			r.reported, r.silent = now.Wall, false
		}
		if r.talksNew && now.Wall.Sub(r.talked) > talksEvery {
			b.emit(conversationsEvent(r, now))
			r.talked, r.talksNew = now.Wall, false
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
	list := r.talks.List()
	rows := make([]event.Conversation, len(list))
	for i, c := range list {
		peer := c.PeerMAC.String()
		if c.Peer.IsValid() {
			peer = c.Peer.String()
		}
		rows[i] = event.Conversation{Peer: peer, Service: c.Service.String(), Opener: c.Opener.String(), Answered: c.Answered,
			PacketsFrom: c.PacketsFrom, BytesFrom: c.BytesFrom, PacketsTo: c.PacketsTo, BytesTo: c.BytesTo, First: c.First, Last: c.Last}
	}
	return event.Event{Class: event.Telemetry, At: now, Body: event.Conversations{Device: r.dev.ID, Conversations: rows}}
}
