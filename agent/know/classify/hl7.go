package classify

import (
	"regexp"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// eui64 is the device identifier in an entity identifier field.
var eui64 = regexp.MustCompile(`(?:^|[^0-9A-Fa-f])([0-9A-Fa-f]{16})(?:[^0-9A-Fa-f]|$)`)

// Values of rules.HL7Devices.
const (
	one  = "one"
	many = "many"
)

// manyNames is from how many equipment names without an EUI-64 on a sender is
// taken to speak for several devices: one device may name a few of its parts.
const manyNames = 3

// hl7Devices says for how many devices the sender speaks (IHE PCD: the device
// is the one in OBX-18 or PRT-10): "one", "many", or "" where none is named.
func hl7Devices(d *device.Device) string {
	ids, names := map[string]bool{}, 0
	for i := range d.Facts {
		f := &d.Facts[i]
		if f.Kind != fact.HL7Equipment && f.Kind != fact.HL7Device {
			continue
		}
		if m := eui64.FindStringSubmatch(f.Value); m != nil {
			ids[strings.ToLower(m[1])] = true
		} else if f.Kind == fact.HL7Equipment {
			names++
		}
	}
	switch {
	case len(ids) > 1 || names >= manyNames:
		return many
	case len(ids) == 1 || names > 0:
		return one
	}
	return ""
}
