package enforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// keyModes is where the overrides are in the store.
const keyModes = "modes"

// override is a mode that a person gave a segment, in place of the policy's. A
// gentler one outlives a change of policy; a sterner one ends with the policy
// that it was given under.
type override struct {
	Mode   policy.Mode `json:"mode"`
	Who    string      `json:"who"`
	Policy string      `json:"policy"` // its digest
}

// keptModes are the overrides as they are kept.
type keptModes struct {
	V     int                 `json:"v"`
	Modes map[string]override `json:"modes"` // by segment
}

// modes are the overrides. It is safe for concurrent use.
type modes struct {
	mu sync.Mutex
	by map[string]override // mu; never changed, only replaced

	keeping sync.Mutex    // one writer at a time, so that the last is the newest
	unkept  bool          // keeping; the store did not take them
	tried   time.Duration // keeping; since boot
}

func (m *modes) get() map[string]override {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.by
}

func (m *modes) set(by map[string]override) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.by = by
}

// under is the policy under these overrides.
func under(p *policy.Policy, by map[string]override) *policy.Policy {
	modes := map[string]policy.Mode{}
	for name, o := range by {
		if s := p.Segment(name); s != nil && (o.Mode < s.Mode || o.Mode > s.Mode && o.Policy == p.Digest()) {
			modes[name] = o.Mode
		}
	}
	if len(modes) == 0 {
		return p
	}
	return p.WithModes(modes)
}

// Mode gives a segment another mode than the policy's, until another call gives
// it that one back; it is kept over a restart. It returns once that is in force.
// A sterner mode is refused where it could not stand in a policy, or would cut a
// life-sustaining device from a clinical peer.
func (t *Task) Mode(ctx context.Context, segment, mode, who string) error {
	m, err := policy.ParseMode(mode)
	if err != nil {
		return refuse(codeInvalidArgs, "%v", err)
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	p, before := t.policy.Load(), t.modes.get()
	s, now := p.Segment(segment), under(p, before).Segment(segment)
	if s == nil {
		return refuse(codeNotFound, "mode: no segment %q", segment)
	}
	by := maps.Clone(before)
	if by == nil {
		by = map[string]override{}
	}
	by[segment] = override{Mode: m, Who: who, Policy: p.Digest()}
	if m == s.Mode {
		delete(by, segment)
	}
	sterner := m > now.Mode
	if sterner {
		if err := t.admissible(ctx, under(p, by)); err != nil {
			return err
		}
	}
	t.modes.set(by)
	poke(t.wake)
	err = t.await(ctx, func(c *policy.Compiled) bool {
		s := c.Input().Policy.Segment(segment)
		return s != nil && (s.Mode == m || !sterner && s.Mode < m)
	})
	if err != nil && sterner {
		t.modes.set(before)
		poke(t.wake)
		return fmt.Errorf("mode of %s: %w", segment, err)
	}
	// Kept also where it is not in force yet: what opens is not to be forgotten.
	t.keepModes(true)
	t.audit(event.Act{Act: "mode", Who: who, Scope: scopeSegment, Name: segment, Reason: m.String()})
	if err != nil {
		return fmt.Errorf("mode of %s: %w", segment, err)
	}
	return nil
}

// keepModes writes the overrides: changed ones, or such as the store did not take.
func (t *Task) keepModes(changed bool) {
	m, now := &t.modes, t.opt.Clock.Now().Mono
	if changed {
		m.keeping.Lock()
	} else if !m.keeping.TryLock() { // a disk that stalls holds up who ordered, not the rules
		return
	}
	defer m.keeping.Unlock()
	if t.opt.Store == nil || !changed && (!m.unkept || now-m.tried < keepAgain) {
		return
	}
	b, err := json.Marshal(keptModes{keptVersion, m.get()})
	if err != nil {
		return // only plain structs come here
	}
	m.unkept, m.tried = !t.put(keyModes, b), now
}

// tellModes puts up which segments are in another mode than their policy says.
func (t *Task) tellModes() {
	const code = "enforce.modes"
	p, by := t.policy.Load(), t.modes.get()
	now := under(p, by)
	var other []string
	for i, s := range now.Segments {
		if s.Mode != p.Segments[i].Mode {
			other = append(other, fmt.Sprintf("%s in %s (%s)", s.Name, s.Mode, by[s.Name].Who))
		}
	}
	if len(other) == 0 {
		t.clear(code)
		return
	}
	t.condition(code, health.Warning, "segments are in another mode than the policy says: "+strings.Join(other, ", "))
}

// openModes reads the overrides.
func (t *Task) openModes() {
	if t.opt.Store == nil {
		return
	}
	values, err := t.opt.Store.All(keyModes)
	for _, b := range values {
		var k keptModes
		merr := json.Unmarshal(b, &k)
		if merr == nil && k.V != keptVersion {
			merr = fmt.Errorf("record of version %d", k.V)
		}
		if merr == nil {
			t.modes.set(k.Modes)
			break
		}
		err = errors.Join(err, merr)
	}
	t.lost("modes of segments", err)
}

// SetPolicy puts another policy in force, "" for the one that the agent began
// with, and returns once it is. It is refused where it cannot be read, may not
// stand on this gateway, or would cut a life-sustaining device from a clinical
// peer; where the kernel does not take it, the policy of before stays.
func (t *Task) SetPolicy(ctx context.Context, toml, who string) error {
	p := t.opt.Policy
	if toml != "" {
		var err error
		if p, err = policy.Parse("policy", []byte(toml), t.opt.Roles); err != nil {
			return refuse(codeInvalidArgs, "%v", err)
		}
	} else if p == nil {
		p = policy.None()
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	if err := t.admissible(ctx, under(p, t.modes.get())); err != nil {
		return err
	}
	before := t.policy.Swap(p)
	poke(t.wake)
	if err := t.await(ctx, func(c *policy.Compiled) bool {
		return c.Input().Policy.Digest() == under(p, t.modes.get()).Digest()
	}); err != nil {
		t.policy.Store(before)
		poke(t.wake)
		return fmt.Errorf("policy %d: %w", p.Version, err)
	}
	t.endSterner(before, p)
	t.audit(event.Act{Act: "policy", Who: who, Reason: fmt.Sprintf("version %d", p.Version)})
	return nil
}

// endSterner strikes out sterner modes of the policy of before: should that come
// back, it comes as it was written.
func (t *Task) endSterner(before, now *policy.Policy) {
	by, digest := maps.Clone(t.modes.get()), before.Digest()
	if now.Digest() == digest {
		return
	}
	n := len(by)
	maps.DeleteFunc(by, func(name string, o override) bool {
		s := before.Segment(name)
		return o.Policy == digest && s != nil && o.Mode > s.Mode
	})
	if len(by) < n {
		t.modes.set(by)
		t.keepModes(true)
	}
}

// admissible refuses a policy that this gateway may not enforce, or that would
// cut what nobody may.
func (t *Task) admissible(ctx context.Context, p *policy.Policy) error {
	if err := policy.Admit(p, t.opt.Lab, t.links()); err != nil {
		return refuse(codeNotAllowed, "policy %d: %v", p.Version, err)
	}
	if err := t.untilSettled(ctx); err != nil {
		return err
	}
	cuts, err := t.JudgePolicy(p)
	if err != nil {
		return refuse(codeInvalidArgs, "%v", err)
	}
	if len(cuts) > 0 {
		const most = 3
		text := make([]string, 0, most)
		for _, c := range cuts[:min(len(cuts), most)] {
			text = append(text, fmt.Sprintf("%s from %s (%s): %s", c.Device, c.Peer, c.Addr, c.Why))
		}
		return refuse(codeInterlock, "policy %d would cut life-sustaining devices from clinical peers, %d in all: %s", p.Version, len(cuts), strings.Join(text, "; "))
	}
	return nil
}

// applyLimit is how long a change may take to be in force.
const applyLimit = 10 * time.Second

// await waits until the rules in force satisfy ok.
func (t *Task) await(ctx context.Context, ok func(*policy.Compiled) bool) error {
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	for {
		if c := t.now.Load(); c != nil && ok(c) {
			return nil
		}
		if !wait(ctx, 20*time.Millisecond) {
			return errors.New("it is not in force yet")
		}
	}
}

// untilSettled waits until it is known what the devices are.
func (t *Task) untilSettled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, applyLimit)
	defer cancel()
	select {
	case <-t.ready:
		return nil
	case <-ctx.Done():
		return errors.New("the inventory is not back yet: nobody knows what this would cut")
	}
}
