package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Waits reports that the store is in memory because the disk had no place for
// it, and that Return may be tried. It never blocks.
func (s *Store) Waits() bool { return s.waits.Load() }

// Return makes the file that could not be made when the store was opened, and
// moves there with all records and under the same epoch: nothing is lost and no
// number runs twice, so nobody need start again. It writes the whole size of
// the file, and calls alive after each stretch of it: ask for free space first.
// After an error all is as before, unless the error wraps ErrUnknown; then Broken
// is closed too.
func (s *Store) Return(ctx context.Context, alive func()) error {
	if !s.Waits() {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("return to disk: %w", err)
	}
	// The slow part is outside of the door: callers go on in memory meanwhile.
	tmp, err := lay(ctx, s.path, s.size, alive)
	if err != nil {
		return fmt.Errorf("return to disk: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.move(tmp); err != nil {
		return fmt.Errorf("return to disk: %w", err)
	}
	return nil
}

// move copies the records and takes the file's place. The new name is the
// moment of the change: whoever loses power before it finds no store, and after
// it a whole one.
func (s *Store) move(tmp string) (err error) {
	named := false
	defer func() {
		if !named {
			os.Remove(tmp)
		}
	}()
	from, ok := s.b.(*ram)
	if !ok {
		return ErrClosed
	}
	if !absent(s.path) {
		s.waits.Store(false) // a stranger's file may hold more than we do
		return errors.New("there is a file now: the next start of the agent reads it")
	}
	to, err := openBolt(tmp, s.size)
	if err != nil {
		return err
	}
	err = guard(func() error { return to.update(from.copy) })
	if err == nil {
		err = os.Rename(tmp, s.path)
	}
	if err != nil {
		to.abandon()
		return err
	}
	named = true
	s.b = to
	s.ram.Store(false)
	s.waits.Store(false)
	if err := syncDir(s.path); err != nil {
		s.fault = fmt.Errorf("%w: %w", ErrUnknown, err)
		close(s.broken)
		return s.fault
	}
	return nil
}

// copy puts all records into another transaction, as they are.
func (r *ram) copy(to raw) error {
	for name, b := range r.buckets {
		for _, key := range b.keys {
			if err := to.put(name, []byte(key), b.records[key]); err != nil {
				return err
			}
		}
	}
	return nil
}
