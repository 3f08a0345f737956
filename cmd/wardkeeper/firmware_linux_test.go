package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent"
)

func TestStarted(t *testing.T) {
	for _, c := range []struct {
		name, version, cmdline, release string
		want                            agent.Build
	}{
		{"an image of ours", "x", "console=ttyAMA0,115200 quiet ro ward.slot=b ward.version=v1.2\n", "6.1.0-40-arm64\n", agent.Build{Version: "x", Image: "v1.2", Slot: "b", Kernel: "6.1.0-40-arm64"}},
		{"an agent without a version", unstamped, "ro ward.slot=a ward.version=v1.2", "6.1", agent.Build{Version: "v1.2", Image: "v1.2", Slot: "a", Kernel: "6.1"}},
		{"another system", "x", "root=/dev/sda1 ward.slotted=c", "6.18.5", agent.Build{Version: "x", Kernel: "6.18.5"}},
		{"no /proc", "x", "", "", agent.Build{Version: "x"}},
	} {
		if diff := cmp.Diff(c.want, started(agent.Build{Version: c.version}, c.cmdline, c.release)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
