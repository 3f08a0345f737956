package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Keeper remembers devices across restarts.
type Keeper interface {
	// Load calls fn with every device kept, in any order.
	Load(fn func(key string, value []byte) error) error
	// Save puts the values and deletes the keys gone, in one transaction. A
	// key that is gone may not be there.
	Save(values map[string][]byte, gone []string) error
}

// kept is a device on disk. The version grows with every change of shape that
// an older reader would misread.
type kept struct {
	V      int           `json:"v"`
	Device device.Device `json:"device"`
	// Silent is for how long the gateway had looked for it in vain, in seconds:
	// by the monotonic clock, since the wall clock may be years off.
	Silent int64 `json:"silent_s,omitempty"`
}

const keptVersion = 1

// saveGaps pace the writes of one device: what a power cut may cost, against
// the life of the flash.
func saveGaps() gaps {
	return gaps{counts: 5 * time.Minute, learns: 30 * time.Second, turns: 0}
}

// Load restores what the keeper has; a record that cannot be read is left out
// and counted: one bad record must not cost the others.
func (b *Book) Load(k Keeper) (bad int, err error) {
	var all []kept
	ids := make(map[fact.MAC]bool)
	err = k.Load(func(key string, value []byte) error {
		var v kept
		err := json.Unmarshal(value, &v)
		if d := v.Device; err != nil || v.V != keptVersion || string(d.ID) != key || ids[d.MAC] || len(ids) >= b.limits.Devices {
			bad++
			return nil
		}
		ids[v.Device.MAC] = true
		all = append(all, v)
		return nil
	})
	if err != nil { // nothing was taken over: it can be tried again
		return 0, fmt.Errorf("load inventory: %w", err)
	}
	for _, v := range all {
		d := v.Device
		r := b.restore(d)
		r.silent = time.Duration(v.Silent) * time.Second
		r.seen -= r.silent
		if seen, ok := b.byMAC[d.MAC]; ok {
			b.perPort[seen.dev.Port]--
			r.merge(seen)
		}
		b.byMAC[d.MAC] = r
		b.perPort[r.dev.Port]++
		b.mark(r)
	}
	b.settleUse()
	return bad, nil
}

// merge adds what was learned of the device before it could be restored.
func (r *record) merge(seen *record) {
	for _, f := range seen.known() {
		r.add(f.Kind, f.Value, f.Personal, f.Last)
	}
	for _, a := range slices.Backward(seen.dev.IPs) {
		r.address(a)
	}
	r.dev.Port, r.dev.VLAN, r.dev.LastSeen = seen.dev.Port, seen.dev.VLAN, seen.dev.LastSeen
	r.seen = seen.seen
	r.use, r.useSaved = seen.use, seen.useSaved
	r.note(turns)
}

// restore makes a record of a device that was kept. It is judged again, since
// the rules may be others now, and its facts pass the gate again, since that
// may be narrower.
func (b *Book) restore(d device.Device) *record {
	r := &record{dev: d, facts: make(map[factKey]*learned, len(d.Facts)), roleAt: b.now, seen: b.now,
		judge: true, judged: b.now, saved: true}
	r.told = told{known: true, port: d.Port, role: d.Identity.Role, confidence: d.Identity.Confidence}
	for _, f := range slices.SortedFunc(slices.Values(d.Facts), func(a, b device.Known) int { return a.Last.Compare(b.Last) }) {
		if v, ok := fact.New(f.Kind, f.Value); ok {
			r.add(f.Kind, v.String(), v.Personal(), f.Last)
			r.facts[factKey{f.Kind, v.String(), v.Personal()}].First = f.First
		} else if f.Personal {
			r.add(f.Kind, "", true, f.Last)
			r.facts[factKey{f.Kind, "", true}].First = f.First
		}
	}
	r.talks.Restore(d.Conversations)
	r.dev.Facts, r.dev.Conversations = nil, nil
	r.stale, r.fresh = true, true
	r.report.note(turns)
	return r
}

// Save hands the keeper what is due. SaveAll hands it all that it does not have.
func (b *Book) Save(k Keeper) error { return b.hand(k, saveGaps(), 24*time.Hour) }

// SaveAll is Save without waiting for anything, for the end.
func (b *Book) SaveAll(k Keeper) error { return b.hand(k, gaps{}, time.Hour) }

// hand saves what is due by its news, and devices whose silence has grown by
// step, which a power cut may cost them.
func (b *Book) hand(k Keeper, g gaps, step time.Duration) error {
	values := make(map[string][]byte)
	var saved []*record
	var errs []error
	for _, r := range b.byMAC {
		silent := b.now - r.seen
		if r.judged == 0 || !r.save.now(g, b.now) && silent-r.silent < step {
			continue
		}
		v, err := json.Marshal(kept{V: keptVersion, Device: r.freeze(), Silent: int64(silent / time.Second)})
		if err != nil { // must not cost the others
			errs = append(errs, fmt.Errorf("save device %s: %w", r.dev.ID, err))
			continue
		}
		values[string(r.dev.ID)] = v
		saved = append(saved, r)
	}
	gone := make([]string, 0, len(b.gone))
	for id := range b.gone {
		gone = append(gone, string(id))
	}
	if len(values) == 0 && len(gone) == 0 {
		return errors.Join(errs...)
	}
	if err := k.Save(values, gone); err != nil {
		return fmt.Errorf("save inventory: %w", err)
	}
	clear(b.gone)
	for _, r := range saved {
		r.saved, r.silent = true, b.now-r.seen
		r.save.done(b.now)
	}
	return errors.Join(errs...)
}
