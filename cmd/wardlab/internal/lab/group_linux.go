package lab

import (
	"context"
	"sync"
)

// group is goroutines that end together.
type group struct {
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
}

// start prepares the group. It outlives the run's own context: the order in
// which the ward stops is part of the measurement.
func (g *group) start(ctx context.Context) {
	g.ctx, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
}

// launch runs a simulator; an error of it is the lab's fault.
func (r *run) launch(g *group, name string, fn func(context.Context) error) {
	g.wait.Go(func() {
		if err := fn(g.ctx); err != nil && g.ctx.Err() == nil {
			r.fault(name + ": " + err.Error())
		}
	})
}

// stop ends the group and waits for it.
func (g *group) stop() {
	g.cancel()
	g.wait.Wait()
}

// fault notes a failure of the lab itself.
func (r *run) fault(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.faults) < 10 {
		r.faults = append(r.faults, text)
	}
}
