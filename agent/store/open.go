package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Options of Open.
type Options struct {
	// Path of the file; beside it appear PATH.tmp, .failures, .corrupt.N.
	Path string
	// Size in bytes that is set aside and never exceeded; 0: 64 MiB.
	Size int64
	// Preflight runs Check on the path where a fault does no harm: in a child
	// process. nil: no preflight, for tools that read a store at rest.
	Preflight func(ctx context.Context, path string) error
	// PreflightLimit bounds it; 0: 20 s.
	PreflightLimit time.Duration
	// CreateLimit is what making a new file may take, whose whole size is written;
	// 0: 25 s. A disk that takes longer is left to Return.
	CreateLimit time.Duration
}

// Opened says what Open found.
type Opened struct {
	Epoch   string // another after every loss of the file
	Created bool   // there was no file
	Reset   bool   // there was one that was no good: raise alert store.reset
	Aside   string // where that one is now
	RAM     bool   // records are kept in memory only; Reason says for how long
	Reason  string // of Reset and RAM, for a person
}

const (
	defaultSize = 64 << 20
	// ramSize bounds the memory-only store: a quarter of what a small box can
	// spare, and hours of alerts.
	ramSize = 8 << 20
)

// Open opens the store, and makes it where there is none. Damage is no error:
// it is moved out of the way and told in Opened. The error wraps ErrInUse where
// another process has the store, or is that of ctx.
func Open(ctx context.Context, opt Options) (*Store, Opened, error) {
	if opt.Size == 0 {
		opt.Size = defaultSize
	}
	opt.Size = max(opt.Size/pageSize*pageSize, 32*pageSize)
	if opt.PreflightLimit == 0 {
		opt.PreflightLimit = 20 * time.Second
	}
	if opt.CreateLimit == 0 {
		opt.CreateLimit = 25 * time.Second
	}
	o := Opened{}
	if err := os.MkdirAll(filepath.Dir(opt.Path), 0o700); err != nil {
		s, o := inRAM(opt, o, err, absent(opt.Path))
		return s, o, nil
	}
	failures := readFailures(opt.Path)
	last := errors.New("the runs before this one ended in a fault")
	for failures < maxFailures {
		b, err := attempt(ctx, opt, &o)
		if err == nil {
			return &Store{path: opt.Path, size: opt.Size, broken: make(chan struct{}), b: b, failures: failures}, o, nil
		}
		if ctx.Err() != nil || errors.Is(err, ErrInUse) {
			return nil, Opened{}, fmt.Errorf("open store %s: %w", opt.Path, err)
		}
		if unusable(err) {
			s, o := inRAM(opt, o, err, absent(opt.Path))
			return s, o, nil
		}
		last = err
		failures++
		noteFailures(opt.Path, failures)
		if _, serr := os.Stat(opt.Path); serr == nil {
			aside, err := moveAside(opt.Path)
			if err != nil {
				s, o := inRAM(opt, o, fmt.Errorf("%w; move it aside: %w", last, err), false)
				return s, o, nil
			}
			o.Reset, o.Aside, o.Reason = true, aside, last.Error()
		}
	}
	// The next start tries the disk once more: this one stays up without it.
	noteFailures(opt.Path, maxFailures-1)
	s, o := inRAM(opt, o, fmt.Errorf("%d failures in a row, the last: %w", failures, last), false)
	return s, o, nil
}

// attempt makes, checks and opens the file once.
func attempt(ctx context.Context, opt Options, o *Opened) (*boltFile, error) {
	st, err := os.Stat(opt.Path)
	switch {
	case os.IsNotExist(err):
		limited, cancel := context.WithTimeout(ctx, opt.CreateLimit)
		defer cancel()
		if err := create(limited, opt.Path, opt.Size); err != nil {
			if limited.Err() != nil && ctx.Err() == nil {
				err = fmt.Errorf("%w: %w", errSlow, err)
			}
			return nil, err
		}
		o.Created = !o.Reset
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular():
		return nil, fmt.Errorf("%w: not a regular file", ErrDamaged)
	default:
		if err := preflight(ctx, opt); err != nil {
			return nil, err
		}
		// A config that grew; where the disk has no room the file stays as it is.
		if err := extend(ctx, opt.Path, opt.Size, func() {}); err != nil && !full(err) {
			return nil, err
		}
	}
	if st, err = os.Stat(opt.Path); err != nil {
		return nil, err
	}
	b, err := openBolt(opt.Path, st.Size()/pageSize*pageSize)
	if err != nil {
		return nil, err
	}
	err = guard(func() error {
		return b.view(func(r raw) (err error) {
			o.Epoch, err = vital(&Tx{raw: r})
			return err
		})
	})
	if err != nil {
		b.abandon()
		return nil, err
	}
	return b, nil
}

// preflight runs the caller's check. A check that could not be run says nothing
// about the file: then the file is opened, behind the guard.
func preflight(ctx context.Context, opt Options) error {
	// Hold the lock as a reader meanwhile: a store that is merely in use must
	// never be taken for a damaged one, and the child only tells us yes or no.
	b, err := shareBolt(opt.Path)
	if err != nil {
		return fmt.Errorf("read head of file: %w", err)
	}
	defer b.abandon()
	if opt.Preflight == nil {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, opt.PreflightLimit)
	defer cancel()
	if err = opt.Preflight(limited, opt.Path); err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exited interface{ ExitCode() int } // of *exec.ExitError
	if limited.Err() != nil || errors.Is(err, ErrDamaged) || errors.As(err, &exited) {
		return fmt.Errorf("preflight: %w", err)
	}
	return nil
}

// inRAM is the store without a disk: the agent lives on and says so. waits: the
// place was at fault, and there is no file whose records would be lost by
// making a new one, so Return may be tried.
func inRAM(opt Options, o Opened, why error, waits bool) (*Store, Opened) {
	o.Epoch, o.RAM, o.Created = newEpoch(), true, false
	how := "the next start of the agent tries the disk again"
	if waits {
		how = "once the disk has room, all moves there"
	}
	o.Reason = fmt.Sprintf("in memory only, %s: %v", how, why)
	r := newRAM(min(opt.Size, ramSize))
	r.set(Vital, epochKey, seal(Vital, []byte(epochKey), []byte(o.Epoch))) // for Return
	s := &Store{path: opt.Path, size: opt.Size, broken: make(chan struct{}), b: r}
	s.ram.Store(true)
	s.waits.Store(waits)
	return s, o
}

// absent reports that there is certainly no file.
func absent(path string) bool {
	_, err := os.Lstat(path)
	return err != nil && (errors.Is(err, fs.ErrNotExist) || says(err, "not a directory"))
}
