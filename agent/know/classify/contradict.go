package classify

import (
	"fmt"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/rules"
)

// contradiction is what a contradiction weighs.
const contradiction = -2

// contradict looks for what does not fit together: a protocol that names one
// maker behind another maker's MAC, or a bedside device behind a PC's. Both are
// a gateway or a spoof; the roles that rest on it lose weight.
func (c *Classifier) contradict(t *tally) {
	if t.maker.Name == "" || t.maker.Module { // who made a radio or network module built none of the device
		return
	}
	if t.maker.Computer {
		c.computer(t)
		return
	}
	var first *rules.Signature // by id, so that the text does not hang on the order of facts
	for i := range t.hits {
		h := &t.hits[i]
		said, ok := c.says(h)
		if !ok || related(said, t.maker.Name) {
			continue
		}
		for role := range h.sig.Roles {
			if r := t.find(role); r != nil {
				r.penalty = contradiction
			}
		}
		if first == nil || h.sig.ID < first.ID {
			first = h.sig
			t.contradiction = fmt.Sprintf("says %s, but the MAC is %s's: gateway or spoof?", said, t.maker.Name)
		}
	}
}

// says is the known vendor that a hit surely names for the roles it speaks of.
func (c *Classifier) says(h *hit) (vendor string, ok bool) {
	if h.sig.Vendor == "" || h.sig.Confidence < device.Likely || len(h.sig.Roles) == 0 {
		return "", false
	}
	v, ok := c.opt.Rules.Vendors.ByName(h.sig.Attributes(h.value, c.opt.Rules.Vendors).Vendor)
	return v.Name, ok
}

// computer weighs down the bedside roles of a device whose MAC is a PC's.
func (c *Classifier) computer(t *tally) {
	var worst *roleTally
	for i := range t.roles {
		r := &t.roles[i]
		role, ok := c.opt.Rules.Roles.Get(r.role)
		if !ok || !role.Dedicated || role.Class > device.Clinical || !r.strong() {
			continue
		}
		r.penalty = contradiction
		if worst == nil || r.rank < worst.rank {
			worst = r
		}
	}
	if worst != nil {
		t.contradiction = fmt.Sprintf("acts as %s, but the MAC is a computer's (%s): gateway or spoof?", worst.role, t.maker.Name)
	}
}

// strong reports evidence beyond ports, names and the MAC.
func (r *roleTally) strong() bool {
	return r.pro[rules.Type] != nil || r.pro[rules.Model] != nil || r.pro[rules.Protocol] != nil || r.pro[rules.DHCP] != nil
}

// related reports two names of one house: "Cisco" and "Cisco Meraki".
func related(a, b string) bool {
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}
