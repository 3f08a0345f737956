package nac

import (
	"fmt"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// danger says why a hook of that reach may not run for the device, "" where it
// may. known is false where the device is not in the inventory: nobody knows who
// it is, or what is behind its port.
func danger(snap *device.Snapshot, id device.ID, reach Reach, counts func(*device.Device) bool) (why string, known bool) {
	d := snap.Find(id)
	if d == nil {
		return "it is not in the inventory, so it counts as life-sustaining", false
	}
	if counts(d) {
		return "it is, or counts as, life-sustaining", true
	}
	others, where := false, "port "+d.Port
	if reach == ReachWard {
		where = "the gateway"
	}
	for i := range snap.Devices {
		x := &snap.Devices[i]
		if x.ID == id || x.Port != d.Port && reach != ReachWard {
			continue
		}
		if others = true; counts(x) {
			return fmt.Sprintf("%s, behind %s as well, is, or counts as, life-sustaining", x.ID, where), true
		}
	}
	if reach != ReachDevice && others {
		return fmt.Sprintf("others are behind %s, and the hook touches them", where), true
	}
	return "", true
}
