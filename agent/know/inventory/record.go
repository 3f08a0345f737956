package inventory

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/know/behave"
)

// record is a device while it is being learned. Device values made from it
// share nothing with it that changes.
type record struct {
	dev   device.Device // Facts and Conversations unused here
	facts map[factKey]*device.Known
	talks behave.Conversations

	changed  bool // differs from the last snapshot
	judge    bool // has new facts: classify again
	unsaved  bool // differs from what the keeper has
	silent   bool // only counters changed since the last report
	roleAt   time.Time
	reported time.Time // last inventory event
	talked   time.Time // last conversations event
	talksNew bool
}

type factKey struct {
	kind     fact.Kind
	value    string
	personal bool
}

// perKind bounds how many values of one kind a device keeps, so that a host
// that asks for a thousand names cannot push out what it is.
const perKind = 12

// add merges a fact and reports whether it was news.
func (r *record) add(kind fact.Kind, value string, personal bool, at time.Time) bool {
	k := factKey{kind, value, personal}
	if known, ok := r.facts[k]; ok {
		if at.After(known.Last) {
			known.Last = at
		}
		return false
	}
	r.forget(kind)
	r.facts[k] = &device.Known{Kind: kind, Value: value, Personal: personal, First: at, Last: at}
	return true
}

// forget makes room for one more fact of the kind: the longest unseen goes.
func (r *record) forget(kind fact.Kind) {
	var same int
	var oldest, oldestOfKind factKey
	var at, atOfKind time.Time
	for k, v := range r.facts {
		if at.IsZero() || v.Last.Before(at) {
			oldest, at = k, v.Last
		}
		if k.kind != kind {
			continue
		}
		same++
		if atOfKind.IsZero() || v.Last.Before(atOfKind) {
			oldestOfKind, atOfKind = k, v.Last
		}
	}
	switch {
	case same >= perKind:
		delete(r.facts, oldestOfKind)
	case len(r.facts) >= device.MaxFacts:
		delete(r.facts, oldest)
	}
}

// address notes an IP as the newest; it reports whether the list changed.
func (r *record) address(a netip.Addr) bool {
	if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() {
		return false
	}
	i := slices.Index(r.dev.IPs, a)
	if i == 0 {
		return false
	}
	ips := slices.Clone(r.dev.IPs) // snapshots hold the old one
	if i > 0 {
		ips = slices.Delete(ips, i, i+1)
	}
	ips = slices.Insert(ips, 0, a)
	r.dev.IPs = ips[:min(len(ips), device.MaxIPs)]
	return i < 0
}

// known lists the facts sorted by kind and value.
func (r *record) known() []device.Known {
	out := make([]device.Known, 0, len(r.facts))
	for _, v := range r.facts {
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b device.Known) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
	return out
}

// value makes the immutable device.
func (r *record) value() device.Device {
	d := r.dev
	d.Facts = r.known()
	d.Conversations = r.talks.List()
	return d
}
