package nac

import (
	"context"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/nac/internal/child"
)

// refusedStatus is the exit status by which a program says that it changed
// nothing. After any other but 0 nobody knows, and it is undone.
const refusedStatus = 1

// program is the hook "exec": a program that gets the request as JSON on stdin.
type program struct {
	common
	argv []string
}

func (p *program) UndoStep() string { return "run " + p.argv[0] + ` with "action":"undo"` }

func (p *program) Apply(ctx context.Context, r Request) Result { return p.run(ctx, actApply, r) }

func (p *program) Undo(ctx context.Context, r Request) Result { return p.run(ctx, actUndo, r) }

func (p *program) run(ctx context.Context, action string, r Request) Result {
	in, err := encode(action, r)
	if err != nil {
		return Result{Outcome: Refused, Text: err.Error()}
	}
	e, err := child.Run(ctx, p.argv, append(in, '\n'), p.limit)
	text := "exit status 0"
	if err != nil {
		text = err.Error()
	}
	said := line(e.Output)
	switch {
	case err == nil:
		return Result{Done, text, said}
	case !e.Started || e.Code == refusedStatus:
		return Result{Refused, text, said}
	}
	return Result{Unsure, text, said}
}

// common is what all hooks have.
type common struct {
	name  string
	reach Reach
	limit time.Duration // of one call
}

func (c common) Name() string { return c.name }

func (c common) Reach() Reach { return c.reach }
