package store

import (
	"bytes"
	"fmt"
)

// Vital is the bucket of the few records without which the rest means nothing:
// the epoch, and counters that may never run twice. Check condemns a file in
// which one of them is damaged.
const Vital = "vital"

// Tx is one transaction. It must not be kept.
type Tx struct {
	raw      raw
	writable bool
}

// Get returns a copy of the value, nil if there is none. The error wraps
// ErrDamaged where the record is not what was written.
func (t *Tx) Get(bucket string, key []byte) ([]byte, error) {
	rec := t.raw.get(bucket, key)
	if rec == nil {
		return nil, nil
	}
	v, err := unseal(bucket, key, rec)
	if err != nil {
		return nil, err
	}
	return append(make([]byte, 0, len(v)), v...), nil
}

// Put keeps the value under a key of 1 to 1024 bytes.
func (t *Tx) Put(bucket string, key, value []byte) error {
	if !t.writable {
		return fmt.Errorf("put into %s: the transaction only reads", bucket)
	}
	if len(key) == 0 || len(key) > 1024 {
		return fmt.Errorf("put into %s: key of %d bytes, want 1 to 1024", bucket, len(key))
	}
	if err := t.raw.put(bucket, bytes.Clone(key), seal(bucket, key, value)); err != nil {
		return fmt.Errorf("put into %s: %w", bucket, err)
	}
	return nil
}

// Delete forgets a key; it is no error if there is none.
func (t *Tx) Delete(bucket string, key []byte) error {
	if !t.writable {
		return fmt.Errorf("delete from %s: the transaction only reads", bucket)
	}
	if err := t.raw.del(bucket, key); err != nil {
		return fmt.Errorf("delete from %s: %w", bucket, err)
	}
	return nil
}

// Each calls fn for the keys from from on, in byte order, while it returns
// true. Key and value are borrowed for the call; err wraps ErrDamaged and
// stands for the value of a damaged record. fn must not change the bucket.
func (t *Tx) Each(bucket string, from []byte, fn func(key, value []byte, err error) bool) {
	t.raw.each(bucket, from, func(key, rec []byte) bool {
		v, err := unseal(bucket, key, rec)
		return fn(key, v, err)
	})
}

// Last returns a copy of the greatest key, nil in an empty bucket.
func (t *Tx) Last(bucket string) []byte { return bytes.Clone(t.raw.last(bucket)) }
