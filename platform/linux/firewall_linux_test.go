package linux

import (
	"testing"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

func openRig(t *testing.T, buffer int, netfilter bool) *rig.Rig {
	t.Helper()
	return rig.Open(t, rig.Options{
		BridgeNetfilter: netfilter,
		Firewall: func() platform.Firewall {
			return NewFirewall(FirewallOptions{SocketBuffer: buffer})
		},
	})
}

func TestFirewall(t *testing.T) {
	hosttest.Firewall(t, func(t *testing.T) hosttest.Rig { return openRig(t, 0, false) })
}
