package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/lab"
)

const usage = `wardlab: a virtual ward for Wardkeeper

  wardlab run [flags]       run the ward with the built agent and judge it
  wardlab record [--shuffle SEED] [--ward KIND] DIR
                            run it without an agent, one capture file per port

flags of run:
`

// parse reads the command line; nil options say that help was printed.
func parse(args []string, out io.Writer) (*lab.Options, error) {
	opts := &lab.Options{Out: os.Stdout, Live: os.Stdout}
	f := flag.NewFlagSet("wardlab", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.DurationVar(&opts.For, "for", 0, "how long the ward runs (default 30s, with --image 1m, with --console 10m)")
	f.Uint64Var(&opts.Seed, "shuffle", cast.DefaultSeed, "`SEED` of another ward: other MACs of the same vendors, names, addresses")
	f.StringVar(&opts.Ward, "ward", "", "`KIND` of ward: icu, theatre or lab has more devices than the basic one")
	f.StringVar(&opts.Agent, "agent", "", "`PATH` of the agent's program (default: wardkeeper next to wardlab, or in bin/)")
	f.StringVar(&opts.Image, "image", "", "`DIR` of a built image, run in a virtual machine as the gateway")
	f.BoolVar(&opts.UEFI, "uefi", false, "let firmware boot the image from its disk, not the machine its kernel")
	f.StringVar(&opts.Rules, "rules", "", "`DIR` that replaces the agent's rules")
	f.StringVar(&opts.Mode, "mode", "enforce", "mode of every segment of the policy: enforce, stage or observe")
	f.StringVar(&opts.Keep, "keep", "", "`DIR` for the agent's configuration, log and state, which stay there")
	f.BoolVar(&opts.NoRing, "recvmmsg", false, "let the agent capture without a ring")
	f.BoolVar(&opts.NoAgent, "no-agent", false, "run the ward without an agent (and fail: the negative control)")
	f.BoolVar(&opts.Session, "session", false, "let an operator work with the gateway: ping, quarantine, break-glass, release, audit")
	f.IntVar(&opts.Cuts, "cuts", 1, "how often the operator cuts the intruder off, to measure how fast that is")
	f.StringVar(&opts.Wardctl, "wardctl", "", "`PATH` of the operator's program (default: wardctl next to wardlab, or in bin/)")
	f.BoolVar(&opts.Console, "console", false, "connect this terminal to the agent's console; Ctrl-] leaves")
	f.BoolVar(&opts.JSON, "json", false, "print the summary as JSON")
	help := func() {
		fmt.Fprint(out, usage)
		f.SetOutput(out)
		f.PrintDefaults()
	}
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "", "help", "-h", "-help", "--help":
		help()
		return nil, nil
	case "run":
		if err := f.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
			help()
			return nil, nil
		} else if err != nil {
			return nil, fmt.Errorf("run: %w", err)
		}
		if f.NArg() > 0 {
			return nil, fmt.Errorf("run: unexpected argument %q", f.Arg(0))
		}
		if opts.For == 0 {
			opts.For = 30 * time.Second
			if opts.Image != "" {
				opts.For = time.Minute
			}
			if opts.Session {
				opts.For = time.Minute + time.Duration(opts.Cuts)*4*time.Second
			}
			if opts.Console {
				opts.For = 10 * time.Minute // a person wants to look around; Ctrl-] ends it
			}
		}
	case "record":
		opts.For, opts.NoAgent = 20*time.Second, true
		// Of run's flags only these say anything to a recording.
		g := flag.NewFlagSet("record", flag.ContinueOnError)
		g.SetOutput(io.Discard)
		g.Uint64Var(&opts.Seed, "shuffle", cast.DefaultSeed, "")
		g.StringVar(&opts.Ward, "ward", "", "")
		if err := g.Parse(args[1:]); err != nil {
			return nil, fmt.Errorf("record: %w", err)
		}
		if g.NArg() != 1 {
			return nil, errors.New("record: want one folder")
		}
		opts.Record = g.Arg(0)
	default:
		return nil, fmt.Errorf("unknown command %q: want run, record or help", command)
	}
	if opts.JSON || opts.Console {
		// Standard output belongs to the summary, or to the console.
		opts.Live = os.Stderr
	}
	if opts.Console {
		opts.Live = io.Discard
	}
	return opts, nil
}
