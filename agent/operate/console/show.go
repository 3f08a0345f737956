package console

import (
	"fmt"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/health"
)

// showStatus is the first screen: what is wrong, then what there is.
func showStatus(s Source) string {
	var p page
	st, pol, up, inv := s.Status(), s.Policy(), s.Uplink(), s.Inventory()
	lab := ""
	if st.Lab {
		lab = ", virtual ward"
	}
	p.line("status    %s", verdict(st))
	for _, c := range st.Conditions {
		p.words("          "+cell(c.Severity.String(), 9), c.Text+" ("+c.Code+", since "+moment(c.Since)+")")
	}
	p.words("capture   ", captureLine(st.Ports))
	p.words("enforce   ", enforceLine(pol))
	p.line("")
	p.line("gateway   %s at %s, %s mode%s, version %s", st.Gateway, st.Site, st.Mode, lab, st.Version)
	p.line("time      %s (quality %s), up %s, agent %s", moment(st.Now.Wall), st.Now.Quality, span(st.Now.Mono), span(st.Running))
	confirmed := 0
	for i := range inv.Devices {
		if id := &inv.Devices[i].Identity; id.Confidence == device.Confirmed || id.Pinned {
			confirmed++
		}
	}
	p.line("devices   %d, %d confirmed", len(inv.Devices), confirmed)
	p.line("policy    %s", policyLine(pol))
	p.line("uplink    %s", uplinkLine(up))
	p.line("")
	p.line("%-16s %-7s %-5s %-9s %14s %12s", "port", "use", "link", "capture", "frames", "dropped")
	for _, port := range st.Ports {
		link := "down"
		if port.Up {
			link = "up"
		}
		capture := port.Capture
		if capture == "" {
			capture = "-"
		}
		p.line("%s %s %-5s %s %14d %12d", cell(port.Name, 16), cell(port.Use, 7), link, cell(capture, 9), port.Frames, port.Dropped)
	}
	return p.String()
}

// verdict answers the first question: does it work?
func verdict(st Status) string {
	failures, blind := 0, 0
	for _, c := range st.Conditions {
		if c.Severity != health.Warning {
			failures++
		}
	}
	for _, port := range st.Ports {
		if port.Use == "ward" && port.Capture == "" {
			blind++
		}
	}
	warnings := count(len(st.Conditions)-failures, "warning")
	switch {
	case failures > 0:
		return "DOES NOT DO ALL IT SHOULD: " + count(failures, "failure") + ", " + warnings
	case blind > 0:
		return "starting: " + count(blind, "ward port") + " not observed yet"
	case len(st.Conditions) > 0:
		return "works, with " + warnings
	}
	return "works; nothing is wrong"
}

// captureLine says which ward ports are observed.
func captureLine(ports []Port) string {
	var out []string
	for _, port := range ports {
		switch {
		case port.Use != "ward":
		case port.Capture == "":
			out = append(out, port.Name+" NOT OBSERVED")
		case !port.Up:
			out = append(out, port.Name+" observed, no link")
		default:
			out = append(out, port.Name+" observed")
		}
	}
	if len(out) == 0 {
		return "NO WARD PORT"
	}
	return strings.Join(out, "; ")
}

// enforceLine says whether anybody is fenced in.
func enforceLine(pol Policy) string {
	enforced, segments, denied := 0, 0, uint64(0)
	for _, s := range pol.Segments {
		if s.Enforced > 0 {
			segments++
		}
		enforced += s.Enforced
		denied += s.Denied
	}
	switch {
	case pol.Open > 0:
		return "BREAK-GLASS: everything passes, for " + openSpan(pol.Open)
	case !pol.InForce && pol.Version > 0:
		return "NOT IN PLACE: the kernel does not hold the policy"
	case enforced == 0:
		return "no device is fenced in"
	}
	return fmt.Sprintf("in place: %s in %s fenced in; packets denied: %d", count(enforced, "device"), count(segments, "segment"), denied)
}

func policyLine(pol Policy) string {
	var p page
	if pol.Version == 0 {
		return "none: all is observed, nothing is refused"
	}
	modes := map[string]int{}
	for _, s := range pol.Segments {
		modes[s.Mode]++
	}
	p.line("version %d, generation %d, %s; %d enforce, %d stage, %d observe", pol.Version, pol.Generation, orDash(pol.Result),
		modes["enforce"], modes["stage"], modes["observe"])
	return strings.TrimSpace(p.String())
}

func orDash(s string) string {
	if s == "" {
		return "not applied"
	}
	return s
}

// showPolicy lists the segments.
func showPolicy(s Source) string {
	var p page
	pol := s.Policy()
	p.line("policy    %s", policyLine(pol))
	if pol.Open > 0 {
		p.line("open      BREAK-GLASS: everything passes, for %s", openSpan(pol.Open))
	}
	if pol.Version == 0 {
		return p.String()
	}
	p.line("since     %s", moment(pol.Since))
	if pol.Reason != "" {
		p.words("reason    ", pol.Reason)
	}
	p.line("default   %s", pol.Default)
	for _, seg := range pol.Segments {
		p.line("")
		p.line("segment %s: %s, %s, %d packets denied, %d would be", seg.Name, seg.Mode, count(seg.Devices, "device"), seg.Denied, seg.WouldDeny)
		for _, a := range seg.Allow {
			p.words("  allow   ", a)
		}
	}
	return p.String()
}

// showDenies lists what was refused last.
func showDenies(s Source) string {
	var p page
	d := s.Denies()
	p.line("%d packets denied, %d would be; the last, as sampled:", d.Denied, d.WouldDeny)
	p.line("")
	p.line("%-8s %-15s %-17s %-17s %-12s %5s", "time", "verdict", "device", "peer", "service", "count")
	for _, e := range d.Recent {
		arrow := "> "
		if e.Direction == "to-device" {
			arrow = "< "
		}
		p.line("%s %s %s %s %s %5d", e.Last.UTC().Format("15:04:05"), cell(e.Verdict, 15), cell(string(e.Device), 17),
			cell(arrow+e.Peer, 17), cell(e.Service, 12), e.Samples)
	}
	return p.String()
}

func uplinkLine(u Uplink) string {
	waiting := u.WaitingInMemory
	for _, c := range u.Classes {
		waiting += int(c.Waiting)
	}
	switch {
	case u.Broker == "":
		return "none configured; " + count(waiting, "event") + " kept"
	case u.Connected:
		return "connected since " + moment(u.Since) + ", " + count(waiting, "event") + " waiting"
	}
	return "not connected since " + moment(u.Since) + ", " + count(waiting, "event") + " waiting"
}

// showUplink tells of the broker and of the queue.
func showUplink(s Source) string {
	var p page
	u := s.Uplink()
	p.line("uplink    %s", uplinkLine(u))
	if u.Broker != "" {
		p.line("broker    %s", u.Broker)
	}
	if u.LastError != "" && !u.Connected {
		p.words("because   ", u.LastError)
	}
	if id := u.Identity; id.State != "" {
		p.words("identity  ", id.State)
		p.fingerprint(id.Fingerprint)
	}
	p.line("sent      %d events acknowledged, last %s, %d in flight", u.Acked, moment(u.LastAck), u.InFlight)
	p.line("store     %s, epoch %s, %s of %s used", u.Store, u.Epoch, size(u.Bytes), size(u.Cap))
	if u.NoRoom {
		p.line("          no room: %s in memory", count(u.WaitingInMemory, "event"))
	}
	if u.Damaged+u.Refused > 0 {
		p.line("          %d records damaged, %d events refused", u.Damaged, u.Refused)
	}
	p.line("")
	p.line("%-10s %12s %12s %12s %12s", "class", "committed", "waiting", "evicted", "lost")
	for _, c := range u.Classes {
		p.line("%s %12d %12d %12d %12d", cell(c.Name, 10), c.Committed, c.Waiting, c.Evicted, c.Lost)
	}
	return p.String()
}
