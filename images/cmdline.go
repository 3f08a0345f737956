package images

import (
	"fmt"
	"strings"
)

// Words of ours on the kernel's command line.
const (
	slotWord    = "ward.slot="
	versionWord = "ward.version="
)

// KernelCmdline is the kernel's command line of a slot, "a" or "b", of an image of
// that version. panic= and oops= make of any fault of the kernel a restart: a ward
// must not stay without its network. gpt: the backup of the partition table serves
// where a power cut spoilt the other.
func (b Board) KernelCmdline(slot, version string) string {
	return strings.TrimSpace(fmt.Sprintf("console=%s,%d quiet loglevel=4 panic=3 oops=panic gpt ro %s%s %s%s %s",
		b.Console.Device, b.Console.Baud, slotWord, slot, versionWord, version, b.Cmdline))
}

// Started is what a kernel was started as.
type Started struct {
	Slot    string // "a" or "b"; "" on a system that is no image of ours
	Version string // of the image, "" where it is not known
}

// ReadCmdline reads /proc/cmdline. As with the kernel's own words the last one
// counts.
func ReadCmdline(line string) Started {
	var s Started
	for _, word := range strings.Fields(line) {
		if v, ok := strings.CutPrefix(word, slotWord); ok && (v == "a" || v == "b") {
			s.Slot = v
		}
		if v, ok := strings.CutPrefix(word, versionWord); ok {
			s.Version = v
		}
	}
	return s
}
