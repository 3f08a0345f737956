package collect

import (
	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// allow lets every client in: the broker stands on a loopback that only the lab
// can reach.
type allow struct{ broker.HookBase }

func (*allow) ID() string { return "allow" }

func (*allow) Provides(b byte) bool {
	return b == broker.OnConnectAuthenticate || b == broker.OnACLCheck
}

func (*allow) OnConnectAuthenticate(*broker.Client, packets.Packet) bool { return true }

func (*allow) OnACLCheck(*broker.Client, string, bool) bool { return true }
