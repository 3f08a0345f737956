package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Task is one thing that runs on the gateway. The first error of a task ends
// the agent, and its supervisor starts it again.
type Task interface {
	// Run works until ctx ends and then returns nil.
	Run(ctx context.Context) error
	// Ready is closed once the task does its work.
	Ready() <-chan struct{}
	// String is the task's name in logs and heartbeats.
	String() string
}

// stageLimit is how long the tasks of one stage may take to end: the uplink,
// with 3 s for its last records and 2 s for its goodbye, takes longest.
const stageLimit = 6 * time.Second

// runAll runs all tasks until ctx ends or one fails. Then they end stage after
// stage, in the order of the data path: what one hands over with its last
// breath, the next still takes. A task that does not end in time is left
// behind, and is an error.
func runAll(ctx context.Context, stages [][]Task) error {
	var (
		all      = runs{failed: make(chan struct{})}
		stop     = make([]context.CancelFunc, len(stages))
		finished = make([]chan struct{}, len(stages))
	)
	for i, tasks := range stages {
		var stage context.Context
		stage, stop[i] = context.WithCancel(context.WithoutCancel(ctx))
		defer stop[i]()
		var running sync.WaitGroup
		for _, t := range tasks {
			all.begin(t)
			running.Go(func() { all.end(t, t.Run(stage), stage.Err() != nil) })
		}
		finished[i] = make(chan struct{})
		go func() { running.Wait(); close(finished[i]) }()
	}
	select {
	case <-ctx.Done():
	case <-all.failed:
	}
	for i := range stages {
		stop[i]()
		select {
		case <-finished[i]:
		case <-time.After(stageLimit):
		}
	}
	return all.err()
}

// runs is what became of the tasks.
type runs struct {
	failed chan struct{} // closed at the first error

	mu    sync.Mutex
	alive []string // mu
	errs  []error  // mu
}

func (r *runs) begin(t Task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.alive = append(r.alive, t.String())
}

// end notes that a task came back; asked: it was told to.
func (r *runs) end(t Task, err error, asked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.alive, t.String()); i >= 0 {
		r.alive = slices.Delete(r.alive, i, i+1)
	}
	switch {
	case err != nil:
		err = fmt.Errorf("task %s: %w", t, err)
	case !asked:
		err = fmt.Errorf("task %s: ended without being asked to", t)
	default:
		return
	}
	if r.errs = append(r.errs, err); len(r.errs) == 1 {
		close(r.failed)
	}
}

func (r *runs) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.alive) > 0 {
		r.errs = append(r.errs, fmt.Errorf("still running after %s: %s", stageLimit, strings.Join(r.alive, ", ")))
	}
	return errors.Join(r.errs...)
}
