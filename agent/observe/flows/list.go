package flows

// list is one class of flows, the least recently used first. 0 is no record.
type list struct{ head, tail uint32 }

func (t *Table) unlink(i uint32) {
	r := &t.records[i]
	l := &t.lists[r.class]
	if r.prev == 0 {
		l.head = r.next
	} else {
		t.records[r.prev].next = r.next
	}
	if r.next == 0 {
		l.tail = r.prev
	} else {
		t.records[r.next].prev = r.prev
	}
	r.prev, r.next = 0, 0
}

func (t *Table) push(i uint32, c class) {
	r := &t.records[i]
	l := &t.lists[c]
	r.class, r.prev, r.next = c, l.tail, 0
	if l.tail == 0 {
		l.head = i
	} else {
		t.records[l.tail].next = i
	}
	l.tail = i
}

// move puts a flow at the young end of a class.
func (t *Table) move(i uint32, c class) {
	t.unlink(i)
	t.push(i, c)
}

// touch makes a flow the youngest of its class, to the second: a list's
// neighbours are seldom in the processor's cache. It notes that it has news.
func (t *Table) touch(i uint32, now int64) {
	r := &t.records[i]
	if r.touched = now; now-r.placed >= int64(1e9) {
		r.placed = now
		t.move(i, r.class)
	}
	r.dirty = true
	if !r.queued {
		r.queued = true
		t.dirty = append(t.dirty, i)
	}
}

// add makes an empty record, at the cost of another where the table is full.
func (t *Table) add(k *key, short key4, now, wall int64) uint32 {
	if t.live >= t.opt.Flows {
		t.evict()
	}
	i := t.free
	if i != 0 {
		t.free = t.records[i].next
	} else {
		i = uint32(len(t.records))
		t.records = append(enlarge(t.records, t.opt.Flows+1), record{})
	}
	t.stats.Flows++
	t.records[i] = record{key: *k, id: t.stats.Flows, opener: openerUnknown, first: wall, last: wall, placed: now, queued: t.records[i].queued}
	if k.family == familyIPv4 {
		t.v4[short] = i
	} else {
		t.other[*k] = i
	}
	t.push(i, classAttempt)
	t.live++
	return i
}

// enlarge makes room for one more, by doubling and up to most: append alone would
// end with a quarter too much.
func enlarge[E any](s []E, most int) []E {
	if len(s) < cap(s) {
		return s
	}
	return append(make([]E, 0, max(len(s)+1, min(2*len(s), most))), s...)
}

// evict gives up the flow that is worth least: ended before attempted before
// answered, and the least recently used of those.
func (t *Table) evict() {
	for c := classClosing; c < classes; c++ {
		if i := t.lists[c].head; i != 0 {
			t.end(i)
			t.stats.Evicted++
			return
		}
	}
}

// end reports a flow for the last time and frees its record.
func (t *Table) end(i uint32) {
	t.finish(i)
	r := &t.records[i]
	// Of an attempt that was reported there is nothing more to say: a flood of
	// them must not cost two reports each.
	if r.dirty || r.answered() && !r.ended {
		r.ended = true
		t.emit(r)
	}
	if r.key.family == familyIPv4 {
		delete(t.v4, r.key.short())
	} else {
		delete(t.other, r.key)
	}
	t.unlink(i)
	r.dirty, r.class = false, 0
	r.next, t.free = t.free, i
	t.live--
}

// emit hands over the delta, once for each side that is a device.
func (t *Table) emit(r *record) {
	for side := range 2 {
		if r.device&(1<<side) != 0 && t.opt.Emit != nil {
			t.delta = r.report(side) // a local one would be allocated
			t.opt.Emit(&t.delta)
		}
	}
	r.packets, r.bytes, r.dirty = [2]uint64{}, [2]uint64{}, false
}

// Report hands over all deltas and forgets what was idle for too long. It is
// to be called once a second or so.
func (t *Table) Report(now int64) {
	for _, i := range t.dirty {
		r := &t.records[i]
		r.queued = false
		if r.dirty {
			t.emit(r)
		}
	}
	t.dirty = t.dirty[:0]
	for c := classClosing; c < classes; c++ {
		for i := t.lists[c].head; i != 0 && now-t.records[i].touched > c.idle(); i = t.lists[c].head {
			t.end(i)
		}
	}
}

// Close ends all flows.
func (t *Table) Close() {
	t.Report(0)
	for c := classClosing; c < classes; c++ {
		for i := t.lists[c].head; i != 0; i = t.lists[c].head {
			t.end(i)
		}
	}
}
