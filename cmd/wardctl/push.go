package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

const pushUsage = `  wardctl push FILE.dsse… [--root ROOT.dsse] [--wait DURATION]
      bring what is to be in force to the gateways it is for; the broker keeps it.
      Several files are roots, in order: a gateway that was off needs each
      --root   refuse here what the gateways would refuse
      --wait   for their answers, so long; exit codes as of cmd
  wardctl cmd FILE.dsse [--root ROOT.dsse] [--timeout DURATION]
      bring a command to the gateways it is for, and wait for their answers (30s)
      exit 0 all succeeded, 3 one rejected it, 4 one failed, 5 one did not answer
`

// pushed tells of a message that the broker has taken, as a JSON line.
type pushed struct {
	Topic string      `json:"topic"`
	Kind  signed.Kind `json:"kind"`
	ID    string      `json:"id"`
	Seq   uint64      `json:"seq"`
}

// push brings desired state.
func push(args []string, stdout, stderr io.Writer) error {
	fs, l := linkFlags("push", pushUsage, stderr)
	root, patience := fs.String("root", "", ""), fs.Duration("wait", 0, "")
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if missing := l.lacks("FILE.dsse", len(files) > 0); missing != "" {
		return refuse(fs, missing)
	}
	st, text, err := l.readRoots(files, *root)
	if err != nil {
		return err
	}
	if st.Kind == signed.KindCommand {
		return fmt.Errorf("%s: a command, which the broker must not keep: use wardctl cmd", files[0])
	}
	a := &asking{link: l, st: st, text: text, out: stdout, note: stderr}
	return a.run(true, *patience, func(topic string) error {
		if l.json {
			return json.NewEncoder(stdout).Encode(pushed{topic, st.Kind, st.ID, st.Seq})
		}
		_, err := fmt.Fprintf(stdout, "pushed %s %d to %s\n", st.Kind, st.Seq, topic)
		return err
	})
}

// readRoots reads what is to be pushed: one statement, or the roots of a site one
// after the other, which go in one message. The last is the one that is told of.
func (l *link) readRoots(files []string, root string) (signed.Statement, []byte, error) {
	var message [][]byte
	for i, file := range files {
		st, text, err := l.readStatement(file, root)
		if err != nil {
			return st, nil, err
		}
		message = append(message, text)
		if len(files) > 1 && st.Kind != signed.KindRoot {
			return st, nil, fmt.Errorf("%s: %s: only roots go together", file, st.Kind)
		}
		if i == len(files)-1 {
			return st, bytes.Join(message, []byte("\n")), nil
		}
		root = file // the next one must follow on it
	}
	return signed.Statement{}, nil, errUsage
}

// command sends one, and tells what the gateways answer.
func command(args []string, stdout, stderr io.Writer) error {
	fs, l := linkFlags("cmd", pushUsage, stderr)
	root, patience := fs.String("root", "", ""), fs.Duration("timeout", 30*time.Second, "")
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if missing := l.lacks("FILE.dsse", len(files) > 0); missing != "" || len(files) > 1 {
		return refuse(fs, missing)
	}
	if *patience <= 0 {
		return fmt.Errorf("--timeout %v: want more than nothing", *patience)
	}
	st, text, err := l.readStatement(files[0], *root)
	if err != nil {
		return err
	}
	if st.Kind != signed.KindCommand {
		return fmt.Errorf("%s: %s, which is to stay in force: use wardctl push", files[0], st.Kind)
	}
	a := &asking{link: l, st: st, text: text, out: stdout, note: stderr}
	return a.run(false, *patience, func(string) error { return nil })
}

// run sends, and waits where there is patience.
func (a *asking) run(retain bool, patience time.Duration, tell func(topic string) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if a.ch, err = a.link.open(ctx); err != nil {
		return err
	}
	defer a.ch.close()
	if patience > 0 {
		if err := a.listen(ctx); err != nil {
			return err
		}
	}
	if err := a.send(ctx, retain); err != nil {
		return err
	}
	for _, topic := range a.topics() {
		if err := tell(topic); err != nil {
			return err
		}
	}
	if patience <= 0 {
		return nil
	}
	return a.await(ctx, patience)
}
