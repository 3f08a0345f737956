package main

import (
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

const protocolsUsage = `  wardctl protocols [--coverage] [--json]
      what is read of the traffic: by which bytes a protocol is told, which
      fields are kept, and what is never read; or by which signatures each
      family of medical devices is known, and what those rest on
`

// messages are the messages that are read, a line each: name, what it is, the
// fields that are kept, what is never read. A test makes it from the code and
// fails where it is another.
//
//go:embed protocols.tsv
var messages string

// reading is a row of dissect.Readings with all that belongs to it.
type reading struct {
	Name     string    `json:"name"`
	Stated   string    `json:"stated"`
	Told     []telling `json:"told,omitempty"`
	Messages []message `json:"messages,omitempty"`
}

// telling says by what a protocol is told.
type telling struct {
	Place    int    `json:"place"` // in its transport's order of trial, from 1
	Protocol string `json:"protocol"`
	Over     string `json:"over"`
	Port     uint16 `json:"port,omitempty"`  // one side must have it; none: any
	Lead     string `json:"lead,omitempty"`  // the first bytes, hexadecimal
	Shape    bool   `json:"shape,omitempty"` // what follows is looked at too
}

// message is a message that is read.
type message struct {
	Name  string   `json:"name"`
	About string   `json:"about"`
	Kept  []string `json:"kept"`
	Never string   `json:"never"`
}

// readings joins the three tables.
func readings() (all []reading) {
	for _, r := range dissect.Readings() {
		out := reading{Name: r.Name, Stated: r.Stated}
		place := map[string]int{}
		for _, o := range dissect.Openings() {
			if place[o.Over]++; slices.Contains(r.Protocols, o.Protocol) {
				out.Told = append(out.Told, telling{place[o.Over], o.Protocol.String(), o.Over, o.Port, fmt.Sprintf("%x", o.Lead), o.Shape})
			}
		}
		for line := range strings.Lines(messages) {
			col := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if len(col) == 4 && slices.Contains(r.Messages, col[0]) {
				out.Messages = append(out.Messages, message{col[0], col[1], strings.Split(col[2], ", "), strings.TrimPrefix(col[3], "never read: ")})
			}
		}
		all = append(all, out)
	}
	return all
}

// protocols prints what is read.
func protocols(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("protocols", flag.ContinueOnError)
	flags.SetOutput(stderr)
	asJSON := flags.Bool("json", false, "print it for a program")
	families := flags.Bool("coverage", false, "print what is known of each family of devices")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return errUsage
	}
	if *families {
		return printCoverage(stdout, *asJSON)
	}
	if *asJSON {
		e := json.NewEncoder(stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(readings()); err != nil {
			return fmt.Errorf("write protocols: %w", err)
		}
		return nil
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
	for _, r := range readings() {
		fmt.Fprintf(stdout, "\n%s: %s\n", r.Name, r.Stated)
		for _, m := range r.Messages {
			fmt.Fprintf(stdout, "\n  %s: %s\n    kept: %s\n    never read: %s\n", m.Name, m.About, strings.Join(m.Kept, ", "), m.Never)
		}
	}
	return nil
}
