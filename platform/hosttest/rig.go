package hosttest

import (
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// The ports of every rig's gateway, one bridge over all of them.
const (
	Uplink = "uplink"
	Ward1  = "w1"
	Ward2  = "w2"
	Ward3  = "w3"
)

// Ports lists the rig's ports in their fixed order.
func Ports() []string { return []string{Uplink, Ward1, Ward2, Ward3} }

// Rig is a gateway on a test bench: a bridge that has learned no address (it
// floods every frame to all ports but the one it came from), forwards EAPOL
// (01-80-C2-00-00-03) and LLDP (…-0E), and has a wire on each port.
type Rig interface {
	// Firewall is a client of the gateway's kernel. Each call returns another
	// one, with connections of its own, as another process would have.
	Firewall() platform.Firewall
	// Send puts a whole frame (from the destination MAC on, VLAN tags inside)
	// on the wire towards the gateway.
	Send(port string, frame []byte)
	// Receive returns the next frame that the gateway sent out of the port, or
	// nil if none came within the wait.
	Receive(port string, wait time.Duration) []byte
	// Advance lets the time pass.
	Advance(d time.Duration)
}
