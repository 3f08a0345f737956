package flows

import "github.com/wardkeeper/wardkeeper/agent/observe/dissect"

// direction is one half of a TCP connection. At its beginning, and wherever a
// later segment may begin a message, its bytes are shown to the reader; they
// are assembled only while the reader wants more.
type direction struct {
	base   uint32 // sequence number where the message (or the stream) begins
	next   uint32 // behind the last byte that was seen
	stream uint32 // the message being assembled, 0 for none
	known  bool   // base and next are valid
	later  bool   // the beginning is behind us
}

// ahead is the distance from b to a on the circle of sequence numbers.
func ahead(a, b uint32) int32 { return int32(a - b) }

// assemble feeds one segment to its direction.
func (t *Table) assemble(i uint32, side int, v *dissect.View) {
	r := &t.records[i]
	d := &r.tcp[side]
	seq := v.TCP.Seq
	if v.TCP.Flags&dissect.TCPSyn != 0 {
		if seq++; !d.known || d.base != seq {
			t.drop(d)
			*d = direction{base: seq, next: seq, known: true}
		}
	}
	if t.opt.Read == nil {
		return
	}
	// The other end has bytes that we have not: they were lost on the way to us.
	if o := &r.tcp[1-side]; o.stream != 0 && v.TCP.Flags&dissect.TCPAck != 0 {
		if st := &t.streams.s[o.stream]; st.spans.n > 0 && ahead(v.TCP.Ack, o.base+st.spans.prefix()) > 0 &&
			(st.spans.n > 1 || st.spans.prefix() == 0) {
			t.settle(r, 1-side)
		}
	}
	if data := v.Payload; len(data) > 0 {
		if !d.known { // in the middle of the connection
			d.base, d.next, d.known = seq, seq, true
		}
		t.data(i, side, seq, data)
	}
	switch flags := v.TCP.Flags; {
	case flags&dissect.TCPRst != 0:
		t.settle(r, 0)
		t.settle(r, 1)
	case flags&dissect.TCPFin != 0 && d.stream != 0:
		if end := seq + uint32(len(v.Payload)); end == d.base+t.streams.s[d.stream].spans.prefix() {
			t.settle(r, side) // else something is still on its way
		}
	}
}

// fresh cuts off the bytes that are before the message being assembled or,
// where there is none, that were seen before: a sender may send them again with
// more behind them. Nothing is left of a keep-alive.
func (d *direction) fresh(seq uint32, data []byte) (uint32, []byte) {
	from := d.base
	if d.later && d.stream == 0 {
		from = d.next
	}
	off := ahead(seq, from)
	switch {
	case off >= 0:
		return seq, data
	case -int64(off) >= int64(len(data)): // the least int32 has no counterpart
		return seq, nil
	}
	return from, data[-off:]
}

// data takes the bytes of one segment.
func (t *Table) data(i uint32, side int, seq uint32, data []byte) {
	r := &t.records[i]
	d := &r.tcp[side]
	seq, data = d.fresh(seq, data)
	if d.stream != 0 && len(data) > 0 {
		if t.streams.insert(d.stream, uint32(ahead(seq, d.base)), data) {
			d.next = maxSeq(d.next, seq+uint32(len(data)))
			t.grown(r, side)
			return
		}
		t.settle(r, side) // too long, too much disorder, or no room
		seq, data = d.fresh(seq, data)
	}
	if len(data) == 0 {
		return
	}
	d.next = maxSeq(d.next, seq+uint32(len(data)))
	if off := ahead(seq, d.base); off > 0 && !d.later { // the beginning is yet to come
		if d.stream = t.stream(i, side); d.stream != 0 && !t.streams.insert(d.stream, uint32(off), data) {
			t.drop(d)
			d.later = true
		}
		return
	}
	d.later = true
	used, p := t.read(r, side, data, false)
	if p != dissect.NeedMore {
		return
	}
	d.base = seq + uint32(used)
	if d.stream = t.stream(i, side); d.stream != 0 && !t.streams.insert(d.stream, 0, data[used:]) {
		t.drop(d)
	}
}

// read shows the reader b and holds it to its contract.
func (t *Table) read(r *record, side int, b []byte, final bool) (used int, p dissect.Progress) {
	if !t.opt.Read.Begins(b) {
		return 0, dissect.No
	}
	t.conn = r.conn(side) // a local one would be allocated
	used, p = t.opt.Read.Read(&t.conn, b, final)
	if used < 0 || used >= len(b) {
		return 0, dissect.Done // nothing is left to need more of
	}
	return used, p
}

// grown shows the reader a message that has become longer.
func (t *Table) grown(r *record, side int) {
	d := &r.tcp[side]
	st := &t.streams.s[d.stream]
	n := st.spans.prefix()
	if n == 0 {
		return
	}
	d.later = true
	used, p := t.read(r, side, st.buf[:n], false)
	switch {
	case p != dissect.NeedMore:
		t.drop(d)
	case used > 0:
		d.base += uint32(used)
		t.streams.consume(d.stream, uint32(used))
	}
}

// settle shows the reader for the last time what there is of a message, and
// what stands alone behind a hole.
func (t *Table) settle(r *record, side int) {
	d := &r.tcp[side]
	if d.stream == 0 {
		return
	}
	st := &t.streams.s[d.stream]
	for _, s := range st.spans.s[:st.spans.n] {
		t.read(r, side, st.buf[s.from:s.to], true)
	}
	d.later = true
	t.drop(d)
}

// stream makes a stream, at the cost of the oldest where there is no room.
func (t *Table) stream(owner uint32, side int) uint32 {
	t.stats.Streams++
	i := t.streams.get(owner, side)
	for i == 0 && t.streams.head != 0 {
		old := &t.streams.s[t.streams.head]
		t.settle(&t.records[old.owner], int(old.side))
		t.stats.StreamsEvicted++
		i = t.streams.get(owner, side)
	}
	return i
}

func (t *Table) drop(d *direction) {
	if d.stream != 0 {
		t.streams.put(d.stream)
		d.stream = 0
	}
}

// finish gives up both directions of a flow.
func (t *Table) finish(i uint32) {
	r := &t.records[i]
	for side := range 2 {
		t.settle(r, side)
	}
}

func maxSeq(a, b uint32) uint32 {
	if ahead(a, b) > 0 {
		return a
	}
	return b
}
