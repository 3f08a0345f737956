package classify

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// settle keeps a role that stood at likely or better until another has more
// evidence than it stood on, and it has stood for the dwell time: a device's
// rules must not flap with every odd packet. A role whose evidence is gone
// (other rules) does not hold.
//
// The safety class of a confirmed device rises by itself; it falls only by a
// person's pin.
func (c *Classifier) settle(t *tally, old, fresh device.Identity, since time.Duration) device.Identity {
	id := fresh
	stood := !old.Pinned && old.Confidence >= device.Likely && old.Role != device.RoleUnknown
	if stood && fresh.Role != old.Role && t.score(old.Role) >= namedScore &&
		(fresh.Score <= old.Score || since < c.opt.Dwell) {
		id.Role, id.Class, id.Confidence = old.Role, old.Class, old.Confidence
		id.Score, id.Margin, id.RunnerUp = old.Score, old.Score-fresh.Score, fresh.Role
		id.Evidence = evidence(t.find(old.Role), t.find(fresh.Role))
		id.Contradiction = "evidence now speaks for " + string(fresh.Role)
		c.attributes(t, &id)
	}
	if old.Confidence == device.Confirmed && !old.Pinned && old.Class != 0 && old.Class < id.Class {
		id.Class = old.Class
	}
	return id
}
