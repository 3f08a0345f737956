package enforce

import (
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// JudgePolicy says which life-sustaining devices would lose which flow with a
// clinical peer under the policy: as they are known now, and if each were found
// to be what it may be. The error says that there can be no such rules.
func (t *Task) JudgePolicy(p *policy.Policy) ([]policy.Cut, error) {
	now, snap := t.now.Load(), t.opt.Inventory.Snapshot()
	var pairs []policy.Pair
	if now != nil {
		pairs = now.Pairs
	}
	var out []policy.Cut
	for round := 0; ; round++ {
		as := snap
		if round > 0 {
			var more bool
			if as, more = t.whatIf(snap, round-1); !more {
				return out, nil
			}
		}
		c, err := policy.Compile(policy.Input{Policy: p, Placement: p.Place(as, t.opt.Roles, pairs...), Pairs: pairs, Internal: t.opt.Internal, Uplink: t.opt.Uplink})
		if err != nil {
			return nil, err
		}
		for _, cut := range c.Judge(as, now, func(id device.ID) bool {
			yes, _ := t.LifeSustaining(id)
			m, ok := c.Member(id)
			return yes || ok && m.Class == device.LifeSustaining
		}) {
			if !slices.ContainsFunc(out, func(o policy.Cut) bool { return o.Device == cut.Device && o.Addr == cut.Addr }) {
				out = append(out, cut)
			}
		}
	}
}

// whatIf is the inventory with each device confirmed as the nth of the
// life-sustaining roles that it may have; more is false where none has so many.
func (t *Task) whatIf(snap *device.Snapshot, n int) (as *device.Snapshot, more bool) {
	out := device.Snapshot{Seq: snap.Seq, Devices: slices.Clone(snap.Devices)}
	for i := range out.Devices {
		d := &out.Devices[i]
		if roles := policy.Candidates(d, t.opt.Roles, 0); n < len(roles) {
			d.Identity.Role, d.Identity.Confidence, d.Identity.Class = roles[n], device.Confirmed, device.LifeSustaining
			more = true
		}
	}
	return &out, more
}
