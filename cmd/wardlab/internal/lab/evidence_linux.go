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
	e.Roles, e.Capture = r.roles(), r.book.Modes()
	e.Parts, e.Work = r.cast.Parts(), r.work()
	e.Arrivals, e.Claims = map[cast.Part]map[string]uint64{}, map[cast.Part]uint64{}
	for _, p := range r.cast.Parts() {
		if a := r.stand.At(p).Arrivals(cast.Intruder); len(a) > 0 {
			e.Arrivals[p] = a
		}
		if n, _ := r.stand.At(p).Claims(); n > 0 {
			e.Claims[p] = n
		}
	}
	// Events name devices by id and peers by address; the verdict is about hosts.
	for _, d := range r.book.Denies() {
		e.Denies = append(e.Denies, verdict.Deny{Device: r.part(d.Device), Peer: r.part(d.Peer, d.PeerMAC), Service: d.Service, Verdict: d.Verdict})
	}
	for _, a := range r.book.Accounts() {
		e.Outbox = append(e.Outbox, verdict.Outbox{Class: a.Class, Epoch: a.Epoch, Received: a.Received, Last: a.Last, Missing: a.First, Holes: a.Holes})
	}
}

// pairs is the clinical traffic, both directions, as its two ends counted it:
// first what was sent, then what had arrived a moment later. The hosts' kernels
// still speak when their programs have ended (leaving a group), and a gateway
// that is a machine of its own is about to be switched off.
func (r *run) pairs() []verdict.Pair {
	var out []verdict.Pair
	for _, p := range [][2]cast.Part{{cast.Pump, cast.PumpServer}, {cast.Monitor, cast.Central}, {cast.Ultrasound, cast.PACS}} {
		out = append(out, verdict.Pair{From: p[0], To: p[1]}, verdict.Pair{From: p[1], To: p[0]})
	}
	out = append(append(out, verdict.Pair{From: cast.Monitor, To: cast.Central, Group: true}), r.bedsidePairs()...)
	for i, p := range out {
		out[i].Sent = r.stand.At(p.From).Sent(witness.Flow{From: p.From, To: p.To, Group: p.Group})
	}
	waitBriefly()
	for i, p := range out {
		out[i].Received = r.stand.At(p.To).Received(witness.Flow{From: p.From, To: p.To, Group: p.Group})
	}
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
