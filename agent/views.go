package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/observe/capture"
	"github.com/wardkeeper/wardkeeper/agent/operate/console"
)

// gatewayState is the agent's part of the retained state message.
func (a *Agent) gatewayState() event.GatewayState {
	s := a.enforce.Status()
	out := event.GatewayState{Version: a.build.Version, Policy: s.Version, Generation: s.Generation}
	if a.command != nil {
		out.Versions = a.command.Versions()
	}
	return out
}

// counters are the numbers of the health record.
func (a *Agent) counters() map[string]uint64 {
	out := a.enforce.Counters()
	maps.Copy(out, a.denies.Counters())
	if a.command != nil {
		maps.Copy(out, a.command.Counters())
	}
	if a.uplink != nil {
		u := a.uplink.Status()
		out["uplink.received"], out["uplink.busy"], out["uplink.unheard"], out["uplink.unsaid"] = u.Received, u.Busy, u.Unheard, u.Unsaid
	}
	inv, box := a.devices.Stats(), a.box.Stats()
	out["inventory.batches_dropped"] = a.devices.Dropped()
	out["inventory.devices_refused"] = inv.Refused
	out["inventory.devices_evicted"] = inv.Evicted
	out["inventory.devices_gone"] = inv.Gone
	out["inventory.facts_foreign"] = inv.Foreign
	for _, x := range a.readers {
		s := x.Stats()
		out["observe.withheld"] += s.Withheld
		out["observe.foreign"] += s.Foreign
		out["observe.flows_evicted"] += s.Flows.Evicted
		out["observe.streams_evicted"] += s.Flows.StreamsEvicted
		out["observe.fragments_dropped"] += s.FragmentsDropped
	}
	out["outbox.bytes"] = uint64(box.Bytes)
	out["outbox.damaged"] = box.Damaged
	out["outbox.refused"] = box.Refused
	for class, n := range box.Evicted {
		out["outbox.evicted."+class] = n
	}
	for class, n := range box.Lost {
		out["outbox.lost."+class] = n
	}
	if n, err := a.host.Self.Memory(); err == nil { // else the key is missing: nothing depends on it
		out["process.rss_bytes"] = n
	}
	return out
}

func (a *Agent) healthPorts() []event.HealthPort {
	out := make([]event.HealthPort, 0, len(a.ports))
	for _, p := range a.ports {
		s := p.Status()
		out = append(out, event.HealthPort{Name: s.Port, Mode: a.mode(s), Frames: s.Frames, Dropped: s.Dropped})
	}
	return out
}

// mode is how a port is captured, "" while it is not: the capture's own status
// keeps the mode of the last opening.
func (a *Agent) mode(s capture.Status) string {
	if a.is("capture.port_gone:" + s.Port) {
		return ""
	}
	return s.Mode
}

// is reports whether one of the conditions is up.
func (a *Agent) is(codes ...string) bool {
	return slices.ContainsFunc(a.board.Conditions(), func(c health.Condition) bool { return slices.Contains(codes, c.Code) })
}

// consoleView shows the agent to the console.
type consoleView struct {
	a *Agent
}

func (v consoleView) Inventory() *device.Snapshot { return v.a.devices.Snapshot() }

func (v consoleView) Status() console.Status {
	a := v.a
	s := console.Status{Gateway: a.cfg.Gateway, Site: a.cfg.Site.Name, Version: a.build.Version, Mode: string(a.cfg.Mode), Lab: a.cfg.Lab,
		Now: a.clock.Now(), Running: a.host.Clock.Mono() - a.started, Conditions: a.board.Conditions()}
	s.Synced, s.Firmware = a.host.Clock.Synced(), console.Firmware{Slot: a.build.Slot, Image: a.build.Image, Kernel: a.build.Kernel}
	if a.is(rescueCode) {
		s.Firmware.Rescue = a.by.Rescue
	}
	up, err := a.host.Links.Link(a.cfg.Ports.Uplink)
	s.Ports = append(s.Ports, console.Port{Name: a.cfg.Ports.Uplink, Use: "uplink", Up: err == nil && up.Up && up.Carrier})
	for _, p := range a.ports {
		st := p.Status()
		l, err := a.host.Links.Link(st.Port)
		s.Ports = append(s.Ports, console.Port{Name: st.Port, Use: "ward", Up: err == nil && l.Up && l.Carrier, Capture: a.mode(st), Frames: st.Frames, Dropped: st.Dropped})
	}
	return s
}

func (v consoleView) Policy() console.Policy {
	s := v.a.enforce.Status()
	out := console.Policy{Version: s.Version, InForce: s.Generation > 0 && !v.a.is("enforce.apply", "enforce.compile"), Generation: s.Generation, Result: s.Result, Reason: s.Reason, Since: s.Since, Default: s.Default.String(), Open: s.Open}
	outside := map[device.ID][]string{}
	for _, c := range v.a.nac.Status() {
		for _, o := range c.Obligations {
			outside[c.Device] = append(outside[c.Device], strings.TrimSpace(fmt.Sprintf("%s: %s %s", o.Hook, o.State, o.Effect)))
		}
	}
	for _, q := range v.a.enforce.Quarantined() {
		out.Quarantine = append(out.Quarantine, console.Quarantined{Device: q.Device, Owner: q.Owner, Reason: q.Reason, Left: q.Left, Interlock: q.Interlock, Outside: outside[q.Device]})
	}
	for _, o := range v.a.enforce.Openings() {
		if o.Name != "" {
			out.Openings = append(out.Openings, fmt.Sprintf("%s %s, for %s", o.Scope, o.Name, o.Left.Round(time.Second)))
		}
	}
	if v.a.command != nil {
		out.Root = v.a.command.Versions()["root"]
	}
	for _, seg := range s.Segments {
		out.Segments = append(out.Segments, console.Segment{Name: seg.Name, Mode: seg.Mode.String(), Devices: seg.Observed + seg.Staged + seg.Enforced, Enforced: seg.Enforced,
			Allow: seg.Allow, Denied: seg.Denied, WouldDeny: seg.WouldDeny})
	}
	return out
}

func (v consoleView) Denies() console.Denies {
	s := v.a.enforce.Status()
	return console.Denies{Denied: s.Denied, WouldDeny: s.WouldDeny, Recent: v.a.recent.Denies()}
}

func (v consoleView) Uplink() console.Uplink {
	box := v.a.box.Stats()
	out := console.Uplink{Bytes: box.Bytes, Cap: v.a.cfg.Outbox.CapBytes, Store: "file", Epoch: v.a.opened.Epoch, Damaged: box.Damaged,
		Refused: box.Refused, WaitingInMemory: box.Queued, NoRoom: box.Stuck}
	if v.a.store.RAM() {
		out.Store = "memory only"
	}
	for _, c := range event.Classes() {
		n := c.String()
		out.Classes = append(out.Classes, console.Class{Name: n, Committed: box.Seq[n], Waiting: box.Pending[n], Evicted: box.Evicted[n], Lost: box.Lost[n]})
	}
	if id := v.a.identity; id != nil {
		s := id.Status()
		out.Identity = console.Identity{State: s.State, Fingerprint: s.Fingerprint, Request: s.Request}
	}
	if u := v.a.uplink; u != nil {
		s := u.Status()
		out.Broker, out.Connected, out.Since, out.LastError = s.Broker, s.Connected, s.Since, s.LastError
		out.InFlight, out.Acked, out.LastAck = s.InFlight, s.Acked, s.LastAck
	}
	return out
}
