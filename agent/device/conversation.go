package device

import (
	"net/netip"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Conversation is what a device and one peer did over one service.
type Conversation struct {
	Peer     netip.Addr
	PeerMAC  fact.MAC // of the next hop; zero if unknown
	Service  fact.Service
	Opener   fact.Opener
	Answered bool // false: only attempted
	// Counts from and to the device.
	PacketsFrom, BytesFrom, PacketsTo, BytesTo uint64
	First, Last                                time.Time
}
