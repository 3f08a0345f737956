package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent"
)

func TestStarted(t *testing.T) {
	for _, c := range []struct {
		name, cmdline, release string
		want                   agent.Build
	}{
		{"an image of ours", "console=ttyAMA0,115200 quiet ro ward.slot=b ward.version=v1.2\n", "6.1.0-40-arm64\n", agent.Build{Version: "x", Image: "v1.2", Slot: "b", Kernel: "6.1.0-40-arm64"}},
		{"another system", "root=/dev/sda1 ward.slotted=c", "6.18.5", agent.Build{Version: "x", Kernel: "6.18.5"}},
		{"no /proc", "", "", agent.Build{Version: "x"}},
	} {
		if diff := cmp.Diff(c.want, started(agent.Build{Version: "x"}, c.cmdline, c.release)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
