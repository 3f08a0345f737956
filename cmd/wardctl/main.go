package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

const usage = `usage:
  wardctl replay FILE… [--json] [--facts] [--policy FILE] [--internal NET,…]
      read captures (pcap, pcapng, snoop) as a gateway would: devices with
      their evidence, conversations, and what a policy would deny
      --facts   one JSON line a fact, and no devices
      --json    the same as JSON
  wardctl help
`

// Exit codes, as sysexits.h names them.
const (
	exitFailed = 1
	exitUsage  = 64 // EX_USAGE
)

// errUsage says that the words were wrong; it was told already.
var errUsage = errors.New("usage")

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	var err error
	switch args[0] {
	case "replay":
		err = replay(args[1:], stdout, stderr)
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	default:
		fmt.Fprintf(stderr, "wardctl: unknown command %q\n%s", args[0], usage)
		return exitUsage
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return exitUsage
	}
	for _, e := range split(err) {
		fmt.Fprintln(stderr, "wardctl:", e)
	}
	return exitFailed
}

// split takes joined errors apart, one a line.
func split(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}

// parse reads flags before, between and behind the other words, as people type
// them, and returns those.
func parse(fs *flag.FlagSet, args []string) ([]string, error) {
	var words []string
	for {
		if err := fs.Parse(args); err != nil {
			return nil, errUsage
		}
		if fs.NArg() == 0 {
			return words, nil
		}
		words = append(words, fs.Arg(0))
		args = fs.Args()[1:]
	}
}
