package classify

import (
	"cmp"
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/rules"
)

// maxEvidence bounds what an identity carries along.
const maxEvidence = 16

// evidence lists what counted for the first role, then for the second; of each
// the weightiest first.
func evidence(roles ...*roleTally) []device.Evidence {
	var out []device.Evidence
	for _, r := range roles {
		if r != nil {
			out = append(out, r.counted()...)
		}
	}
	return out[:min(len(out), maxEvidence)]
}

// counted lists the hits in a role's total, and what was taken off it.
func (r *roleTally) counted() []device.Evidence {
	var out []device.Evidence
	for _, hits := range [][kindsOfEvidence]*hit{r.pro, r.contra} {
		for _, h := range hits {
			if h != nil {
				out = append(out, h.says(r.role))
			}
		}
	}
	if r.tooMany != 0 {
		out = append(out, device.Evidence{Signature: "hints", Role: r.role, Weight: -r.tooMany, Hint: true})
	}
	if r.penalty != 0 {
		out = append(out, device.Evidence{Signature: "contradiction", Role: r.role, Weight: r.penalty})
	}
	slices.SortStableFunc(out, func(a, b device.Evidence) int { return cmp.Compare(b.Weight, a.Weight) })
	return out
}

// says is what the hit says of a role.
func (h *hit) says(role device.Role) device.Evidence {
	return device.Evidence{Signature: h.sig.ID, Kind: string(h.kind), Role: role, Weight: h.sig.Roles[role], Hint: h.sig.Basis == rules.Hint}
}

// Reason is one line of an explanation.
type Reason struct {
	device.Evidence
	Source  string // where the signature is known from
	Counted bool   // false: another of the same kind of evidence weighs more
}

// Explain lists every signature that speaks of d's role, whatever the role
// stands on, the weightiest first. With an unknown role it lists all.
func (c *Classifier) Explain(d device.Device) []Reason {
	t := c.tally(&d)
	asked := cmp.Or(d.Identity.Role, device.RoleUnknown)
	var out []Reason
	for i := range t.roles {
		r := &t.roles[i]
		if asked != device.RoleUnknown && asked != r.role {
			continue
		}
		for k := range t.hits {
			h := &t.hits[k]
			if h.sig.Roles[r.role] != 0 {
				out = append(out, Reason{h.says(r.role), h.sig.Source, r.pro[h.sig.Evidence] == h || r.contra[h.sig.Evidence] == h})
			}
		}
		if r.tooMany != 0 {
			out = append(out, Reason{device.Evidence{Signature: "hints", Role: r.role, Weight: -r.tooMany, Hint: true}, "nobody checked them: together they weigh no more than one", true})
		}
		if r.penalty != 0 {
			out = append(out, Reason{device.Evidence{Signature: "contradiction", Role: r.role, Weight: r.penalty}, t.contradiction, true})
		}
	}
	slices.SortFunc(out, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Signature, b.Signature), cmp.Compare(a.Role, b.Role))
	})
	return out
}
