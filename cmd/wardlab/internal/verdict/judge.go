package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/sim"
)

// Judge returns the reasons why a run failed, causes before what follows from
// them; none: it passed.
func Judge(e Evidence) []string {
	var out []string
	fail := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if e.Witness != nil {
		fail("the counts are not to be trusted: %v", e.Witness)
	}
	for _, f := range e.Faults {
		fail("the lab is at fault: %s", f)
	}
	if !e.Agent {
		fail("no agent ran: nobody observed, enforced or reported")
		clinical(e, fail)
		reached(e, fail)
		return out
	}
	if e.AgentEnd != "" {
		fail("the agent ended by itself: %s", e.AgentEnd)
	}
	if e.Mode != Enforce {
		fail("the policy's mode is %s: it denies nothing", e.Mode)
	}
	capture(e, fail)
	roles(e, fail)
	if e.NotInPlace != "" {
		fail("enforcement was not in place when the intruder started: %s", e.NotInPlace)
	}
	clinical(e, fail)
	reached(e, fail)
	events(e, fail)
	outbox(e, fail)
	if e.Console != "" {
		fail("the console: %s", e.Console)
	}
	for _, s := range e.Session {
		fail("the operator's session: %s", s)
	}
	for _, l := range e.Leaked {
		fail("patient data left the gateway: %s", l)
	}
	return out
}

type failFunc = func(format string, args ...any)

// capture: a fallback that nobody asked for loses frames under load.
func capture(e Evidence, fail failFunc) {
	if len(e.Capture) == 0 {
		fail("the agent never said how it captures")
	}
	for _, port := range slices.Sorted(maps.Keys(e.Capture)) {
		if e.Capture[port] != e.Reading {
			fail("port %s was captured by %q, want %q", port, e.Capture[port], e.Reading)
		}
	}
}

// clinical: nothing of the ward's work may be lost.
func clinical(e Evidence, fail failFunc) {
	if len(e.Pairs) == 0 {
		fail("no clinical traffic was counted")
	}
	for _, p := range e.Pairs {
		name := p.To.String()
		if p.Group {
			name += " (broadcast)"
		}
		switch {
		case p.Sent == 0:
			fail("%v sent nothing to %s", p.From, name)
		case p.Received < p.Sent:
			fail("clinical packets lost: %v to %s, %d of %d", p.From, name, p.Sent-p.Received, p.Sent)
		}
	}
	for _, x := range append(Required(), e.Work...) {
		if e.Answered[x] == 0 {
			fail("%v to %v %s was never answered", x.From, x.To, x.Service)
		}
	}
}

// reached: nothing of the intruder may arrive where the policy denies it, and
// what the policy allows must.
func reached(e Evidence, fail failFunc) {
	if len(e.Attempts) == 0 {
		fail("the intruder tried nothing")
	}
	for _, r := range Rows(e.Attempts) {
		switch {
		case r.Allowed && r.Outcome != sim.Answered:
			fail("%s to %v %s is allowed but was %v", r.Who(), r.To, r.Services, r.Outcome)
		case !r.Allowed && r.Outcome != sim.Silent:
			fail("%s reached %v: %v %s", r.Who(), r.To, r.Outcome, r.Services)
		}
	}
	for _, p := range e.parts() {
		if p == cast.Intruder || p == cast.PC {
			continue // behind the same switch: out of the gateway's reach
		}
		if n := e.Claims[p]; n > 0 {
			fail("%d forged address claims reached %v", n, p)
		}
		if p.Uplink() {
			continue // what a PC says to the hospital's servers is their affair
		}
		var packets uint64
		var services []string
		for s, n := range e.Arrivals[p] {
			if p != cast.Printer || s != "tcp/631" {
				packets += n
				services = append(services, s)
			}
		}
		if packets > 0 {
			fail("%d packets of the intruder reached %v: %s", packets, p, Compact(services))
		}
	}
}

// roles: every device has its role at confirmed.
func roles(e Evidence, fail failFunc) {
	for _, p := range e.parts() {
		want, got := p.Role(), e.Roles[p]
		switch {
		case want == "" || got.Is(p):
		case got.Role == "":
			fail("%v: no role was reported, want %s", p, want)
		default:
			fail("%v: role %s (%s), want %s (%s)", p, got.Role, got.Confidence, want, Confirmed)
		}
	}
	// A PC may stay unknown; it must not pass for something that it is not.
	for _, p := range []cast.Part{cast.Intruder, cast.PC} {
		got := e.Roles[p]
		if got.Role != "workstation-pc" && got.Role != "unknown" && got.Role != "" {
			fail("%v: role %s (%s), want workstation-pc or unknown", p, got.Role, got.Confidence)
		}
	}
}

// events: each denied (device, peer, service) is in at least one event.
func events(e Evidence, fail failFunc) {
	var missing []string
	for _, a := range e.Attempts {
		if a.Allowed() || slices.ContainsFunc(e.Denies, func(d Deny) bool { return tells(d, a) }) {
			continue
		}
		missing = append(missing, fmt.Sprintf("%v as %v to %v %s", a.From, a.As, a.To, a.Service))
	}
	for i, m := range missing {
		if i == 5 {
			fail("and %d more without a deny event", len(missing)-i)
			break
		}
		fail("no deny event for %s", m)
	}
}

// tells reports whether an event speaks of an attempt. Either end may be the
// enforced device. Under a borrowed face the event names the face: the gateway
// cannot know better.
func tells(d Deny, a sim.Attempt) bool {
	face := a.From
	switch a.As {
	case sim.AsPumpServer:
		// Dropped for what it claims, before anyone asks whom it wanted.
		return d.Verdict == Claimed && (d.Device == cast.PumpServer || d.Peer == cast.PumpServer)
	case sim.AsPrinter:
		face = cast.Printer
	}
	if d.Verdict != Denied || !sameService(d.Service, a.Service) {
		return false
	}
	// Between two enforced devices either may be the one on whose side the
	// packet was refused.
	ends := []cast.Part{d.Device, d.Peer}
	return slices.Contains(ends, a.To) && (slices.Contains(ends, face) || slices.Contains(ends, a.From))
}

// sameService compares an event's service with an attempt's: an attempt by ICMP
// does not say of which type it was.
func sameService(event, attempt string) bool {
	return event == attempt || (attempt == "icmp" && strings.HasPrefix(event, "icmp"))
}

// outbox: every event that the agent committed reached the subscriber.
func outbox(e Evidence, fail failFunc) {
	if len(e.Outbox) == 0 {
		fail("no event reached the broker")
	}
	for _, o := range e.Outbox {
		if o.Holes > 0 {
			fail("%d of %d %s events never reached the subscriber, first %v", o.Holes, o.Last, o.Class, o.Missing)
		}
	}
	if e.Dropped > 0 {
		fail("the broker dropped %d messages", e.Dropped)
	}
}
