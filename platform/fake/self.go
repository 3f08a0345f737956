package fake

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/wardkeeper/wardkeeper/platform"
)

var _ platform.Self = (*Self)(nil)

// Self stands for our own binary: its commands are functions.
type Self struct {
	mu       sync.Mutex
	commands map[string]func(ctx context.Context, args []string) error
	err      error
}

func newSelf() *Self {
	return &Self{commands: make(map[string]func(context.Context, []string) error)}
}

// Register makes run the command of that name; it gets the arguments behind it.
func (s *Self) Register(name string, run func(ctx context.Context, args []string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands[name] = run
}

// Fail makes every run fail before it starts, until err is nil again.
func (s *Self) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Memory is always the same.
func (*Self) Memory() (uint64, error) { return 16 << 20, nil }

// Run runs the command that the first argument names.
func (s *Self) Run(ctx context.Context, args ...string) error {
	s.mu.Lock()
	err := s.err
	run := s.commands[strings.Join(args[:min(1, len(args))], "")]
	s.mu.Unlock()
	switch {
	case err != nil:
	case ctx.Err() != nil:
		err = ctx.Err()
	case run == nil:
		err = fmt.Errorf("exit status 2: unknown command")
	default:
		// A process is killed when ctx ends, whatever it is doing.
		done := make(chan error, 1)
		go func() { done <- run(ctx, args[1:]) }()
		select {
		case err = <-done:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
