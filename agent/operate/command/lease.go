package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// lease is what a command did that ends by itself.
type lease struct {
	ID        string        `json:"id"`
	Op        string        `json:"op"` // quarantine, pin-role, tag
	Device    device.ID     `json:"device"`
	Role      device.Role   `json:"role,omitempty"`
	Tags      []string      `json:"tags,omitempty"`
	By        string        `json:"by"`
	Reason    string        `json:"reason"`
	Interlock bool          `json:"interlock,omitempty"`
	Hooks     []string      `json:"hooks,omitempty"`
	Number    signed.Number `json:"number"`
	Ends      end           `json:"ends"`
}

// leases are those that last, with what bounds new ones. They are kept as a file.
type leases struct {
	All []lease `json:"all"`
	// Cut is until when devices count that were put into quarantine lately.
	Cut map[device.ID]end `json:"cut,omitempty"`
	// Released are devices let go although a desired set names them: sets count
	// for them again from the first that is newer than this.
	Released map[device.ID]signed.Number `json:"released,omitempty"`
	// Asked is until when the fence was asked to hold what the desired set names.
	Asked map[device.ID]end `json:"asked,omitempty"`
	// Letting are devices that no set names any more, still to be let go, and who
	// signed for that.
	Letting map[device.ID]string `json:"letting,omitempty"`
}

const leaseKey = "command-leases"

// Bounds of what commands may do at once.
const (
	maxLeases = 512
	// cutWindow is the time in which only a share of the ward may be newly cut
	// off: minCut devices, or one in cutShare.
	cutWindow = 10 * time.Minute
	minCut    = 3
	cutShare  = 10
)

func loadLeases(keep desired.Keep) (leases, error) {
	none := leases{Cut: make(map[device.ID]end), Released: make(map[device.ID]signed.Number), Asked: make(map[device.ID]end), Letting: make(map[device.ID]string)}
	versions, err := keep.All(leaseKey)
	for _, v := range versions {
		l := none
		if jerr := json.Unmarshal(v, &l); jerr != nil {
			err = errors.Join(err, fmt.Errorf("read what commands did: %w", jerr))
			continue
		}
		return l, err
	}
	return none, err
}

func (l *leases) save(keep desired.Keep) error {
	text, err := json.Marshal(l)
	if err == nil {
		err = keep.Put(leaseKey, text)
	}
	if err != nil {
		return fmt.Errorf("keep what commands did: %w", err)
	}
	return nil
}

// add takes a lease in place of the one that did the same to the device.
func (l *leases) add(n lease) {
	l.drop(n.Op, n.Device)
	l.All = append(l.All, n)
}

// drop ends a lease; it reports whether there was one.
func (l *leases) drop(op string, id device.ID) bool {
	before := len(l.All)
	l.All = slices.DeleteFunc(l.All, func(o lease) bool { return o.Op == op && o.Device == id })
	return len(l.All) != before
}

// lapse drops and returns what is over. A quarantine whose end nobody knows yet,
// after a reboot without trusted time, stays on the list: the fence keeps its
// own time.
func (l *leases) lapse(now clock.Stamp) (gone []lease) {
	l.All = slices.DeleteFunc(l.All, func(o lease) bool {
		_, known := o.Ends.left(now)
		over := o.Ends.over(now) && (known || o.Op != opQuarantine || o.Ends.Wall.IsZero())
		if over {
			gone = append(gone, o)
		}
		return over
	})
	return gone
}

// mayCut reports whether the device, of so many, may be cut off now. One that
// was lately may be again: that cuts no more of the ward.
func (l *leases) mayCut(id device.ID, devices int, now clock.Stamp) bool {
	maps.DeleteFunc(l.Cut, func(_ device.ID, e end) bool {
		d, known := e.left(now)
		if !known { // before a reboot: as if it were done at this boot's begin
			d = cutWindow - now.Mono
		}
		return d <= 0
	})
	_, again := l.Cut[id]
	return again || len(l.Cut) < max(minCut, devices/cutShare)
}

func (l *leases) cut(id device.ID, now clock.Stamp) { l.Cut[id] = endIn(cutWindow, now) }

// find is the quarantine by command of a device.
func (l *leases) find(id device.ID) (lease, bool) {
	n := slices.IndexFunc(l.All, func(o lease) bool { return o.Op == opQuarantine && o.Device == id })
	if n < 0 {
		return lease{}, false
	}
	return l.All[n], true
}

// marks are what people say of devices: the sets that hold, and commands, the
// newest word about each thing counting.
func (l *leases) marks(sets []desired.Accepted) (map[device.ID]device.Marks, error) {
	type word struct {
		at  signed.Number
		say func(m *device.Marks)
		of  device.ID
	}
	var words []word
	var errs []error
	for _, a := range sets {
		set, err := signed.DecodeArgs[signed.DeviceSet](a.Statement)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, e := range set.Entries {
			words = append(words, word{a.Statement.Number(), func(m *device.Marks) {
				m.Pin, m.Tags = pin(device.Role(e.Role), names(a.By), a.Statement.Reason), e.Tags
			}, device.ID(e.Device)})
		}
	}
	for _, o := range l.All {
		switch o.Op {
		case opPinRole:
			words = append(words, word{o.Number, func(m *device.Marks) { m.Pin = pin(o.Role, o.By, o.Reason) }, o.Device})
		case opTag:
			words = append(words, word{o.Number, func(m *device.Marks) { m.Tags = o.Tags }, o.Device})
		}
	}
	slices.SortStableFunc(words, func(a, b word) int { return a.at.Compare(b.at) })
	out := make(map[device.ID]device.Marks)
	for _, w := range words {
		m := out[w.of]
		w.say(&m)
		out[w.of] = m
	}
	maps.DeleteFunc(out, func(_ device.ID, m device.Marks) bool { return m.Pin == nil && len(m.Tags) == 0 })
	return out, errors.Join(errs...)
}

func pin(role device.Role, by, reason string) *device.Pin {
	if role == "" {
		return nil
	}
	return &device.Pin{Role: role, By: by, Reason: reason}
}
