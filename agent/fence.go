package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/operate/command"
	"github.com/wardkeeper/wardkeeper/agent/protect/enforce"
	"github.com/wardkeeper/wardkeeper/agent/protect/nac"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// fence is what protects the ward, to those who command it: first the rules of
// this gateway, then what the network outside can do.
type fence struct{ a *Agent }

// Quarantine cuts a device off, here and outside.
func (f fence) Quarantine(ctx context.Context, o command.Order) error {
	if err := f.a.enforce.Quarantine(ctx, enforce.Order{Device: o.Device, Owner: o.Owner, Reason: o.Reason, For: o.For, Interlock: o.Interlock}); err != nil {
		return err
	}
	// Who wrote the reason wrote it for people: outside it goes by a code.
	if err := f.a.nac.Quarantine(nac.Order{ID: o.ID, Device: o.Device, By: o.Owner, Code: "quarantine", For: o.For, Interlock: o.Hooks}); err != nil {
		return fmt.Errorf("%s is cut off here, but not outside: %v", o.Device, err) // no refusal: something was done
	}
	return nil
}

// Release ends a quarantine, here and outside, one whatever becomes of the other;
// what cannot be undone at once is owed, unless somebody says that it is undone.
func (f fence) Release(ctx context.Context, id device.ID, who string, undone bool) error {
	err := errors.Join(f.a.enforce.Release(ctx, id, who), f.a.nac.Release(id, who))
	if undone {
		err = errors.Join(err, f.a.nac.Undone(id, who))
	}
	return err
}

// Open lets everything of a gateway, port, device or segment pass, and has
// undone what the network outside was asked for.
func (f fence) Open(ctx context.Context, scope, name string, d time.Duration, who string) error {
	if err := f.a.enforce.Open(ctx, scope, name, d, who); err != nil {
		return err
	}
	return f.a.nac.Suspend(who, f.a.openFor)
}

// Mode changes that of a segment.
func (f fence) Mode(ctx context.Context, segment, mode, who string) error {
	return f.a.enforce.Mode(ctx, segment, mode, who)
}

// SetPolicy puts another policy in force.
func (f fence) SetPolicy(ctx context.Context, toml, who string) error {
	return f.a.enforce.SetPolicy(ctx, toml, who)
}

// parsePolicy reads the text of a policy.
func (a *Agent) parsePolicy(file, toml string) (*policy.Policy, error) {
	roles := a.know.rules.Roles
	return policy.Parse(file, []byte(toml), roles.Class, roles.Names()...)
}

// openFor reports that break-glass is open for a device: for itself, its port, the
// uplink, which all it says to the hospital crosses, or the whole gateway. One
// whose port nobody knows, having been cut off for long, is held to be on the
// open one.
func (a *Agent) openFor(id device.ID) bool {
	d := a.devices.Snapshot().Find(id)
	for _, o := range a.enforce.Openings() {
		switch {
		case o.Scope == "gateway", o.Scope == "device" && o.Name == string(id), o.Scope == "port" && (d == nil || o.Name == d.Port || o.Name == a.cfg.Ports.Uplink):
			return true
		}
	}
	return false
}

// wire tells nac when a device last got through, from what the inventory knows
// of its conversations.
type wire struct{ a *Agent }

// LastTalk is the last frame of the device that a hook which holds would have
// stopped: not those of its exempt pairs, nor what quarantine lets through.
func (w wire) LastTalk(id device.ID) (at time.Duration, ok bool) {
	d := w.a.devices.Snapshot().Find(id)
	if d == nil {
		return 0, false
	}
	now := w.a.clock.Now()
	var last time.Time
	for _, c := range d.Conversations {
		if c.PacketsFrom > 0 && c.Last.After(last) && !w.a.enforce.Spared(d.MAC, c.Peer, c.Service) {
			last = c.Last
		}
	}
	if last.IsZero() {
		return 0, true
	}
	if last.After(now.Wall.Add(time.Second)) {
		return 0, false // the clock was set back since: nobody can tell
	}
	return max(0, now.Mono-now.Wall.Sub(last)), true
}

var (
	_ command.Fence = fence{}
	_ nac.Wire      = wire{}
)

// hooks makes the hooks of the configuration.
func (a *Agent) hooks() ([]nac.Hook, error) {
	var out []nac.Hook
	for _, s := range a.cfg.Hooks {
		h, err := nac.NewHook(nac.Spec{Name: s.Name, Kind: s.Kind, Reach: nac.Reach(s.Reach), Limit: s.Limit, Program: s.Program, URL: s.URL, CA: s.CA,
			Secret: s.Secret, Server: s.Server, NASIdentifier: s.NASIdentifier, NASAddress: s.NASAddress}, nac.Means{Clock: a.clock, Dial: a.host.Dial, Prompt: a.host.Prompt})
		if err != nil {
			return nil, fmt.Errorf("nac: %w", err)
		}
		out = append(out, h)
	}
	return out, nil
}
