package inventory

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
)

// idle is how long an unknown device must have been silent before a new one may
// take its place.
const idle = 10 * time.Minute

// lookAgain is how long a search for room that found none counts: it goes
// through all devices, and a flood asks for each of its frames.
const lookAgain = time.Second

// room says whether one more device fits on the port, after evicting a silent
// unknown one if need be: under a flood of addresses the known devices stay.
func (b *Book) room(port string, now clock.Stamp) bool {
	portFull := b.perPort[port] >= b.limits.PerPort
	if !portFull && len(b.byMAC) < b.limits.Devices {
		return true
	}
	if at, ok := b.barren[port]; ok && b.now-at < lookAgain {
		return false
	}
	var victim *record
	for _, r := range b.byMAC {
		if portFull && r.dev.Port != port || r.fixed() || b.now-r.seen < idle {
			continue
		}
		if victim == nil || r.seen < victim.seen {
			victim = r
		}
	}
	if victim == nil {
		b.barren[port] = b.now
		return false
	}
	b.forget(victim, now)
	b.stats.Evicted++
	return true
}

// fixed reports a device whose place no flood may take.
func (r *record) fixed() bool {
	return r.dev.Pin != nil || r.dev.Identity.Confidence > device.Candidate
}
