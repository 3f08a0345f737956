package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

const auditUsage = `  wardctl audit verify FILE… [--partial] [--json]
      whether the audit trail of each gateway is whole: FILEs are JSON lines as a
      collector stores them, in any order, with duplicates and other events
      --partial  do not miss what came before the first
`

// auditReport is what is told of one chain, as a JSON line. A chain shows that
// nothing inside of it was changed, left out or put in. It does not show who
// wrote it, nor that nothing was cut off at its end.
type auditReport struct {
	Site    string      `json:"site"`
	GW      string      `json:"gw"`
	Epoch   string      `json:"epoch"`
	First   uint64      `json:"first"`
	Last    uint64      `json:"last"`
	Records int         `json:"records"`
	Missing [][2]uint64 `json:"missing"` // from, to
	Breaks  []uint64    `json:"breaks"`  // records that do not follow the one before
	Forged  []forgery   `json:"forged"`
	Whole   bool        `json:"whole"`
}

// forgery is a line that is not the gateway's, or that another of its number is.
type forgery struct {
	Seq uint64 `json:"seq"`
	At  string `json:"at"` // file:line
}

// chainID names a chain.
type chainID struct{ site, gw, epoch string }

// auditLine is one version of a record.
type auditLine struct {
	at, prev, sum string
}

// trail is all that was read.
type trail struct {
	chains map[chainID]map[uint64][]auditLine
	bad    []error // lines that no gateway writes; the first of them
	more   int     // that are not in bad
}

// verifyAudit reads the files and judges each chain.
func verifyAudit(args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("audit verify", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { fmt.Fprint(stderr, "usage:\n"+auditUsage) }
	partial, asJSON := fs.Bool("partial", false, ""), fs.Bool("json", false, "")
	files, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		fs.Usage()
		return errUsage
	}
	t := trail{chains: make(map[chainID]map[uint64][]auditLine)}
	for _, f := range files {
		if err := t.readFile(f); err != nil {
			return err
		}
	}
	if len(t.chains) == 0 && len(t.bad) == 0 {
		return fmt.Errorf("%s: no audit record in it", strings.Join(files, ", "))
	}
	faults := t.bad
	if t.more > 0 {
		faults = append(faults, fmt.Errorf("%d more such lines", t.more))
	}
	ids := slices.SortedFunc(maps.Keys(t.chains), func(a, b chainID) int {
		return cmp.Or(cmp.Compare(a.site, b.site), cmp.Compare(a.gw, b.gw), cmp.Compare(a.epoch, b.epoch))
	})
	for _, id := range ids {
		r := judgeChain(id, t.chains[id], *partial)
		if !r.Whole {
			faults = append(faults, fmt.Errorf("the audit trail of %s, epoch %s, is not whole", plain(id.gw), plain(id.epoch)))
		}
		if *asJSON {
			err = json.NewEncoder(stdout).Encode(r)
		} else {
			err = r.text(stdout)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(faults...)
}

// maxLine is far more than the 64 KiB that a record may have.
const maxLine = 1 << 20

func (t *trail) readFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		at := fmt.Sprintf("%s:%d", name, n)
		if err := t.add(at, bytes.TrimRight(lines.Bytes(), "\r")); err != nil {
			if len(t.bad) == shownFaults {
				t.more++
				continue
			}
			t.bad = append(t.bad, fmt.Errorf("%s: %w", at, err))
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", name, n+1, err)
	}
	return nil
}

// add takes a line in; lines that are no audit record are none of its business.
func (t *trail) add(at string, line []byte) error {
	if len(line) == 0 {
		return nil
	}
	var e event.Envelope
	if !json.Valid(line) {
		return errors.New("no JSON")
	}
	if err := json.Unmarshal(line, &e); e.Class != event.Audit.String() {
		return nil // an event of another class, an answer, a state
	} else if err != nil {
		return fmt.Errorf("audit record: %w", err)
	}
	e.Historical = false
	committed := event.Committed(line)
	again, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("audit record: %w", err)
	}
	if !bytes.Equal(committed, again) || e.Seq == 0 {
		return fmt.Errorf("audit record %d of %s: not as a gateway writes it", e.Seq, plain(e.GW))
	}
	id := chainID{e.Site, e.GW, e.Epoch}
	if t.chains[id] == nil {
		t.chains[id] = make(map[uint64][]auditLine)
	}
	l := auditLine{at: at, prev: e.Prev, sum: event.Chain(committed)}
	if !slices.ContainsFunc(t.chains[id][e.Seq], func(x auditLine) bool { return x.sum == l.sum }) {
		t.chains[id][e.Seq] = append(t.chains[id][e.Seq], l)
	}
	return nil
}

// judgeChain walks a chain from its first record to its last.
func judgeChain(id chainID, chain map[uint64][]auditLine, partial bool) auditReport {
	seqs := slices.Sorted(maps.Keys(chain))
	r := auditReport{Site: id.site, GW: id.gw, Epoch: id.epoch, First: seqs[0], Last: seqs[len(seqs)-1], Records: len(seqs), Missing: [][2]uint64{}, Breaks: []uint64{}, Forged: []forgery{}}
	if r.First > 1 && !partial {
		r.Missing = append(r.Missing, [2]uint64{1, r.First - 1})
	}
	before := []auditLine{{sum: event.ZeroPrev}} // of number 0
	last := uint64(0)
	for i, seq := range seqs {
		here := chain[seq]
		switch {
		case seq == last+1:
			if !linked(before, here) {
				r.Breaks = append(r.Breaks, seq)
			}
		case i > 0:
			r.Missing = append(r.Missing, [2]uint64{last + 1, seq - 1})
		}
		if len(here) > 1 {
			r.Forged = append(r.Forged, strangers(seq, before, here, chain[seq+1], seq == last+1)...)
		}
		before, last = here, seq
	}
	r.Whole = len(r.Missing)+len(r.Breaks)+len(r.Forged) == 0
	return r
}

// linked reports whether any version of a record follows any of the one before.
func linked(before, here []auditLine) bool {
	return slices.ContainsFunc(here, func(l auditLine) bool { return follows(l, before) })
}

func follows(l auditLine, before []auditLine) bool {
	return slices.ContainsFunc(before, func(b auditLine) bool { return b.sum == l.prev })
}

// strangers are those of several versions of a record that its neighbours do
// not know; all of them where the neighbours know none, or more than one.
func strangers(seq uint64, before, here, after []auditLine, neighbour bool) (out []forgery) {
	known := func(l auditLine) bool {
		if neighbour && !follows(l, before) {
			return false
		}
		return len(after) == 0 || slices.ContainsFunc(after, func(a auditLine) bool { return a.prev == l.sum })
	}
	good := 0
	for _, l := range here {
		if known(l) {
			good++
		}
	}
	for _, l := range here {
		if !known(l) || good > 1 {
			out = append(out, forgery{seq, l.at})
		}
	}
	return out
}

// shownFaults is how many faults of a kind the text lists.
const shownFaults = 20

func (r auditReport) text(w io.Writer) error {
	verdict := "whole"
	if !r.Whole {
		verdict = "NOT WHOLE"
	}
	_, err := fmt.Fprintf(w, "%s  %s  epoch %s: records %d to %d, %d of them here: %s\n", plain(r.Site), plain(r.GW), plain(r.Epoch), r.First, r.Last, r.Records, verdict)
	var faults []string
	for _, m := range r.Missing {
		faults = append(faults, fmt.Sprintf("missing %d to %d", m[0], m[1]))
	}
	for _, b := range r.Breaks {
		faults = append(faults, fmt.Sprintf("record %d does not follow the one before: one of the two was changed", b))
	}
	for _, f := range r.Forged {
		faults = append(faults, fmt.Sprintf("record %d at %s: forged, or another of the same number is", f.Seq, f.At))
	}
	for i, f := range faults {
		if i == shownFaults {
			fmt.Fprintf(w, "  … and %d more\n", len(faults)-shownFaults)
			break
		}
		fmt.Fprintf(w, "  %s\n", f)
	}
	return err
}
