package flows

import (
	"net/netip"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

// Reader is shown the bytes of TCP connections, each direction by itself.
type Reader interface {
	// Begins tells quickly whether a message may begin with b.
	Begins(b []byte) bool
	// Read is shown bytes that begin where a message may begin: the start of
	// the direction, or of a later segment. It returns how many bytes it is
	// done with, and what it says of the rest: dissect.NeedMore has more of
	// the stream added behind it, until final, when no more will come.
	// b is borrowed.
	Read(c *Conn, b []byte, final bool) (used int, p dissect.Progress)
}

// End is one end of a connection.
type End struct {
	MAC    fact.MAC
	IP     netip.Addr
	Device bool // of ours, and it took part: facts may be stated about it
}

// Conn says whose bytes a Reader is shown.
type Conn struct {
	ID       uint64 // the same for both directions, never used again
	From, To End
	VLAN     uint16
	Time     int64 // wall time of the last frame
	// FromServer: the sender is the side that has the service's port; which is
	// certain where Opened, that is where the SYN was seen.
	FromServer, Opened bool
	Answered           bool // both sides have sent something that is no refusal
	Service            fact.Service
}

// conn describes the direction from a side of a record.
func (r *record) conn(side int) Conn {
	end := func(side int) End {
		// On a port where both directions are seen, what outsiders send to a device
		// that never answers says nothing about it.
		spoke := r.key.device == 0 || r.seen&(1<<side) != 0
		return End{MAC: r.mac[side], IP: r.key.addr(side), Device: spoke && r.device&(1<<side) != 0}
	}
	return Conn{
		ID: r.id, From: end(side), To: end(1 - side), VLAN: r.key.vlan, Time: r.last,
		FromServer: int(r.server) == side, Opened: r.opener != openerUnknown, Answered: r.answered(), Service: r.key.service(int(r.server)),
	}
}
