package agent

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Task is one thing that runs on the gateway. All tasks run under one group:
// the first error ends the agent, and its supervisor starts it again.
type Task interface {
	// Run works until ctx ends and then returns nil.
	Run(ctx context.Context) error
	// Ready is closed once the task does its work.
	Ready() <-chan struct{}
	// String is the task's name in logs and heartbeats.
	String() string
}

// runAll runs the tasks until ctx ends or one fails.
func runAll(ctx context.Context, tasks []Task) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, t := range tasks {
		g.Go(func() error {
			if err := t.Run(ctx); err != nil {
				return fmt.Errorf("task %s: %w", t, err)
			}
			if ctx.Err() == nil {
				return fmt.Errorf("task %s: ended without being asked to", t)
			}
			return nil
		})
	}
	return g.Wait()
}
