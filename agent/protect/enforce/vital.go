package enforce

import (
	"fmt"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// Settled reports whether the inventory is back and the kernel has agreed with
// it: before that nobody knows what a device is.
func (t *Task) Settled() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}

// LifeSustaining reports whether a device is, or counts as, life-sustaining for
// what one person may do to it, and why. One that is not known counts as such;
// so does one whose evidence names such a role among others, whatever weighs
// more or a person has pinned; one that has exempt pairs, of today or of old; and
// one that is the clinical peer of another.
func (t *Task) LifeSustaining(id device.ID) (yes bool, why string) {
	c := t.now.Load()
	if c == nil || !t.Settled() {
		return true, "the inventory is not back yet"
	}
	d := t.opt.Inventory.Snapshot().Find(id)
	if d == nil {
		return true, "the inventory does not know it"
	}
	for _, p := range c.Pairs {
		switch {
		case p.MAC == d.MAC:
			return true, "it has an exempt pair with " + p.Peer
		case p.PeerMAC == d.MAC && d.MAC != fact.MAC{}:
			return true, fmt.Sprintf("it is the clinical peer of %s", p.Device)
		}
	}
	for _, p := range c.Input().Policy.Peers {
		if p.Clinical && p.Device == id {
			return true, "the policy names it as a clinical peer: " + p.Name
		}
	}
	if d.Identity.Class == device.LifeSustaining {
		return true, "its class"
	}
	if d.Pin != nil {
		if class, ok := t.opt.Roles(d.Pin.Role); ok && class == device.LifeSustaining {
			return true, "it is pinned as " + string(d.Pin.Role)
		}
	}
	for _, r := range policy.Candidates(d, t.opt.Roles, 0) {
		return true, "it may be a " + string(r)
	}
	return false, ""
}
