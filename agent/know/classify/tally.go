package classify

import (
	"cmp"
	"math"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/rules"
)

// hit is a signature that matched, with the first fact that it matched.
type hit struct {
	sig   *rules.Signature
	kind  fact.Kind
	value string
}

// kindsOfEvidence is one more than the highest rules.Evidence.
const kindsOfEvidence = int(rules.Name) + 1

// roleTally is what was found for one role: of each kind of evidence, the hit
// that weighs most for it and the one that weighs most against it. The others
// do not add up: ten signatures that match one host name, or five storage
// classes of one association, are one witness.
type roleTally struct {
	role    device.Role
	rank    int // of the role in roles.toml: equal scores go to the one with more at stake
	pro     [kindsOfEvidence]*hit
	contra  [kindsOfEvidence]*hit
	penalty float64 // of a contradiction, 0 or below
	tooMany float64 // what hints weigh above rules.MostHint, which does not count
	total   float64
}

// tally is everything that the facts of one device say.
type tally struct {
	maker         rules.Vendor // behind the MAC prefix
	owner         string       // of the MAC prefix, in the registry's spelling
	hits          []hit
	roles         []roleTally
	contradiction string
}

// tally collects the facts of d, concludes the derived ones, and asks the
// signatures.
func (c *Classifier) tally(d *device.Device) *tally {
	t := &tally{}
	t.maker, t.owner = c.maker(d)
	derived := derive(d, c.opt.Internal)
	if t.maker.Name != "" {
		derived = append(derived, observation{rules.Maker, t.maker.Name})
	}
	skip := hidden(derived)
	for i := range d.Facts {
		f := &d.Facts[i]
		if f.Kind != fact.OUIVendor && !f.Personal && !skip(f.Kind) {
			t.ask(c.opt.Rules, f.Kind, f.Value)
		}
	}
	for _, o := range derived {
		t.ask(c.opt.Rules, o.kind, o.value)
	}
	for i := range t.hits {
		t.count(c.opt.Rules, &t.hits[i])
	}
	c.contradict(t)
	for i := range t.roles {
		t.roles[i].sum()
	}
	return t
}

// ask adds the signatures that match, each once.
func (t *tally) ask(set *rules.Set, kind fact.Kind, value string) {
	set.Match(kind, value, func(s *rules.Signature) {
		for i := range t.hits {
			if t.hits[i].sig == s {
				return
			}
		}
		t.hits = append(t.hits, hit{s, kind, value})
	})
}

// count files a hit under its roles; of equal weights the better known counts,
// then the lower id.
func (t *tally) count(set *rules.Set, h *hit) {
	for role, w := range h.sig.Roles {
		r := t.find(role)
		if r == nil {
			t.roles = append(t.roles, roleTally{role: role, rank: set.Roles.Rank(role)})
			r = &t.roles[len(t.roles)-1]
		}
		slot := &r.pro[h.sig.Evidence]
		if w < 0 {
			slot = &r.contra[h.sig.Evidence]
		}
		if *slot == nil || h.before(*slot, role) {
			*slot = h
		}
	}
}

// before reports whether h counts rather than o, which speaks of the role in the
// same way.
func (h *hit) before(o *hit, role device.Role) bool {
	return cmp.Or(
		cmp.Compare(math.Abs(o.sig.Roles[role]), math.Abs(h.sig.Roles[role])),
		cmp.Compare(o.sig.Basis, h.sig.Basis),
		cmp.Compare(h.sig.ID, o.sig.ID)) < 0
}

// sum adds up in the fixed order of the evidence, so that it is the same to
// the last bit each time. Hints count no more together than one may.
func (r *roleTally) sum() {
	hints := 0.0
	for _, h := range r.pro {
		if h != nil && h.sig.Basis == rules.Hint {
			hints += h.sig.Roles[r.role]
		}
	}
	r.tooMany = max(0, hints-rules.MostHint)
	r.total = r.penalty - r.tooMany
	for _, hits := range [][kindsOfEvidence]*hit{r.pro, r.contra} {
		for _, h := range hits {
			if h != nil {
				r.total += h.sig.Roles[r.role]
			}
		}
	}
}

func (t *tally) find(role device.Role) *roleTally {
	for i := range t.roles {
		if t.roles[i].role == role {
			return &t.roles[i]
		}
	}
	return nil
}

// score is the total of a role, 0 where nothing speaks of it.
func (t *tally) score(role device.Role) float64 {
	if r := t.find(role); r != nil {
		return r.total
	}
	return 0
}

// leaders are the two roles with the highest totals; nil where there are fewer.
func (t *tally) leaders() (first, second *roleTally) {
	for i := range t.roles {
		r := &t.roles[i]
		switch {
		case first == nil || r.before(first):
			first, second = r, first
		case second == nil || r.before(second):
			second = r
		}
	}
	return first, second
}

func (r *roleTally) before(o *roleTally) bool {
	return r.total > o.total || r.total == o.total && r.rank < o.rank
}
