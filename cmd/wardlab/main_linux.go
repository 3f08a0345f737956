package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/lab"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// Exit codes.
const (
	exitPassed = 0
	exitFailed = 1 // the run was judged and failed
	exitUsage  = 2 // wrong arguments, or no run was possible
)

func main() { os.Exit(logic(os.Args[1:])) }

// logic parses, enters the lab's namespaces and runs.
func logic(args []string) int {
	opts, err := parse(args, os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "wardlab:", err)
		return exitUsage
	case opts == nil: // help was asked for and given
		return exitPassed
	}
	if err := opts.Check(); err != nil {
		fmt.Fprintln(os.Stderr, "wardlab:", err)
		return exitUsage
	}
	code, err := ward.Enter(func() int { return run(*opts) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "wardlab:", err)
		return exitUsage
	}
	return code
}

// run runs the lab and prints its summary.
func run(opts lab.Options) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	s, err := lab.Run(ctx, opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, "wardlab:", err)
		return exitUsage
	}
	write := s.WriteText
	if opts.JSON {
		write = s.WriteJSON
	}
	if err := write(opts.Out); err != nil {
		fmt.Fprintln(os.Stderr, "wardlab:", err)
		return exitUsage
	}
	if !s.Passed {
		return exitFailed
	}
	return exitPassed
}
