package flows

// stream is the beginning of a message that did not come in one segment.
type stream struct {
	owner      uint32 // record, 0: free
	prev, next uint32 // by age; of a free one next is the next free
	side       uint8
	spans      spans
	buf        []byte // of a size class
}

// streams are the buffers of light TCP, in bounds: a number of streams, bytes
// each, bytes together.
type streams struct {
	s           []stream // 0 is none
	free        uint32
	head, tail  uint32 // by age
	live, limit int
	most        uint32   // bytes of one stream
	room        int      // bytes left for all
	spare       [][]byte // smallest buffers, to be used again
}

const (
	smallest = 2 << 10
	maxSpare = 64
)

// newStreams makes room for limit streams of most bytes. Few messages are
// longer than one small buffer, so that is the share that all together get.
func newStreams(limit, most int) streams {
	return streams{s: make([]stream, 1), limit: limit, most: uint32(most), room: max(limit*smallest, 2*most)}
}

// get makes a stream, or returns 0 where limit or room are used up.
func (p *streams) get(owner uint32, side int) uint32 {
	if p.live >= p.limit || p.room < smallest {
		return 0
	}
	i := p.free
	if i != 0 {
		p.free = p.s[i].next
	} else {
		i = uint32(len(p.s))
		p.s = append(enlarge(p.s, p.limit+1), stream{})
	}
	st := &p.s[i]
	*st = stream{owner: owner, side: uint8(side), prev: p.tail}
	if n := len(p.spare); n > 0 {
		st.buf, p.spare = p.spare[n-1], p.spare[:n-1]
	} else {
		st.buf = make([]byte, smallest)
	}
	p.room -= len(st.buf)
	if p.tail == 0 {
		p.head = i
	} else {
		p.s[p.tail].next = i
	}
	p.tail = i
	p.live++
	return i
}

// put frees a stream. Its bytes are cleared: they may be of a patient.
func (p *streams) put(i uint32) {
	st := &p.s[i]
	p.room += len(st.buf)
	clear(st.buf)
	if len(st.buf) == smallest && len(p.spare) < maxSpare {
		p.spare = append(p.spare, st.buf)
	}
	if st.prev == 0 {
		p.head = st.next
	} else {
		p.s[st.prev].next = st.next
	}
	if st.next == 0 {
		p.tail = st.prev
	} else {
		p.s[st.next].prev = st.prev
	}
	*st = stream{next: p.free}
	p.free = i
	p.live--
}

// insert copies what is new of data to its place; what is there already wins.
// It reports false where the stream has no room for it.
func (p *streams) insert(i, off uint32, data []byte) bool {
	st := &p.s[i]
	end := off + uint32(len(data))
	if end > p.most || end < off || !p.grow(st, int(end)) {
		return false
	}
	for from := off; ; {
		g, ok := st.spans.gap(from, end)
		if !ok {
			return st.spans.add(span{off, end})
		}
		copy(st.buf[g.from:g.to], data[g.from-off:])
		from = g.to
	}
}

// grow doubles the buffer until it holds n bytes.
func (p *streams) grow(st *stream, n int) bool {
	size := len(st.buf)
	for size < n {
		size *= 2
	}
	if size == len(st.buf) {
		return true
	}
	if size-len(st.buf) > p.room {
		return false
	}
	p.room -= size - len(st.buf)
	b := make([]byte, size)
	copy(b, st.buf)
	clear(st.buf)
	st.buf = b
	return true
}

// consume drops the first n bytes of the prefix and what lies apart from it.
func (p *streams) consume(i, n uint32) {
	st := &p.s[i]
	rest := copy(st.buf, st.buf[n:st.spans.prefix()])
	st.spans = spans{}
	if rest > 0 {
		st.spans.add(span{0, uint32(rest)})
	}
}
