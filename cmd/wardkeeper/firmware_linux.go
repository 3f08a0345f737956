package main

import (
	"os"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent"
)

// started adds what the kernel was started with: on an image of ours the boot
// loader says slot and version on its command line.
func started(b agent.Build, cmdline, release string) agent.Build {
	for _, word := range strings.Fields(cmdline) {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "ward.slot":
			b.Slot = value
		case "ward.version":
			b.Image = value
		}
	}
	b.Kernel = strings.TrimSpace(release)
	return b
}

// procFile reads a file of /proc; where it is not to be had, nothing is known.
func procFile(name string) string {
	b, _ := os.ReadFile("/proc/" + name)
	return string(b)
}
