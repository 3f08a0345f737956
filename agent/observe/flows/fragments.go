package flows

import (
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

// Bounds of reassembly. A ward device's datagrams fit; who sends longer ones
// or more at a time is not read.
const (
	maxDatagrams     = 64
	maxOfSender      = 16              // datagrams of one MAC
	maxDatagram      = 16 << 10        // bytes
	fragmentLifetime = int64(30 * 1e9) // nanoseconds, RFC 1122 §3.3.2: 60 to 120 s at hosts
)

// origin tells datagrams apart. RFC 791 §3.2 does it by addresses, protocol and
// id; the MAC and the way keep a host that guesses those from lending its bytes
// to another.
type origin struct {
	src, dst [16]byte
	mac      [6]byte
	id       uint32
	vlan     uint16
	network  dissect.Network
	proto    uint8
	way      Way
}

// datagram is one that is being put together.
type datagram struct {
	origin

	began  int64 // table time, 0: free
	bad    bool  // overlaps, holes beyond counting, too long
	total  uint32
	spans  spans
	frames uint64
	bytes  uint64
	buf    []byte
}

// Fragments puts IP datagrams together, within bounds. The zero value is ready.
type Fragments struct {
	d       [maxDatagrams]datagram
	lent    *datagram // complete, its bytes with the caller
	Dropped uint64    // datagrams that were given up
}

// Add takes a fragment of so many bytes on the wire. When it completes its
// datagram, data are the datagram's, good until Release, and frames and bytes
// are what it came in.
func (f *Fragments) Add(v *dissect.View, way Way, now int64, wire int) (data []byte, frames, bytes uint64) {
	f.Release()
	d := f.find(v, way, now)
	d.frames++
	d.bytes += uint64(wire)
	if d.bad {
		return nil, 0, 0
	}
	if !d.add(v) {
		d.bad = true
		clear(d.buf)
		return nil, 0, 0
	}
	if d.total == 0 || d.spans.prefix() != d.total || d.spans.n != 1 {
		return nil, 0, 0
	}
	f.lent = d
	return d.buf[:d.total], d.frames, d.bytes
}

// Release takes the bytes back that Add handed out, and clears them: they may
// be of a patient.
func (f *Fragments) Release() {
	if f.lent != nil {
		f.lent.free()
		f.lent = nil
	}
}

// Expire gives up what was not completed in time, so that its bytes do not wait
// for the next fragment to push them out.
func (f *Fragments) Expire(now int64) {
	for i := range f.d {
		if d := &f.d[i]; d.began != 0 && now-d.began > fragmentLifetime {
			f.drop(d)
		}
	}
}

// add copies the fragment to its place. Fragments that overlap are never sent
// by an honest host (RFC 5722, RFC 8200 §4.5); an exact copy may come twice.
func (d *datagram) add(v *dissect.View) bool {
	from, to := v.FragOffset, v.FragOffset+uint32(len(v.FragData))
	if v.Truncated || to > maxDatagram || from == to || d.total != 0 && to > d.total {
		return false
	}
	if !v.FragMore {
		if d.total != 0 && d.total != to || d.spans.n > 0 && d.spans.s[d.spans.n-1].to > to {
			return false
		}
		d.total = to
	}
	g, missing := d.spans.gap(from, to)
	if !missing {
		return string(d.buf[from:to]) == string(v.FragData)
	}
	if g != (span{from, to}) {
		return false
	}
	if int(to) > len(d.buf) {
		b := make([]byte, min(max(int(to), 2*len(d.buf)), maxDatagram))
		copy(b, d.buf)
		clear(d.buf)
		d.buf = b
	}
	copy(d.buf[from:to], v.FragData)
	return d.spans.add(g)
}

// find returns the datagram of a fragment, a fresh one if need be: in place of
// the oldest, or of the sender's own oldest where it has its share.
func (f *Fragments) find(v *dissect.View, way Way, now int64) *datagram {
	of := origin{
		src: v.SrcIP, dst: v.DstIP, mac: v.SrcMAC, id: v.FragID, vlan: v.VLAN, network: v.Network, proto: v.FragProto, way: way,
	}
	oldest, own, owned := &f.d[0], (*datagram)(nil), 0
	for i := range f.d {
		d := &f.d[i]
		if d.began != 0 && now-d.began > fragmentLifetime {
			f.drop(d)
		}
		if d.began != 0 && d.origin == of {
			return d
		}
		if d.began < oldest.began {
			oldest = d
		}
		if d.began != 0 && d.mac == of.mac {
			if owned++; own == nil || d.began < own.began {
				own = d
			}
		}
	}
	if owned >= maxOfSender {
		oldest = own
	}
	if oldest.began != 0 {
		f.drop(oldest)
	}
	*oldest = datagram{origin: of, began: max(now, 1), buf: oldest.buf}
	return oldest
}

func (f *Fragments) drop(d *datagram) {
	d.free()
	f.Dropped++
}

// free empties the slot; its buffer stays for the next.
func (d *datagram) free() {
	d.began = 0
	clear(d.buf)
}
