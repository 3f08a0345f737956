package store

import (
	"errors"
	"fmt"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// epochKey is in Vital.
const epochKey = "epoch"

// Check reads the whole structure of the file and the vital records; it changes
// nothing. A damaged file can end the process (a fault in bbolt's goroutine or
// a stack without end): run it in a child, as `wardkeeper db-check PATH` does.
func Check(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("check store: %w", err)
	}
	if st.Size() < 2*pageSize {
		return fmt.Errorf("check store: %w: %d bytes", ErrDamaged, st.Size())
	}
	err = guard(func() error {
		db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true, Timeout: time.Second, NoStatistics: true})
		if err != nil {
			return err
		}
		defer db.Close()
		return db.View(func(tx *bolt.Tx) error {
			var first error
			for e := range tx.Check() { // to its end: its goroutine must not outlive the mapping
				if first == nil {
					first = e
				}
			}
			if first != nil {
				return first
			}
			_, err := vital(&Tx{raw: &boltTx{tx: tx}})
			return err
		})
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("check store: %w", ErrInUse)
	case os.IsPermission(err), os.IsNotExist(err):
		return fmt.Errorf("check store: %w", err)
	}
	return fmt.Errorf("check store: %w: %w", ErrDamaged, err)
}

// vital reads the epoch and looks at every vital record.
func vital(tx *Tx) (epoch string, err error) {
	tx.Each(Vital, nil, func(k, v []byte, e error) bool {
		if e != nil && err == nil {
			err = e
		}
		if string(k) == epochKey {
			epoch = string(v)
		}
		return true
	})
	if err == nil && len(epoch) != 16 {
		err = fmt.Errorf("epoch: %w", ErrDamaged)
	}
	return epoch, err
}
