package flows

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

// Way says which side of a frame is a device of ours.
type Way uint8

// Ways.
const (
	FromDevice  Way = iota + 1 // came in from the device
	ToDevice                   // goes out to the device
	BothDevices                // nobody knows: a capture file, a mirror port
)

// Bits of Way.sides.
const (
	deviceSource = 1
	deviceTarget = 2
)

// sides are the device bits of a way, source and target.
func (w Way) sides() uint8 {
	switch w {
	case FromDevice:
		return deviceSource
	case ToDevice:
		return deviceTarget
	case BothDevices:
		return deviceSource | deviceTarget
	}
	return 0
}

// Options bound a Table.
type Options struct {
	Flows       int // most flows, 0 for 65,536
	Streams     int // most TCP directions being assembled, 0 for 4,096
	StreamBytes int // most bytes assembled of one, 0 for 16 KiB
	// Emit takes a delta; it copies what it keeps.
	Emit func(*fact.Flow)
	// Read is shown streams; nil for none.
	Read Reader
}

// Stats counts what a table did.
type Stats struct {
	Flows          uint64 // begun
	Evicted        uint64 // given up because the table was full
	Streams        uint64 // TCP directions that had to be assembled
	StreamsEvicted uint64 // given up because there was no room
}

// Table is the flow table. It belongs to one goroutine.
type Table struct {
	opt     Options
	v4      map[key4]uint32
	other   map[key]uint32
	records []record // 0 is no record
	free    uint32   // list through next
	live    int
	lists   [classes]list
	dirty   []uint32 // records that may have something to report
	streams streams
	conn    Conn      // what the reader is shown
	delta   fact.Flow // what Emit is shown
	stats   Stats
}

// New makes an empty table.
func New(opt Options) *Table {
	if opt.Flows <= 0 {
		opt.Flows = 65536
	}
	if opt.Streams <= 0 {
		opt.Streams = 4096
	}
	if opt.StreamBytes <= 0 {
		opt.StreamBytes = 16 << 10
	}
	return &Table{
		opt: opt, v4: make(map[key4]uint32), other: make(map[key]uint32), records: make([]record, 1),
		streams: newStreams(opt.Streams, opt.StreamBytes),
	}
}

// Stats are totals since New.
func (t *Table) Stats() Stats { return t.stats }

// Len is the number of flows in the table.
func (t *Table) Len() int { return t.live }

// Outcome is what a frame changed.
type Outcome struct {
	// Served: the frame proves that its sender serves Service and that its
	// target, which asked, uses it.
	Served  bool
	Service fact.Service
	// Answered: both sides have sent something that is no refusal.
	Answered bool
}

// Frame counts one frame, or a datagram put together from several. now is the
// table's time, which never falls; wall is the frame's.
func (t *Table) Frame(v *dissect.View, way Way, now, wall int64, packets, bytes uint64) (out Outcome) {
	k, side, ok := keyOf(v)
	if !ok {
		return out
	}
	device := way.sides()
	if v.Group() {
		device &= deviceSource
	}
	if device == 0 { // goes out to a group: nobody's conversation
		return out
	}
	if side == 1 {
		device = device>>1 | device&1<<1
	}
	if way != BothDevices {
		k.device = device
	}
	var short key4
	var i uint32
	if k.family == familyIPv4 {
		short = k.short()
		i = t.v4[short]
	} else {
		i = t.other[k]
	}
	if i != 0 && t.records[i].restarts(v, side, way) {
		t.end(i)
		i = 0
	}
	if i == 0 {
		i = t.add(&k, short, now, wall)
		t.records[i].describe(v, side)
	}
	r := &t.records[i]
	r.device |= device
	r.addresses(v, side)
	r.packets[side] += packets
	r.bytes[side] += bytes
	r.last = max(r.last, wall)
	t.touch(i, now)
	if v.Transport == dissect.TransportTCP {
		out.Served = r.segment(v, side)
		t.assemble(i, side, v)
	} else {
		r.seen |= 1 << side
		out.Served = !r.served && r.answered() && r.opener == openerOf(1-side) && r.key.proto == 17 && r.key.family != familyEther
	}
	out.Answered = r.answered()
	if out.Served {
		r.served = true
		out.Service = r.key.service(int(r.server))
	}
	if c := r.wants(); c != r.class {
		t.move(i, c)
	}
	return out
}

// addresses notes the MACs; the sender's own frames are believed first.
func (r *record) addresses(v *dissect.View, side int) {
	r.mac[side] = v.SrcMAC
	r.sourced |= 1 << side
	if r.sourced&(1<<(1-side)) == 0 {
		r.mac[1-side] = v.DstMAC
	}
}

// restarts reports that a frame belongs to another flow of the same key: a new
// connection, or a device that has the address now. (A mirror port may show the
// same packet before and after a router, so there a MAC says nothing.)
func (r *record) restarts(v *dissect.View, side int, way Way) bool {
	if way == FromDevice && r.sourced&(1<<side) != 0 && r.mac[side] != v.SrcMAC {
		return true
	}
	if v.Transport != dissect.TransportTCP || v.TCP.Flags&dissect.TCPSyn == 0 {
		return false
	}
	if r.opener == openerUnknown { // who serves was a guess, which no SYN can mend
		return true
	}
	if !r.answered() || v.TCP.Flags&dissect.TCPAck != 0 {
		return false
	}
	// The same sequence number again is a retransmission.
	d := &r.tcp[side]
	return r.ended || !d.known || d.base != v.TCP.Seq+1
}

// segment follows the connection's state; it reports a SYN that was answered.
func (r *record) segment(v *dissect.View, side int) (served bool) {
	flags := v.TCP.Flags
	if flags&dissect.TCPRst == 0 {
		r.seen |= 1 << side
	}
	if flags&dissect.TCPFin != 0 {
		r.fin |= 1 << side
	}
	switch {
	case flags&dissect.TCPRst != 0 || r.fin == 3:
		r.ended = true
	case flags&dissect.TCPSyn != 0 && !r.answered(): // refused, and tried again
		r.ended = false
	}
	return !r.served && v.TCP.Has(dissect.TCPSyn|dissect.TCPAck) && int(r.server) == side
}
