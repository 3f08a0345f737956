package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Store is the open store. It is safe for concurrent use; calls run one after
// the other.
type Store struct {
	path   string
	size   int64         // of the file
	ram    atomic.Bool   // records are in memory
	waits  atomic.Bool   // Return may bring them to the disk
	broken chan struct{} // closed at the first unknown state

	mu       sync.Mutex
	b        backend // mu; nil once closed
	fault    error   // mu; why the store is broken
	commits  uint64  // mu
	failures int     // mu; noted on disk, taken back after settled commits
}

// settled is how many commits must succeed before earlier failures no longer
// count towards giving the disk up.
const settled = 64

// Update runs fn in a writing transaction: it is on the disk, whole, when
// Update returns nil. Errors of fn roll back and are returned as they are; the
// others wrap ErrFull (rolled back), ErrUnknown or ErrClosed.
func (s *Store) Update(fn func(*Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var own error
	err := s.run("commit", func() error {
		return s.b.update(func(r raw) error {
			own = fn(&Tx{raw: r, writable: true})
			return own
		})
	}, func(err error) bool { return own != nil && !full(own) && errors.Is(err, own) })
	if err == nil {
		s.commits++
		if s.failures > 0 && s.commits >= settled {
			s.failures = 0
			clearFailures(s.path)
		}
	}
	return err
}

// View runs fn in a reading transaction, under the same door: keep it short.
func (s *Store) View(fn func(*Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var own error
	return s.run("read", func() error {
		return s.b.view(func(r raw) error {
			own = fn(&Tx{raw: r})
			return own
		})
	}, func(err error) bool { return own != nil && errors.Is(err, own) })
}

// run does op behind the guard and sorts its errors; harmless tells those that
// came from the caller's own function.
func (s *Store) run(what string, op func() error, harmless func(error) bool) error {
	switch {
	case s.b == nil:
		return ErrClosed
	case s.fault != nil:
		return s.fault
	}
	err := guard(op)
	switch {
	case err == nil || harmless(err):
		return err
	case errors.Is(err, ErrFull):
		return fmt.Errorf("%s: %w", what, err)
	case full(err):
		return fmt.Errorf("%s: %w: %w", what, ErrFull, err)
	}
	// bbolt may or may not have the transaction: after a failed sync its pages
	// are in the cache but perhaps never on the disk. Stop here.
	s.fault = fmt.Errorf("%s: %w: %w", what, ErrUnknown, err)
	s.failures++
	noteFailures(s.path, s.failures)
	close(s.broken)
	return s.fault
}

// Broken is closed when the store has come into an unknown state: the process
// should end and be started again, into the preflight.
func (s *Store) Broken() <-chan struct{} { return s.broken }

// RAM reports that records are kept in memory only. It never blocks.
func (s *Store) RAM() bool { return s.ram.Load() }

// Close ends the store; a call that is running ends first.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.b == nil {
		return nil
	}
	b := s.b
	s.b = nil
	var err error
	if f, ok := b.(*boltFile); ok && s.fault != nil {
		f.abandon()
	} else {
		err = guard(b.close)
		if s.failures > 0 && !s.RAM() {
			clearFailures(s.path)
		}
	}
	if err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}
