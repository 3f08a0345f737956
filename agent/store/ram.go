package store

import (
	"slices"
	"strings"
)

// ram keeps records in memory: what is left when the disk cannot be used. It
// is bounded like the file, and forgets all when the process ends.
type ram struct {
	limit   int // bytes of keys and records
	used    int
	buckets map[string]*ramBucket
}

type ramBucket struct {
	keys    []string // sorted
	records map[string][]byte
}

func newRAM(limit int64) *ram {
	return &ram{limit: int(limit), buckets: make(map[string]*ramBucket)}
}

// update undoes the steps in reverse order where fn fails.
func (r *ram) update(fn func(raw) error) (err error) {
	t := &ramTx{r: r}
	done := false
	defer func() { // also when fn panics
		if done && err == nil {
			return
		}
		for i := len(t.undo) - 1; i >= 0; i-- {
			u := t.undo[i]
			r.set(u.bucket, u.key, u.record)
		}
	}()
	err = fn(t)
	if err == nil && r.used > r.limit {
		err = ErrFull
	}
	done = true
	return err
}

func (r *ram) view(fn func(raw) error) error { return fn(&ramTx{r: r}) }

func (r *ram) close() error { return nil }

// set puts a record, or deletes it where record is nil.
func (r *ram) set(bucket, key string, record []byte) {
	b := r.buckets[bucket]
	if b == nil {
		b = &ramBucket{records: make(map[string][]byte)}
		r.buckets[bucket] = b
	}
	old, had := b.records[key]
	i, _ := slices.BinarySearch(b.keys, key)
	switch {
	case record == nil && had:
		delete(b.records, key)
		b.keys = slices.Delete(b.keys, i, i+1)
		r.used -= len(key) + len(old)
	case record != nil && had:
		b.records[key] = record
		r.used += len(record) - len(old)
	case record != nil:
		b.records[key] = record
		b.keys = slices.Insert(b.keys, i, key)
		r.used += len(key) + len(record)
	}
}

type ramTx struct {
	r    *ram
	undo []ramStep
}

// ramStep is what a key held before; nil: nothing.
type ramStep struct {
	bucket, key string
	record      []byte
}

func (t *ramTx) change(bucket string, key, record []byte) {
	k := strings.Clone(string(key))
	t.undo = append(t.undo, ramStep{bucket, k, t.get(bucket, key)})
	t.r.set(bucket, k, record)
}

func (t *ramTx) get(bucket string, key []byte) []byte {
	if b := t.r.buckets[bucket]; b != nil {
		return b.records[string(key)]
	}
	return nil
}

func (t *ramTx) put(bucket string, key, record []byte) error {
	t.change(bucket, key, record)
	return nil
}

func (t *ramTx) del(bucket string, key []byte) error {
	t.change(bucket, key, nil)
	return nil
}

func (t *ramTx) each(bucket string, from []byte, fn func(key, record []byte) bool) {
	b := t.r.buckets[bucket]
	if b == nil {
		return
	}
	i, _ := slices.BinarySearch(b.keys, string(from))
	for ; i < len(b.keys); i++ {
		if !fn([]byte(b.keys[i]), b.records[b.keys[i]]) {
			return
		}
	}
}

func (t *ramTx) last(bucket string) []byte {
	b := t.r.buckets[bucket]
	if b == nil || len(b.keys) == 0 {
		return nil
	}
	return []byte(b.keys[len(b.keys)-1])
}
