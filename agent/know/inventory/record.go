package inventory

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/know/behave"
	"github.com/wardkeeper/wardkeeper/agent/know/utilise"
)

// record is a device while it is being learned. Times of type time.Duration
// are by the book's own count, which no change of the wall clock moves; zero
// is never.
type record struct {
	dev   device.Device // Facts and Conversations unused here
	facts map[factKey]*learned
	adds  uint64 // of facts
	talks behave.Conversations
	use   *utilise.Meter // nil while it has no role

	value  device.Device // as in the last snapshot, shared with it: never changed
	stale  bool          // value is not what the record says
	fresh  bool          // differs from the last snapshot in more than counts
	judge  bool          // has news: classify again
	judged time.Duration // zero: its identity says nothing yet
	roleAt time.Duration
	seen   time.Duration // on its port

	claim       claim
	contested   int           // times that two ports sent in turns, since contestedAt
	contestedAt time.Duration // beginning of the time in which they count
	clone       time.Duration // last clone alert

	told   told
	window time.Duration // beginning of the minute in which spent counts
	spent  int           // device events in it

	report   due // to the manager, as an inventory record
	save     due // to the keeper
	saved    bool
	silent   time.Duration // as the keeper has it
	talked   time.Duration // last conversations event
	useSaved time.Duration // as due, of use
	talk     bool          // has conversations that were not reported
}

// told is what the last device events said.
type told struct {
	known      bool
	port       string
	role       device.Role
	confidence device.Confidence
}

// learned is a fact with its place in the order of use.
type learned struct {
	device.Known
	used uint64
}

type factKey struct {
	kind     fact.Kind
	value    string
	personal bool
}

// perKind bounds how many values of one kind a device keeps, so that a host
// that asks for a thousand names cannot push out what it is.
const perKind = 12

// perDICOM is that bound for the DICOM services: how many storage classes a
// device proposes or accepts is what tells a router or an archive, from 15 on,
// and a query service beside them must not be pushed out.
const perDICOM = 32

func bound(kind fact.Kind) int {
	if kind == fact.DICOMProposes || kind == fact.DICOMAccepts {
		return perDICOM
	}
	return perKind
}

// note marks that the device differs from what others have of it.
func (r *record) note(n news) {
	r.stale = true
	r.fresh = r.fresh || n > counts
	r.report.note(n)
	r.save.note(n)
}

// add merges a fact and reports whether it was news.
func (r *record) add(kind fact.Kind, value string, personal bool, at time.Time) bool {
	k := factKey{kind, value, personal}
	r.adds++
	r.stale = true
	if l, ok := r.facts[k]; ok {
		l.Last, l.used = newest(l.Last, at), r.adds
		return false
	}
	r.forget(kind)
	r.facts[k] = &learned{device.Known{Kind: kind, Value: value, Personal: personal, First: at, Last: at}, r.adds}
	return true
}

// forget makes room for one more fact of the kind: the longest unseen goes.
func (r *record) forget(kind fact.Kind) {
	var same int
	var oldest, oldestOfKind factKey
	var used, usedOfKind uint64
	for k, l := range r.facts {
		if used == 0 || l.used < used {
			oldest, used = k, l.used
		}
		if k.kind != kind {
			continue
		}
		same++
		if usedOfKind == 0 || l.used < usedOfKind {
			oldestOfKind, usedOfKind = k, l.used
		}
	}
	switch {
	case same >= bound(kind):
		delete(r.facts, oldestOfKind)
	case len(r.facts) >= device.MaxFacts:
		delete(r.facts, oldest)
	}
}

// setBack is how far the time of an observer must fall to be a clock that was
// set, and not frames of two ports out of order.
const setBack = time.Minute

// newest is the later of two times, or at when the clock was set back to it.
func newest(last, at time.Time) time.Time {
	if at.Before(last) && last.Sub(at) < setBack {
		return last
	}
	return at
}

// address notes an IP as the newest; it reports whether it is a new one.
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
	for _, l := range r.facts {
		out = append(out, l.Known)
	}
	slices.SortFunc(out, func(a, b device.Known) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
	})
	return out
}

// freeze makes the immutable device, anew only if something changed.
func (r *record) freeze() device.Device {
	if r.stale {
		r.value = r.dev
		r.value.Facts, r.value.Conversations = r.known(), r.talks.List()
		if r.use != nil {
			r.value.Utilisation = r.use.Now()
		}
		r.stale = false
	}
	return r.value
}
