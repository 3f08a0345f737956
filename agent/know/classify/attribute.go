package classify

import (
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/rules"
)

// Signature ids of attributes that rest on the MAC prefix alone.
const ouiSignature = "oui.registry"

// attributes fills vendor, model, version and serial from the signatures that
// speak of the identity's role or of none. The MAC's maker serves where no
// protocol names a vendor.
func (c *Classifier) attributes(t *tally, id *device.Identity) {
	var v, m, ver, ser best
	for i := range t.hits {
		h := &t.hits[i]
		if !h.sig.States() || !speaksOf(h.sig, id.Role) {
			continue
		}
		a := h.sig.Attributes(h.value, c.opt.Rules.Vendors)
		v.offer(h.sig, a.Vendor)
		m.offer(h.sig, a.Model)
		ver.offer(h.sig, a.Version)
		ser.offer(h.sig, a.Serial)
	}
	id.Vendor, id.Model, id.Version, id.Serial = v.attribute(), m.attribute(), ver.attribute(), ser.attribute()
	if id.Vendor.Value != "" || t.maker.Module {
		return
	}
	switch {
	case t.maker.Name != "":
		id.Vendor = device.Attribute{Value: t.maker.Name, Confidence: device.Likely, Signature: ouiSignature}
	case t.owner != "":
		id.Vendor = device.Attribute{Value: t.owner, Confidence: device.Candidate, Signature: ouiSignature}
	}
}

// speaksOf reports whether a signature's attributes hold for a device of that
// role.
func speaksOf(s *rules.Signature, role device.Role) bool {
	return len(s.Roles) == 0 || role == device.RoleUnknown || s.Roles[role] > 0
}

// best is the surest statement of one attribute so far.
type best struct {
	value string
	sig   *rules.Signature
}

// offer takes a surer statement: by confidence, then by how much the kind of
// evidence may weigh, then by id.
func (b *best) offer(s *rules.Signature, value string) {
	if value == "" {
		return
	}
	if b.sig != nil {
		switch was, is := b.sig, s; {
		case is.Confidence != was.Confidence:
			if is.Confidence < was.Confidence {
				return
			}
		case is.Evidence.Most() != was.Evidence.Most():
			if is.Evidence.Most() < was.Evidence.Most() {
				return
			}
		case is.ID >= was.ID:
			return
		}
	}
	b.value, b.sig = value, s
}

func (b *best) attribute() device.Attribute {
	if b.sig == nil {
		return device.Attribute{}
	}
	return device.Attribute{Value: b.value, Confidence: b.sig.Confidence, Signature: b.sig.ID}
}
