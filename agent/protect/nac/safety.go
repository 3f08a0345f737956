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
		if x.ID == id || reach != ReachWard && !together(d, x) {
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

// together reports whether two devices are, or may be, behind one port: a bed that
// was rolled a moment ago counts at both its ports.
func together(d, x *device.Device) bool {
	return x.Port == d.Port || x.Claimed != "" && (x.Claimed == d.Port || x.Claimed == d.Claimed) || d.Claimed != "" && d.Claimed == x.Port
}
