package enforce

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Scopes of break-glass.
const (
	scopeGateway = "gateway"
	scopePort    = "port"
	scopeDevice  = "device"
	scopeSegment = "segment"
)

// Conditions while something is open.
const (
	glassCode = "break-glass"         // the whole gateway
	partCode  = "break-glass.partial" // ports and devices
)

// scopeText names a scope for people.
func scopeText(scope, name string) string {
	if scope == scopeGateway {
		return "the gateway"
	}
	return scope + " " + name
}

// panes are what break-glass has to open for a scope.
func (t *Task) panes(scope, name string, d time.Duration) ([]policy.Opening, error) {
	if d < time.Second || d > maxGlass {
		return nil, refuse(codeInvalidArgs, "break-glass for %s: want a second to %s", d, maxGlass)
	}
	ofMAC := func(mac fact.MAC) policy.Opening {
		return policy.Opening{Set: policy.SetOpenDevice, Key: platform.MACKey(mac), Left: d}
	}
	switch scope {
	case scopeGateway:
		return []policy.Opening{policy.Gateway(d)}, nil
	case scopePort:
		if name == "" || name != t.opt.Uplink && !slices.Contains(t.opt.Ward, name) {
			return nil, refuse(codeNotFound, "break-glass: no port %q", name)
		}
		return []policy.Opening{{Set: policy.SetOpenPort, Key: platform.NameKey(name), Left: d}}, nil
	case scopeDevice:
		mac, ok := t.macOf(device.ID(name))
		if !ok {
			return nil, refuse(codeNotFound, "break-glass: no device %q", name)
		}
		return []policy.Opening{ofMAC(mac)}, nil
	case scopeSegment:
		var out []policy.Opening
		if c := t.now.Load(); c != nil {
			for _, m := range c.Input().Placement.Members {
				if o := ofMAC(m.MAC); m.Segment == name && !slices.Contains(out, o) {
					out = append(out, o)
				}
			}
		}
		if len(out) == 0 {
			return nil, refuse(codeNotFound, "break-glass: no segment %q with devices in it", name)
		}
		return out, nil
	}
	return nil, refuse(codeInvalidArgs, "break-glass: scope %q: want gateway, port, device or segment", scope)
}

// macOf is the MAC of a device of this ward: as the inventory has it, or as its
// id says.
func (t *Task) macOf(id device.ID) (fact.MAC, bool) {
	if t.opt.Inventory != nil {
		if d := t.opt.Inventory.Snapshot().Find(id); d != nil {
			return d.MAC, d.MAC != fact.MAC{} && !d.MAC.Group()
		}
	}
	return policy.MACOf(id)
}

// nameOf says what a pane is, in a person's words.
func nameOf(p pane) (scope, name string) {
	switch {
	case p.set == policy.SetOpenPort:
		return scopePort, strings.TrimRight(p.key, "\x00")
	case p.set == policy.SetOpenDevice && len(p.key) == len(fact.MAC{}):
		return scopeDevice, string(device.IDOf(fact.MAC([]byte(p.key))))
	}
	return scopeGateway, ""
}

// actGlass puts an act of break-glass into the audit, and the conditions up or
// down.
func (t *Task) actGlass(act, who, scope, name string, d time.Duration) {
	now := t.opt.Clock.Now()
	body := event.Act{Act: act, Who: who, Scope: scope, Name: name}
	if scope == scopeDevice {
		body.Device, body.Scope, body.Name = device.ID(name), "", ""
	}
	if d > 0 && d < policy.Forever {
		body.Seconds, body.Until = int64(d/time.Second), now.Wall.Add(d)
	}
	if scope == scopeGateway {
		body.Scope = ""
		t.opt.Board.Clear(glassCode)
		if d > 0 {
			t.opt.Board.Set(health.Condition{Code: glassCode, Severity: health.Warning, Since: now.Wall,
				Text: "break-glass: the whole gateway is open until " + closing(now.Wall, d)})
		}
	} else {
		t.partly(now.Wall, now.Mono)
	}
	t.opt.Log.Warn("break-glass", "act", act, "who", who, "scope", scope, "name", name, "for", d)
	t.opt.Events.Emit(event.Event{Class: event.Audit, At: now, Body: body})
}

// partly puts the condition of open ports and devices up or down.
func (t *Task) partly(wall time.Time, mono time.Duration) {
	var open []string
	for _, o := range t.glass.open(mono) {
		if scope, name := nameOf(paneOf(o)); scope != scopeGateway {
			open = append(open, fmt.Sprintf("%s %s until %s", scope, name, closing(wall, o.Left)))
		}
	}
	t.opt.Board.Clear(partCode)
	if len(open) > 0 {
		const most = 8
		text := strings.Join(open[:min(len(open), most)], ", ")
		if len(open) > most {
			text += fmt.Sprintf(", and %d more", len(open)-most)
		}
		t.opt.Board.Set(health.Condition{Code: partCode, Severity: health.Warning, Since: wall, Text: "break-glass: open are " + text})
	}
}

// closing says when something closes that is open for d.
func closing(now time.Time, d time.Duration) string {
	if d == policy.Forever {
		return "somebody closes it"
	}
	return now.Add(d).UTC().Format("15:04:05 UTC")
}

// tellGlass audits what the kernel was found to have open, or no longer has, if
// nobody said so yet: the button, another program, an agent that was killed
// before it could, and the end.
func (t *Task) tellGlass() {
	defer t.tellPress()
	now := t.opt.Clock.Now().Mono
	for _, n := range t.glass.news(now) {
		scope, name := nameOf(n.pane)
		switch {
		case n.left > 0:
			if until, ok := t.pressed(now, n.left); ok && scope == scopeGateway {
				t.press = until
				t.actGlass("break-glass", "button", scope, name, n.left)
				continue
			}
			t.actGlass("break-glass-found", "unknown", scope, name, n.left)
		case n.early:
			t.actGlass("break-glass-ended", "unknown", scope, name, 0)
		default:
			t.actGlass("break-glass-ended", "kernel", scope, name, 0)
		}
	}
}

// Opening is something that break-glass has open.
type Opening struct {
	Scope, Name string // as in Open; a segment is its devices
	Left        time.Duration
}

// Openings is what is open now.
func (t *Task) Openings() []Opening {
	var out []Opening
	for _, o := range t.glass.open(t.opt.Clock.Now().Mono) {
		scope, name := nameOf(paneOf(o))
		out = append(out, Opening{scope, name, o.Left})
	}
	return out
}
