package flows

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

// class orders flows by how soon they are given up; each is a list with the
// least recently used flow first.
type class uint8

const (
	classClosing  class = iota + 1 // ended, lingers for stray segments
	classAttempt                   // one direction only
	classDatagram                  // answered, no TCP
	classStream                    // answered TCP
	classes                        // one more than the last
)

// idle is how long a flow of a class is kept without a frame, in nanoseconds.
func (c class) idle() int64 {
	const second = int64(1e9)
	switch c {
	case classClosing:
		return 10 * second
	case classAttempt:
		return 120 * second
	case classDatagram:
		return 180 * second
	}
	return 3600 * second
}

// record is one flow. It holds no pointer; sides are numbered as in its key.
type record struct {
	key        key
	id         uint64
	mac        [2]fact.MAC
	packets    [2]uint64 // since the last report
	bytes      [2]uint64
	first      int64 // wall time
	last       int64 // wall time
	touched    int64 // table time, for idleness
	placed     int64 // table time when it was put into its place of the list
	prev, next uint32
	tcp        [2]direction
	class      class
	device     uint8 // bit per side: it is a device
	seen       uint8 // bit per side: it sent something that is no refusal
	sourced    uint8 // bit per side: mac is from a frame that it sent
	fin        uint8 // bit per side: it sent FIN
	server     uint8 // the side that has the service's port
	opener     opener
	ended      bool
	dirty      bool // has something to report
	queued     bool // stands in Table.dirty, this record or the one before
	served     bool // the service was proven
}

// opener is the side that began.
type opener uint8

const (
	openerUnknown opener = iota + 1
	openerA
	openerB
)

func openerOf(side int) opener { return openerA + opener(side) }

// describe fills in who began and which side serves, by the first frame.
func (r *record) describe(v *dissect.View, side int) {
	r.server = uint8(1 - side)
	switch v.Transport {
	case dissect.TransportTCP:
		switch {
		case v.TCP.Has(dissect.TCPSyn | dissect.TCPAck):
			r.opener, r.server = openerOf(1-side), uint8(side)
		case v.TCP.Has(dissect.TCPSyn):
			r.opener = openerOf(side)
		case v.SrcPort < v.DstPort: // in the middle: the lower port serves
			r.server = uint8(side)
		}
	case dissect.TransportUDP:
		if replies(v.SrcPort, v.DstPort) {
			r.server = uint8(side)
			return
		}
		r.opener = openerOf(side)
	case dissect.TransportICMP:
		if icmpRequest(v.ICMPType) == uint16(v.ICMPType) {
			r.opener = openerOf(side)
		}
	case dissect.TransportICMPv6:
		if v.ICMPType != dissect.ICMPv6EchoReply {
			r.opener = openerOf(side)
		}
	default:
		r.opener = openerOf(side)
	}
}

// Ports from which programs take the one they ask with (IANA: 49152, Linux:
// 32768), and below which they serve.
const (
	ephemeral   = 32768
	wellKnown   = 1024
	dhcpServer  = 67
	dhcpClient  = 68
	serverLimit = 10000
)

// replies reports a first datagram that looks like an answer to one which was
// not seen, or which went to a group (SSDP).
func replies(src, dst uint16) bool {
	return src == dhcpServer && dst == dhcpClient || src < wellKnown && dst >= wellKnown || src < serverLimit && dst >= ephemeral
}

// answered reports that both sides spoke.
func (r *record) answered() bool { return r.seen == 3 }

// wants is the class that the flow belongs into now.
func (r *record) wants() class {
	switch {
	case r.ended:
		return classClosing
	case !r.answered():
		return classAttempt
	case r.key.family != familyEther && r.key.proto == 6:
		return classStream
	}
	return classDatagram
}

// report makes the delta as the device on one side sees it.
func (r *record) report(side int) fact.Flow {
	peer := 1 - side
	f := fact.Flow{
		Device: r.mac[side], DeviceIP: r.key.addr(side), Peer: r.mac[peer], PeerIP: r.key.addr(peer),
		VLAN: r.key.vlan, Service: r.key.service(int(r.server)), Opener: fact.OpenerUnknown,
		Answered: r.answered(), Ended: r.ended,
		PacketsFrom: r.packets[side], BytesFrom: r.bytes[side], PacketsTo: r.packets[peer], BytesTo: r.bytes[peer],
		First: r.first, Last: r.last,
	}
	switch r.opener {
	case openerOf(side):
		f.Opener = fact.OpenerDevice
	case openerOf(peer):
		f.Opener = fact.OpenerPeer
	}
	return f
}
