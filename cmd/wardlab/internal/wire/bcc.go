package wire

import (
	"fmt"
	"strings"
)

// BCCPort is the Space computer interface's (protocols.md 2.11).
const BCCPort = 4001

// BCC is one block of B. Braun's computer interface, the last of its message:
// SOH, length, STX, bed>info, ETX, sum, EOT. Both numbers count the text as it
// is; on the wire D, E, d and e are written as two characters.
func BCC(bed, info string) []byte {
	b := fmt.Sprintf("\x01%05d\x02%s>%s\x03", len(bed)+len(info)+15, bed, info)
	sum := 0
	for _, c := range []byte(b) {
		sum += int(c)
	}
	b = fmt.Sprintf("%s%05d\x04", b, sum%256)
	return []byte(strings.NewReplacer("D", "EX", "E", "EE", "d", "ex", "e", "ee").Replace(b))
}

// BCCValue is one value of a pump, which stands in a slot of the rack.
type BCCValue struct {
	Slot        byte // '1' to '8'
	Name, Value string
}

// BCCValues is the info of an answer: records of time, slot, name and value.
func BCCValues(seconds int, values ...BCCValue) string {
	var records []string
	for _, v := range values {
		records = append(records, fmt.Sprintf("%d,5011%c,%s,%s", seconds, v.Slot, v.Name, v.Value))
	}
	return strings.Join(records, "\x1e")
}
