package utilise

import (
	"net/netip"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// maxPeers is how many peers of a device are told apart.
const maxPeers = 8

// peer is somebody that the device talks with, by its address and its service: a
// router may stand for many. Ports that programs take to ask with (from 32768 on,
// Linux) change and are all one, 0.
type peer struct {
	addr    netip.Addr
	port    uint16
	minutes uint16 // with traffic
	bytes   uint64 // in this minute
}

const ephemeral = 32768

// peers find those that belong to the device's work: who is there minute after
// minute, not who moves most bytes once. A download of updates is no use.
type peers struct {
	list    [maxPeers]peer
	refused bool // somebody found no place in this minute
}

// add counts traffic of this minute. Only a peer of one minute at most gives way
// to another at once: a scan must not push out who is there every day.
func (p *peers) add(addr netip.Addr, port uint16, bytes uint64) {
	var least *peer
	if port >= ephemeral {
		port = 0
	}
	for i := range p.list {
		q := &p.list[i]
		if q.addr == addr && q.port == port {
			q.bytes += bytes
			return
		}
		if q.bytes == 0 && q.minutes <= 1 && (least == nil || q.minutes < least.minutes) {
			least = q
		}
	}
	if least == nil {
		p.refused = true
		return
	}
	*least = peer{addr: addr, port: port, bytes: bytes}
}

// turn ends the minute and returns the bytes with the clinical peers: those with
// at least half the minutes of the most frequent one.
func (p *peers) turn() (bytes uint64) {
	most := uint16(0)
	if p.refused {
		p.wear()
	}
	for i := range p.list {
		q := &p.list[i]
		if q.bytes > 0 && q.minutes < 1<<16-1 {
			q.minutes++
		}
		most = max(most, q.minutes)
	}
	for i := range p.list {
		q := &p.list[i]
		if 2*uint32(q.minutes) >= uint32(most) {
			bytes += q.bytes
		}
		q.bytes = 0
	}
	return bytes
}

// wear takes a minute from the least of those that were silent, so that who goes
// on asking finds a place in the end.
func (p *peers) wear() {
	p.refused = false
	var least *peer
	for i := range p.list {
		if q := &p.list[i]; q.bytes == 0 && q.minutes > 0 && (least == nil || q.minutes < least.minutes) {
			least = q
		}
	}
	if least != nil {
		least.minutes--
	}
}

// age has the past count half, so that another server is found within days.
func (p *peers) age() {
	for i := range p.list {
		p.list[i].minutes /= 2
	}
}

// works reports traffic that may belong to a device's work: not names, time,
// addresses and management, which every host has. What was only attempted is
// none; to a group nobody answers.
func works(f *fact.Flow) bool {
	s := f.Service
	if s.EtherType != 0x0800 && s.EtherType != 0x86dd || s.Proto != 6 && s.Proto != 17 {
		return false
	}
	switch s.Port {
	case 53, 67, 68, 123, 137, 138, 161, 162, 500, 514, 546, 547, 853, 1900, 3702, 4500, 5353, 5355:
		return false
	}
	return f.PeerIP.IsValid() && (f.Answered || f.PeerIP.IsMulticast() || f.Peer.Group())
}
