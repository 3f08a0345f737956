package lab

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/witness"
)

// gather completes the evidence from the witnesses, the simulators and the book.
func (r *run) gather(e *verdict.Evidence) {
	r.mu.Lock()
	e.Attempts, e.Answered, e.Faults = r.attempts, r.answered, r.faults
	r.mu.Unlock()
	e.Roles = r.roles()
	e.Arrivals, e.Claims = map[cast.Part]map[string]uint64{}, map[cast.Part]uint64{}
	for _, p := range cast.Parts() {
		if a := r.stand.At(p).Arrivals(cast.Intruder); len(a) > 0 {
			e.Arrivals[p] = a
		}
		if n, _ := r.stand.At(p).Claims(); n > 0 {
			e.Claims[p] = n
		}
	}
	e.Pairs = r.pairs()
	// Events name devices by id and peers by address; the verdict is about hosts.
	for _, d := range r.book.Denies() {
		e.Denies = append(e.Denies, verdict.Deny{Device: r.part(d.Device), Peer: r.part(d.Peer, d.PeerMAC), Service: d.Service, Verdict: d.Verdict})
	}
	for _, a := range r.book.Accounts() {
		e.Outbox = append(e.Outbox, verdict.Outbox{Class: a.Class, Epoch: a.Epoch, Received: a.Received, Last: a.Last, Missing: a.First, Holes: a.Holes})
	}
}

// pairs is the clinical traffic, both directions, as its two ends counted it.
func (r *run) pairs() []verdict.Pair {
	var out []verdict.Pair
	add := func(from, to cast.Part, group bool) {
		f := witness.Flow{From: from, To: to, Group: group}
		out = append(out, verdict.Pair{From: from, To: to, Group: group, Sent: r.stand.At(from).Sent(f), Received: r.stand.At(to).Received(f)})
	}
	for _, p := range [][2]cast.Part{{cast.Pump, cast.PumpServer}, {cast.Monitor, cast.Central}, {cast.Ultrasound, cast.PACS}} {
		add(p[0], p[1], false)
		add(p[1], p[0], false)
	}
	add(cast.Monitor, cast.Central, true)
	return out
}

// filesWith lists the files below dir that hold the text, in any case.
func filesWith(dir, text string) []string {
	var out []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(text))) {
			out = append(out, filepath.Base(path))
		}
		return nil
	})
	return out
}

// summarise judges.
func (r *run) summarise(e verdict.Evidence) Summary {
	mode := r.opts.Mode
	if r.agent == nil {
		mode = "none"
	}
	s := summarise(r.cast, mode, e)
	s.Twice = r.book.Twice()
	return s
}
