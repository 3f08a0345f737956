package main

import (
	_ "embed"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

const protocolsUsage = `  wardctl protocols
      what is read of the traffic: by which bytes a protocol is told, which
      fields are kept, and what is never read
`

// messages are the messages that are read, a line each: name, what it is, the
// fields that are kept, what is never read. A test makes it from the code and
// fails where it is another.
//
//go:embed protocols.tsv
var messages string

// protocols prints what is read.
func protocols(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("protocols", flag.ContinueOnError)
	flags.SetOutput(stderr)
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return errUsage
	}
	fmt.Fprint(stdout, "Told by the first bytes, in this order, on any port unless one is named:\n\n")
	for _, o := range dissect.Openings() {
		var how []string
		if o.Lead != "" {
			how = append(how, strconv.QuoteToASCII(o.Lead))
		}
		if o.Shape {
			how = append(how, "shape")
		}
		if o.Port != 0 {
			how = append(how, fmt.Sprintf("port %d", o.Port))
		}
		fmt.Fprintf(stdout, "  %s  %-20s %s\n", o.Over, o.Protocol, strings.Join(how, ", "))
	}
	fmt.Fprint(stdout, "\nOf each message the fields named here are kept, and nothing else:\n")
	for line := range strings.Lines(messages) {
		col := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		fmt.Fprintf(stdout, "\n%s: %s\n  kept: %s\n  %s\n", col[0], col[1], col[2], col[3])
	}
	return nil
}
