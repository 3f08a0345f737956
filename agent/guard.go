package agent

import (
	"context"
	"errors"
)

// guard ends the agent when the database has come into an unknown state: the
// next start goes through the preflight.
type guard struct {
	broken <-chan struct{}
	ready  chan struct{}
}

func newGuard(broken <-chan struct{}) *guard {
	g := &guard{broken: broken, ready: make(chan struct{})}
	close(g.ready)
	return g
}

func (g *guard) String() string         { return "store" }
func (g *guard) Ready() <-chan struct{} { return g.ready }

func (g *guard) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-g.broken:
		return errors.New("state of the database is unknown; a new start will check it")
	}
}
