package classify

import (
	"net/netip"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/rules"
)

// Registry names the registered owner of a MAC prefix, "" if there is none.
type Registry interface {
	Vendor(mac [6]byte) string
}

// DefaultDwell is how long a role must have stood before another may take its
// place.
const DefaultDwell = 10 * time.Minute

// Options are what a Classifier works with.
type Options struct {
	Rules    *rules.Set
	Registry Registry
	Internal []netip.Prefix // the site's networks: no address in them is foreign
	Dwell    time.Duration
}

// Classifier judges devices. It is immutable and safe for concurrent use.
type Classifier struct {
	opt Options
}

// New makes a Classifier.
func New(opt Options) *Classifier { return &Classifier{opt: opt} }

// The decision, in log-odds.
const (
	confirmedScore  = 6 // with confirmedMargin over the runner-up
	confirmedMargin = 2
	likelyScore     = 4
	namedScore      = 1 // less than this names no role
)

// Classify returns the identity of d by its facts. d.Identity is the one before,
// and since is how long its role has stood.
func (c *Classifier) Classify(d device.Device, since time.Duration) device.Identity {
	t := c.tally(&d)
	fresh := c.decide(t)
	if d.Pin != nil {
		return c.pinned(fresh, d.Pin.Role)
	}
	return c.settle(t, d.Identity, fresh, since)
}

// decide turns a tally into an identity, without regard to what was before.
func (c *Classifier) decide(t *tally) device.Identity {
	id := device.Identity{Role: device.RoleUnknown, Confidence: device.Candidate, Contradiction: t.contradiction}
	first, second := t.leaders()
	if first != nil {
		id.Score, id.Margin = first.total, first.total
		if second != nil && second.total > 0 {
			id.Margin, id.RunnerUp = first.total-second.total, second.role
		}
	}
	if first != nil && first.total >= namedScore {
		id.Role = first.role
		id.Confidence = confidence(id.Score, id.Margin)
		id.Evidence = evidence(first, second)
	}
	id.Class, _ = c.opt.Rules.Roles.Class(id.Role)
	c.attributes(t, &id)
	return id
}

func confidence(score, margin float64) device.Confidence {
	switch {
	case score >= confirmedScore && margin >= confirmedMargin:
		return device.Confirmed
	case score >= likelyScore:
		return device.Likely
	}
	return device.Candidate
}

// pinned puts a person's word in place of the evidence, which stays visible.
func (c *Classifier) pinned(id device.Identity, role device.Role) device.Identity {
	if id.Role != role && id.Confidence >= device.Likely {
		id.RunnerUp = id.Role
		id.Contradiction = "evidence speaks for " + string(id.Role)
	}
	id.Role, id.Confidence, id.Pinned = role, device.Confirmed, true
	id.Class, _ = c.opt.Rules.Roles.Class(role)
	return id
}
