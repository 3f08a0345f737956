package nac

import (
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// dev makes a device for tests; "?" is one whose role nobody knows.
func dev(id device.ID, port string, role device.Role) device.Device {
	d := device.Device{ID: id, Port: port, Identity: device.Identity{Role: role, Class: device.Support, Confidence: device.Confirmed}}
	d.MAC, _ = fact.ParseMAC(string(id))
	switch role {
	case "pump":
		d.Identity.Class = device.LifeSustaining
	case "?":
		d.Identity.Confidence = device.Likely
	}
	return d
}

func claimed(d device.Device, port string) device.Device {
	d.Claimed = port
	return d
}

func counts(d *device.Device) bool {
	return d.Identity.Class == device.LifeSustaining || d.Identity.Confidence != device.Confirmed
}

const (
	intruder = device.ID("02:00:00:00:00:01")
	printer  = device.ID("02:00:00:00:00:02")
	pump     = device.ID("02:00:00:00:00:03")
)

func TestDanger(t *testing.T) {
	const (
		no     = ""
		absent = "it is not in the inventory, so it counts as life-sustaining"
		self   = "it is, or counts as, life-sustaining"
	)
	for _, tt := range []struct {
		name               string
		devices            []device.Device
		device, port, ward string // why not, by the reach of the hook
	}{
		{"alone", []device.Device{dev(intruder, "w1", "pc")}, no, no, no},
		{"unknown to the inventory", []device.Device{dev(printer, "w1", "printer")}, absent, absent, absent},
		{"it is a pump", []device.Device{dev(intruder, "w1", "pump")}, self, self, self},
		{"it may be a pump", []device.Device{dev(intruder, "w1", "?")}, self, self, self},
		{"a printer behind its port", []device.Device{dev(intruder, "w1", "pc"), dev(printer, "w1", "printer")}, no,
			"others are behind port w1, and the hook touches them", "others are behind the gateway, and the hook touches them"},
		{"a printer behind another port", []device.Device{dev(intruder, "w1", "pc"), dev(printer, "w2", "printer")}, no, no,
			"others are behind the gateway, and the hook touches them"},
		{"a pump behind its port", []device.Device{dev(intruder, "w1", "pc"), dev(pump, "w1", "pump")},
			"02:00:00:00:00:03, behind port w1 as well, is, or counts as, life-sustaining", "02:00:00:00:00:03, behind port w1 as well, is, or counts as, life-sustaining",
			"02:00:00:00:00:03, behind the gateway as well, is, or counts as, life-sustaining"},
		{"somebody unknown behind its port", []device.Device{dev(intruder, "w1", "pc"), dev(pump, "w1", "?")},
			"02:00:00:00:00:03, behind port w1 as well, is, or counts as, life-sustaining", "02:00:00:00:00:03, behind port w1 as well, is, or counts as, life-sustaining",
			"02:00:00:00:00:03, behind the gateway as well, is, or counts as, life-sustaining"},
		{"a pump behind another port", []device.Device{dev(intruder, "w1", "pc"), dev(pump, "w2", "pump")}, no, no,
			"02:00:00:00:00:03, behind the gateway as well, is, or counts as, life-sustaining"},
		{"a pump that was rolled to its port just now", []device.Device{dev(intruder, "w1", "pc"), claimed(dev(pump, "w2", "pump"), "w1")},
			"02:00:00:00:00:03, behind port w1 as well, is, or counts as, life-sustaining", "02:00:00:00:00:03, behind port w1 as well, is, or counts as, life-sustaining",
			"02:00:00:00:00:03, behind the gateway as well, is, or counts as, life-sustaining"},
		{"it was moved to a pump's port just now", []device.Device{claimed(dev(intruder, "w1", "pc"), "w2"), dev(pump, "w2", "pump")},
			"02:00:00:00:00:03, behind port w1 as well, is, or counts as, life-sustaining", "02:00:00:00:00:03, behind port w1 as well, is, or counts as, life-sustaining",
			"02:00:00:00:00:03, behind the gateway as well, is, or counts as, life-sustaining"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for reach, want := range map[Reach]string{ReachDevice: tt.device, ReachPort: tt.port, ReachWard: tt.ward} {
				got, known := danger(&device.Snapshot{Devices: tt.devices}, intruder, reach, counts)
				if got != want {
					t.Errorf("reach %s: %q, want %q", reach, got, want)
				}
				if known != (want != absent) {
					t.Errorf("reach %s: known %v", reach, known)
				}
			}
		})
	}
}

// A reason that is told once must not change with each device that comes or goes:
// each change would be an event.
func TestDangerIsToldOnce(t *testing.T) {
	ward := []device.Device{dev(intruder, "w1", "pc"), dev(printer, "w1", "printer")}
	before, _ := danger(&device.Snapshot{Devices: ward}, intruder, ReachPort, counts)
	ward = append(ward, dev("02:00:00:00:00:04", "w1", "pc"))
	if after, _ := danger(&device.Snapshot{Devices: ward}, intruder, ReachPort, counts); after != before || after == "" {
		t.Errorf("%q, before %q", after, before)
	}
}
