package lab

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/verdict"
)

// Summary is what a run says in the end; its JSON is for CI.
type Summary struct {
	Passed   bool     `json:"passed"`
	Reasons  []string `json:"reasons"`
	Seed     uint64   `json:"seed"`
	Mode     string   `json:"mode"` // of the policy; "none" without an agent
	Devices  []Device `json:"devices"`
	Clinical []Flow   `json:"clinical"`
	Attempts []Try    `json:"attempts"`
	// Packets that each host's card got from the intruder, by service, and
	// forged address claims.
	Arrivals map[string]map[string]uint64 `json:"arrivals"`
	Claims   map[string]uint64            `json:"claims"`
	Outbox   []Class                      `json:"outbox"`
	Twice    uint64                       `json:"delivered_twice"`
	// Kernel is the packet counters of the agent's drop rules, by chain.
	Kernel      map[string]uint64 `json:"kernel"`
	KernelError string            `json:"kernel_error,omitempty"`
	// Memory is the agent's, in bytes, of its last health record; 0: none came.
	Memory uint64 `json:"agent_memory"`
	Rings  int    `json:"agent_rings"` // how many ports are captured by a ring; each is part of the memory
	Unseen string `json:"unseen"`
}

// Device is a host as the agent sees it.
type Device struct {
	Host       string `json:"host"`
	MAC        string `json:"mac"`
	Want       string `json:"want,omitempty"`
	Role       string `json:"role"`
	Confidence string `json:"confidence"`
}

// Flow is a direction of clinical traffic, in frames.
type Flow struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Group    bool   `json:"group,omitempty"`
	Sent     uint64 `json:"sent"`
	Received uint64 `json:"received"`
}

// Try is an attempt of the intruder.
type Try struct {
	From    string `json:"from"`
	To      string `json:"to"`
	As      string `json:"as"`
	Service string `json:"service"`
	Outcome string `json:"outcome"`
	Allowed bool   `json:"allowed"`
}

// Class is what was received of one class of events.
type Class struct {
	Class    string `json:"class"`
	Epoch    string `json:"epoch"`
	Received uint64 `json:"received"`
	Last     uint64 `json:"last"`
	Missing  uint64 `json:"missing"`
}

// unseen is what no gateway can do, and the summary says so.
const unseen = "intruder and pc share a switch on w5: the gateway neither sees nor enforces what they say to each other"

// summarise turns evidence and its judgement into a summary.
func summarise(c *cast.Cast, mode string, e verdict.Evidence) Summary {
	s := Summary{Reasons: verdict.Judge(e), Seed: c.Seed, Mode: mode, Unseen: unseen,
		Arrivals: map[string]map[string]uint64{}, Claims: map[string]uint64{}}
	if s.Passed = len(s.Reasons) == 0; s.Passed {
		s.Reasons = []string{} // JSON wants a list
	}
	for _, p := range c.Parts() {
		if p.Uplink() {
			continue
		}
		s.Devices = append(s.Devices, Device{Host: p.String(), MAC: c.Member(p).MAC.String(), Want: p.Role(),
			Role: e.Roles[p].Role, Confidence: e.Roles[p].Confidence})
	}
	for _, p := range e.Pairs {
		s.Clinical = append(s.Clinical, Flow{From: p.From.String(), To: p.To.String(), Group: p.Group, Sent: p.Sent, Received: p.Received})
	}
	for _, a := range e.Attempts {
		s.Attempts = append(s.Attempts, Try{From: a.From.String(), To: a.To.String(), As: a.As.String(), Service: a.Service,
			Outcome: a.Outcome.String(), Allowed: a.Allowed()})
	}
	for p, services := range e.Arrivals {
		s.Arrivals[p.String()] = services
	}
	for p, n := range e.Claims {
		s.Claims[p.String()] = n
	}
	for _, o := range e.Outbox {
		s.Outbox = append(s.Outbox, Class{Class: o.Class, Epoch: o.Epoch, Received: o.Received, Last: o.Last, Missing: o.Holes})
	}
	return s
}

// WriteJSON writes the summary for a program.
func (s Summary) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

// WriteText writes the summary for a person, at most 79 columns.
func (s Summary) WriteText(w io.Writer) error {
	p := &page{to: w}
	p.line("")
	p.line("summary of seed %d, policy mode %s", s.Seed, s.Mode)
	for _, d := range s.Devices {
		if d.Role != "" || d.Want != "" {
			p.line("  %-11s %s  %-21s %s", d.Host, d.MAC, orDash(d.Role), orDash(d.Confidence))
		}
	}
	for _, f := range s.Clinical {
		to := f.To
		if f.Group {
			to += " and all"
		}
		p.line("  %-11s -> %-15s %5d packets sent, %5d received", f.From, to, f.Sent, f.Received)
	}
	silent, denied, allowed, served := 0, 0, 0, 0
	for _, t := range s.Attempts {
		switch {
		case t.Allowed:
			if allowed++; t.Outcome == sim.Answered.String() {
				served++
			}
		default:
			if denied++; t.Outcome == sim.Silent.String() {
				silent++
			}
		}
	}
	p.line("  intruder   %d of %d attempts to deny got no answer; %d of %d allowed did", silent, denied, served, allowed)
	p.wrap("  arrived    ", "             ", arrived(s.Arrivals, s.Claims))
	if len(s.Kernel) > 0 {
		p.wrap("  kernel     ", "             ", kernelLine(s.Kernel))
	}
	if s.Memory > 0 {
		p.line("  memory     the agent has %.1f MiB, %d rings of 4 MiB in it", float64(s.Memory)/(1<<20), s.Rings)
	}
	for _, c := range s.Outbox {
		p.line("  %-10s %d events received, highest %d, %d missing", c.Class, c.Received, c.Last, c.Missing)
	}
	p.wrap("  not seen   ", "             ", s.Unseen)
	if s.Passed {
		p.line("passed")
		return p.err
	}
	p.line("FAILED")
	for _, r := range s.Reasons {
		p.wrap("  - ", "    ", r)
	}
	return p.err
}
