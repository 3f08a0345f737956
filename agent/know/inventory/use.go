package inventory

import (
	"errors"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/know/utilise"
)

const (
	// maxBehind is how many bins are made up for after a pause: in files years
	// may lie between two frames.
	maxBehind = 24 * 60
	// saveUse is how often the utilisation of a device is saved: it is learned
	// over days.
	saveUse = time.Hour
	// atOnce is how many devices are saved, and how many hours told, in one go.
	atOnce = 64
	// restsAfter is after how long an absence the hours of a device are no longer
	// told.
	restsAfter = 7 * 24 * time.Hour
)

// turn ends the bins that have passed.
func (b *Book) turn(now clock.Stamp) {
	bin := int(b.now / utilise.Bin)
	n := min(bin-b.bin, maxBehind)
	if n <= 0 {
		return
	}
	b.bin = bin
	for _, r := range b.byMAC {
		if r.use == nil {
			continue
		}
		for range n {
			if r.use.Turn(r.dev.Identity.Role, now) {
				r.stale = true
			}
		}
	}
}

// meter gives a device with a role its utilisation, as it was kept if it was.
// Addresses that come and go in a flood get none.
func (b *Book) meter(r *record) {
	if r.use != nil || !r.fixed() {
		return
	}
	if r.use = b.uses[r.dev.ID]; r.use == nil {
		r.use = new(utilise.Meter)
	}
	delete(b.uses, r.dev.ID)
	r.useSaved = b.now
}

// tellUse emits the hours that are over, of some devices.
func (b *Book) tellUse(r *record, now clock.Stamp, left *int) {
	if r.use == nil || *left == 0 {
		return
	}
	h, ok := r.use.Due()
	if !ok || b.now-r.seen >= restsAfter {
		return
	}
	*left--
	b.emit(event.Event{Class: event.Telemetry, At: now, Body: event.Utilisation{Device: r.dev.ID, Role: r.dev.Identity.Role, Hour: h.Start, Minutes: h.Minutes()}})
}

// LoadUse reads what the keeper has of the utilisation, before Load. A record
// that cannot be read is left out and counted.
func (b *Book) LoadUse(k Keeper) (bad int, err error) {
	uses := make(map[device.ID]*utilise.Meter)
	err = k.Load(func(key string, value []byte) error {
		m, err := utilise.Decode(value)
		if err != nil || len(uses) >= b.limits.Devices {
			bad++
			b.unused[device.ID(key)] = true
			return nil
		}
		uses[device.ID(key)] = m
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("load utilisation: %w", err)
	}
	b.uses = uses
	return bad, nil
}

// settleUse gives the devices of Load what LoadUse has read, and drops what is
// of none.
func (b *Book) settleUse() {
	for _, r := range b.byMAC {
		if m := b.uses[r.dev.ID]; m != nil {
			r.use, r.useSaved = m, b.now
			delete(b.uses, r.dev.ID)
		}
	}
	for id := range b.uses {
		b.unused[id] = true
	}
	b.uses = nil
}

// SaveUse hands the keeper the utilisation of some devices that are due.
// SaveAllUse hands it that of all.
func (b *Book) SaveUse(k Keeper) error { return b.handUse(k, saveUse, atOnce) }

// SaveAllUse is SaveUse without waiting for anything, for the end.
func (b *Book) SaveAllUse(k Keeper) error { return b.handUse(k, 0, len(b.byMAC)) }

func (b *Book) handUse(k Keeper, every time.Duration, most int) error {
	values := make(map[string][]byte)
	var saved []*record
	var errs []error
	for _, r := range b.byMAC {
		if r.use == nil || b.now-r.useSaved < every || len(saved) == most {
			continue
		}
		v, err := r.use.Encode()
		if err != nil { // must not cost the others
			errs = append(errs, fmt.Errorf("save device %s: %w", r.dev.ID, err))
			continue
		}
		values[string(r.dev.ID)] = v
		saved = append(saved, r)
		delete(b.unused, r.dev.ID)
	}
	var gone []string
	for id := range b.unused {
		gone = append(gone, string(id))
	}
	if len(values) == 0 && len(gone) == 0 {
		return errors.Join(errs...)
	}
	if err := k.Save(values, gone); err != nil {
		return fmt.Errorf("save utilisation: %w", err)
	}
	clear(b.unused)
	for _, r := range saved {
		r.useSaved = b.now
	}
	return errors.Join(errs...)
}
