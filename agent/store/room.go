package store

import "fmt"

// Room is one bucket as a plain map on disk, for owners that need no more.
type Room struct {
	s      *Store
	bucket string
}

// Room returns the bucket of that name.
func (s *Store) Room(bucket string) Room { return Room{s: s, bucket: bucket} }

// Load calls fn for every sound record, in key order, and returns the first
// error of fn. Damaged records are left out.
func (r Room) Load(fn func(key string, value []byte) error) error {
	type record struct {
		key   string
		value []byte
	}
	var all []record // fn runs outside of the door: it may be slow
	err := r.s.View(func(tx *Tx) error {
		tx.Each(r.bucket, nil, func(k, v []byte, err error) bool {
			if err == nil {
				all = append(all, record{string(k), append([]byte(nil), v...)})
			}
			return true
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("load %s: %w", r.bucket, err)
	}
	for _, rec := range all {
		if err := fn(rec.key, rec.value); err != nil {
			return err
		}
	}
	return nil
}

// Save puts the values in one transaction; a nil value deletes its key.
func (r Room) Save(values map[string][]byte) error {
	err := r.s.Update(func(tx *Tx) error {
		for k, v := range values {
			var err error
			if v == nil {
				err = tx.Delete(r.bucket, []byte(k))
			} else {
				err = tx.Put(r.bucket, []byte(k), v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save %s: %w", r.bucket, err)
	}
	return nil
}
