package main

import (
	"os"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent"
	"github.com/wardkeeper/wardkeeper/images"
)

// unstamped is Go's word for a module of which it knows no version.
const unstamped = "(devel)"

// started adds what the kernel was started with: on an image of ours the boot
// loader says slot and version on its command line. Image and agent are built as
// one and go by one version; Go has stamped none on that agent, so that the same
// sources are the same bytes wherever they lie.
func started(b agent.Build, cmdline, release string) agent.Build {
	s := images.ReadCmdline(cmdline)
	b.Slot, b.Image = s.Slot, s.Version
	if b.Version == unstamped && b.Image != "" {
		b.Version = b.Image
	}
	b.Kernel = strings.TrimSpace(release)
	return b
}

// procFile reads a file of /proc; where it is not to be had, nothing is known.
func procFile(name string) string {
	b, _ := os.ReadFile("/proc/" + name)
	return string(b)
}
