package enforce

import (
	"encoding/json"
	"fmt"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// restore begins to believe the inventory.
func (t *Task) restore() {
	t.restored, t.fenced = true, t.fencedBefore()
}

// fencedBefore are the devices that were enforced before a restart, as far as
// that can be read.
func (t *Task) fencedBefore() []device.ID {
	if t.opt.Store == nil {
		return nil
	}
	values, _ := t.opt.Store.All(keyConfirmed) // what is wrong with it says wantBefore
	var k keptConfirmed
	if len(values) == 0 || json.Unmarshal(values[0], &k) != nil {
		return nil
	}
	var out []device.ID
	for _, m := range k.Placement.Members {
		if m.Mode == policy.Enforce {
			out = append(out, m.Device)
		}
	}
	return out
}

// forgotten says so where devices that were fenced in before a restart are open
// now, as the inventory was lost or rules changed: nobody decided that.
func (t *Task) forgotten() {
	const code = "enforce.forgotten"
	snap, open := t.opt.Inventory.Snapshot(), 0
	for _, id := range t.fenced {
		if d := snap.Find(id); d == nil || d.Pin == nil && d.Identity.Confidence != device.Confirmed {
			open++
		}
	}
	if open == 0 {
		t.fenced = nil
		t.clear(code)
		return
	}
	t.condition(code, health.Warning, fmt.Sprintf("%d of %d devices that were fenced in before the restart stand open until their role is confirmed again", open, len(t.fenced)))
}
