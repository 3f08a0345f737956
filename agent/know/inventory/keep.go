package inventory

import (
	"encoding/json"
	"fmt"

	"github.com/wardkeeper/wardkeeper/agent/device"
)

// Keeper remembers devices across restarts.
type Keeper interface {
	// Load calls fn with every device kept, in any order.
	Load(fn func(key string, value []byte) error) error
	// Save puts the values in one transaction.
	Save(values map[string][]byte) error
}

// kept is a device on disk. The version grows with every change of shape that
// an older reader would misread.
type kept struct {
	V      int           `json:"v"`
	Device device.Device `json:"device"`
}

const keptVersion = 1

// Load restores what the keeper has; a record that cannot be read is left out
// and counted: one bad record must not cost the others.
func (b *Book) Load(k Keeper) (bad int, err error) {
	err = k.Load(func(key string, value []byte) error {
		var v kept
		if err := json.Unmarshal(value, &v); err != nil || v.V != keptVersion || string(v.Device.ID) != key || len(b.byMAC) >= b.limits.Devices {
			bad++
			return nil
		}
		d := v.Device
		r := &record{dev: d, facts: make(map[factKey]*device.Known, len(d.Facts)), roleAt: d.LastSeen, changed: true}
		for _, f := range d.Facts {
			if len(r.facts) < device.MaxFacts {
				r.facts[factKey{f.Kind, f.Value, f.Personal}] = &f
			}
		}
		r.talks.Restore(d.Conversations)
		r.dev.Facts, r.dev.Conversations = nil, nil
		b.byMAC[d.MAC] = r
		b.perPort[d.Port]++
		return nil
	})
	if err != nil {
		return bad, fmt.Errorf("load inventory: %w", err)
	}
	return bad, nil
}

// Save hands the keeper what changed since it last had it.
func (b *Book) Save(k Keeper) error {
	values := make(map[string][]byte)
	var saved []*record
	for _, r := range b.byMAC {
		if !r.unsaved {
			continue
		}
		v, err := json.Marshal(kept{V: keptVersion, Device: r.value()})
		if err != nil {
			return fmt.Errorf("save device %s: %w", r.dev.ID, err)
		}
		values[string(r.dev.ID)] = v
		saved = append(saved, r)
	}
	if len(values) == 0 {
		return nil
	}
	if err := k.Save(values); err != nil {
		return fmt.Errorf("save inventory: %w", err)
	}
	for _, r := range saved {
		r.unsaved = false
	}
	return nil
}
