package outbox

import (
	"encoding/binary"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/store"
)

// maxEvict is the most records evicted in one transaction: copy-on-write needs
// pages to delete with, and a full file has few.
const maxEvict = 8

// plan is one transaction: deletions first, then records.
type plan struct {
	done     []ref // acknowledged
	replaced []ref // State values that a put makes old
	evict    []ref
	put      []*entry
	used     int // of held: put, unfit, or less important than all that is there
	unfit    []error
	seq      [classes]uint64
	evicted  [classes]uint64 // totals after it
	chain    string          // what the next audit record follows, after it
}

func (p *plan) empty() bool { return len(p.done)+len(p.evict)+len(p.put) == 0 && p.used == 0 }

// floor is the most important class among the records, which decides what may
// be evicted for them.
func (p *plan) floor() event.Class {
	c := event.Telemetry
	for _, e := range p.put {
		c = min(c, e.ev.Class)
	}
	return c
}

// plan decides on the next transaction for what is held. It takes the events in
// their order and stops at the first that does not fit, so that used is a prefix
// of held and the numbers of a class run on. Deletions come first: they make
// the room, in the file and under the cap, that the records need.
func (b *Box) plan(most int) *plan {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &plan{seq: b.seq, evicted: b.evicted, chain: b.chain}
	bytes := b.bytes
	for _, r := range b.done[:min(len(b.done), most)] {
		p.done = append(p.done, r)
		bytes -= int64(r.size)
	}
	var skip [classes]int // evicted by this plan
	for _, e := range b.held[:min(len(b.held), most)] {
		c := e.ev.Class
		if err := e.seal(b.opt, p.seq[c]+1, p.chain); err != nil {
			p.unfit = append(p.unfit, err)
			p.used++ // the number stays free: no hole
			continue
		}
		size := int64(len(e.record) + 8)
		old, replaces := b.shelves[c].byKey[e.ev.Key]
		if replaces = replaces && c == event.State; replaces {
			i := b.shelves[c].find(old)
			size -= int64(b.shelves[c].items[i].size)
		}
		fits := bytes+size <= b.opt.MaxBytes
		for !fits && len(p.evict) < maxEvict {
			r, ok := b.victim(c, &skip)
			if !ok {
				break
			}
			p.evict = append(p.evict, r)
			p.evicted[r.class]++
			bytes -= int64(r.size)
			fits = bytes+size <= b.opt.MaxBytes
		}
		if !fits {
			if len(p.evict) == maxEvict || len(p.put)+len(p.done) > 0 {
				break // go on in the next transaction
			}
			p.evicted[c]++ // all that is there matters more
			p.used++
			continue
		}
		if replaces && !p.has(event.State, old) {
			p.replaced = append(p.replaced, ref{c, old, int(b.shelves[c].items[b.shelves[c].find(old)].size)})
		}
		p.seq[c]++
		if c == event.Audit {
			p.chain = e.chain
		}
		p.put = append(p.put, e)
		p.used++
		bytes += size
	}
	return p
}

// has reports whether the plan evicts a record.
func (p *plan) has(c event.Class, seq uint64) bool {
	for _, r := range p.evict {
		if r.class == c && r.seq == seq {
			return true
		}
	}
	return false
}

// victim is the oldest record of the least important class that may go for one
// of class c: its own class or one below.
func (b *Box) victim(c event.Class, skip *[classes]int) (ref, bool) {
	for low := event.Telemetry; low >= c; low-- {
		if it := b.shelves[low].oldest(skip[low], 1); len(it) == 1 {
			skip[low]++
			return ref{low, it[0].seq, int(it[0].size)}, true
		}
	}
	return ref{}, false
}

// apply is the transaction.
func (p *plan) apply(tx *store.Tx) error {
	for _, list := range [][]ref{p.done, p.replaced, p.evict} {
		for _, r := range list {
			if err := tx.Delete(bucket(r.class), seqKey(r.seq)); err != nil {
				return err
			}
		}
	}
	for _, e := range p.put {
		if err := tx.Put(bucket(e.ev.Class), seqKey(e.seq), e.record); err != nil {
			return err
		}
	}
	if len(p.put) == 0 && len(p.evict) == 0 {
		return nil // a plain delete stays one: it may use the store's reserve
	}
	for _, c := range event.Classes() {
		for name, n := range map[string]uint64{"seq": p.seq[c], "evicted": p.evicted[c]} {
			if n == 0 {
				continue
			}
			if err := tx.Put(store.Vital, counterKey(name, c), binary.BigEndian.AppendUint64(nil, n)); err != nil {
				return err
			}
		}
	}
	// It outlives the records: the chain goes on behind those that were sent,
	// or had to go.
	if p.seq[event.Audit] > 0 {
		return tx.Put(store.Vital, []byte(chainKey), []byte(p.chain))
	}
	return nil
}

// settle brings the index up to a plan that is on the disk.
func (b *Box) settle(p *plan) {
	b.mu.Lock()
	for _, r := range p.done {
		b.bytes -= int64(r.size)
	}
	b.done = append([]ref(nil), b.done[len(p.done):]...)
	for _, list := range [][]ref{p.replaced, p.evict} {
		for _, r := range list {
			// 0: it was acknowledged meanwhile and is in done, where it counts
			b.bytes -= int64(b.shelves[r.class].remove(r.seq))
		}
	}
	for _, e := range p.put {
		size := len(e.record) + 8
		key := ""
		if e.ev.Class == event.State {
			key = e.ev.Key
		}
		b.shelves[e.ev.Class].add(e.seq, size, key)
		b.bytes += int64(size)
	}
	b.seq, b.evicted, b.chain = p.seq, p.evicted, p.chain
	if len(p.unfit) > 0 && b.refused == 0 && b.opt.Log != nil {
		b.opt.Log.Error("event not kept; more are only counted", "task", b.String(), "err", p.unfit[0])
	}
	b.refused += uint64(len(p.unfit))
	ended := b.ended
	b.mu.Unlock()
	b.held = append([]*entry(nil), b.held[p.used:]...)
	if len(p.put) > 0 && !ended {
		wake(b.changed)
	}
}

// makeRoom deletes a few records in a transaction of their own, for records of
// class c: first what was acknowledged, then the lowest class. It reports false
// where there is nothing to delete.
func (b *Box) makeRoom(c event.Class) (bool, error) {
	for n := maxEvict; n > 0; n /= maxEvict { // eight, or at least one
		b.mu.Lock()
		p := &plan{seq: b.seq, evicted: b.evicted, chain: b.chain, done: append([]ref(nil), b.done[:min(len(b.done), n)]...)}
		var skip [classes]int
		for len(p.done) == 0 && len(p.evict) < n {
			r, ok := b.victim(c, &skip)
			if !ok {
				break
			}
			p.evict = append(p.evict, r)
			p.evicted[r.class]++
		}
		b.mu.Unlock()
		if p.empty() {
			return false, nil
		}
		err := b.store.Update(func(tx *store.Tx) error {
			for _, r := range append(p.done, p.evict...) {
				if err := tx.Delete(bucket(r.class), seqKey(r.seq)); err != nil {
					return err
				}
			}
			return nil // the count of evictions is put with the next record
		})
		if err == nil {
			b.settle(p)
			return true, nil
		}
		if !isFull(err) {
			return false, err
		}
	}
	return false, nil
}
