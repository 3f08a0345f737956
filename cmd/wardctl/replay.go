package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/know/classify"
	"github.com/wardkeeper/wardkeeper/agent/know/inventory"
	"github.com/wardkeeper/wardkeeper/agent/observe/capture"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/rules"
	"github.com/wardkeeper/wardkeeper/rules/vendors"
)

// replayer is what one call of replay works with.
type replayer struct {
	json, facts bool
	internal    []netip.Prefix
	rules       *rules.Set
	vendors     *vendors.Table
	classifier  *classify.Classifier
	policy      *policy.Policy // nil: none given
	out         io.Writer
}

func replay(args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("replay", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, usage) }
	r := &replayer{out: stdout}
	fs.BoolVar(&r.json, "json", false, "")
	fs.BoolVar(&r.facts, "facts", false, "")
	policyFile := fs.String("policy", "", "")
	internal := fs.String("internal", "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fd00::/8", "")
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		fmt.Fprint(stderr, usage)
		return errUsage
	}
	if err := r.load(*policyFile, *internal); err != nil {
		return err
	}
	var errs []error
	for _, f := range files {
		if err := r.file(f); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// load reads rules and policy.
func (r *replayer) load(policyFile, internal string) error {
	for _, s := range strings.Split(internal, ",") {
		n, err := netip.ParsePrefix(strings.TrimSpace(s))
		if err != nil {
			return fmt.Errorf("--internal %q: want networks like 10.0.0.0/8", s)
		}
		r.internal = append(r.internal, n.Masked())
	}
	var err error
	if r.rules, err = rules.Embedded(); err != nil {
		return err
	}
	if r.vendors, err = vendors.Load(); err != nil {
		return err
	}
	r.classifier = classify.New(classify.Options{Rules: r.rules, Registry: r.vendors, Internal: r.internal})
	if policyFile == "" {
		return nil
	}
	data, err := os.ReadFile(policyFile)
	if err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	r.policy, err = policy.Parse(policyFile, data, r.rules.Roles.Class, r.rules.Roles.Names()...)
	return err
}

// file replays one capture and prints what came of it, also when it is broken
// in the middle.
func (r *replayer) file(name string) error {
	src, err := capture.Open(name)
	if err != nil {
		return err
	}
	defer src.Close()
	if r.facts {
		w := factWriter{out: r.out, file: name, seen: make(map[string]bool)}
		_, err = extract.Replay(src, extract.Options{}, w.write)
		return errors.Join(err, w.err)
	}
	book := inventory.NewBook(inventory.DefaultLimits(), r.classifier, r.vendors, nil)
	last := clock.Stamp{Quality: clock.Floor}
	stats, err := extract.Replay(src, extract.Options{}, func(b fact.Batch) {
		last.Wall = later(last.Wall, b)
		book.Apply(b, last)
	})
	// long after the last frame no dwell time holds a better role back
	last.Wall = last.Wall.Add(24 * time.Hour)
	book.Settle(last)
	return errors.Join(r.print(name, stats, book.Snapshot()), err)
}

// later is the time of the newest thing in the batch, or t.
func later(t time.Time, b fact.Batch) time.Time {
	for _, s := range b.Sightings {
		if at := time.Unix(0, s.Time).UTC(); at.After(t) {
			t = at
		}
	}
	return t
}

// denied lists what the policy would not let through of a device's
// conversations, were all its segments enforced.
func (r *replayer) denied(snap *device.Snapshot) (*policy.Compiled, error) {
	if r.policy == nil {
		return nil, nil
	}
	return policy.Compile(policy.Input{Policy: r.policy, Placement: r.policy.Place(snap, r.rules.Roles.Class), Internal: r.internal, Uplink: uplinkPort})
}
