package witness

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// Stand is a witness on every host's card.
type Stand struct {
	tallies map[cast.Part]*Tally
	raws    []*ward.Raw
	wait    sync.WaitGroup
	failed  atomic.Pointer[error]
}

// Watch puts a witness on every host's card. Frames are counted from here on.
func Watch(w *ward.Ward) (*Stand, error) {
	s := &Stand{tallies: map[cast.Part]*Tally{}}
	for _, p := range w.Cast.Parts() {
		r, err := w.Host(p).Raw(0)
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("witness: %w", err)
		}
		t := NewTally(w.Cast, p)
		s.tallies[p], s.raws = t, append(s.raws, r)
		s.wait.Go(func() { s.read(r, t) })
	}
	return s, nil
}

func (s *Stand) read(r *ward.Raw, t *Tally) {
	b := make([]byte, 128) // headers are enough
	for {
		n, outgoing, err := r.Read(b)
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				err = fmt.Errorf("witness on %v: %w", t.self.Part, err)
				s.failed.Store(&err)
			}
			return
		}
		t.Add(b[:n], outgoing)
	}
}

// At is the tally of a host.
func (s *Stand) At(p cast.Part) *Tally { return s.tallies[p] }

// Sound says why the counts are not to be trusted, if so.
func (s *Stand) Sound() error {
	if e := s.failed.Load(); e != nil {
		return *e
	}
	for _, r := range s.raws {
		n, err := r.Dropped()
		if err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("witness: the kernel dropped %d frames before they were counted", n)
		}
	}
	return nil
}

// Close ends the counting; the tallies stay readable.
func (s *Stand) Close() {
	for _, r := range s.raws {
		r.Close()
	}
	s.wait.Wait()
}
