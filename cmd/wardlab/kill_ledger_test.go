package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/collect"
)

// recordID is the identity of an event: once given, never another's.
type recordID struct {
	epoch, class string
	seq          uint64
}

func (r recordID) String() string { return fmt.Sprintf("%s %d", r.class, r.seq) }

// sighting is one inventory record, or one event that a device is new.
type sighting struct {
	part             cast.Part
	at               time.Time // when the agent said it
	first            time.Time // of an inventory record
	role, confidence string
	fresh            bool // "new"
}

// envelope is what is read of an event's line.
type envelope struct {
	Epoch string    `json:"epoch"`
	Class string    `json:"class"`
	Seq   uint64    `json:"seq"`
	Kind  string    `json:"kind"`
	Time  time.Time `json:"time"`
	Body  struct {
		MAC       string    `json:"mac"`
		Change    string    `json:"change"`
		FirstSeen time.Time `json:"first_seen"`
		Identity  struct {
			Role       string `json:"role"`
			Confidence string `json:"confidence"`
		} `json:"identity"`
	} `json:"body"`
}

// killLedger is what the subscriber and the tap have seen of one gateway.
type killLedger struct {
	cast *cast.Cast

	mu        sync.Mutex
	received  map[recordID]int
	sent      map[recordID]int
	acked     map[recordID]bool
	epochs    []string                     // in their order of appearance
	committed map[string]map[string]uint64 // highest number told, by epoch and class
	evicted   map[string]uint64            // by class
	sightings []sighting
	delivered []sighting // as sightings, at the broker: the subscriber may be away
	online    bool
	bye       int // state messages with online false that tell numbers: a goodbye, not a will
	wills     int
	faults    []string
}

func newKillLedger(c *cast.Cast) *killLedger {
	return &killLedger{cast: c, received: map[recordID]int{}, sent: map[recordID]int{}, acked: map[recordID]bool{},
		committed: map[string]map[string]uint64{}, evicted: map[string]uint64{}}
}

// lines reads the events of a payload.
func lines(payload []byte) ([]envelope, error) {
	plain, err := collect.Unpack(payload)
	if err != nil {
		return nil, err
	}
	var out []envelope
	for line := range bytes.Lines(plain) {
		var e envelope
		if err := json.Unmarshal(line, &e); err != nil {
			return out, fmt.Errorf("event %d of a batch: %w", len(out)+1, err)
		}
		out = append(out, e)
	}
	return out, nil
}

// receive takes a message at the subscriber.
func (l *killLedger) receive(topic string, payload []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.HasSuffix(topic, "/state") {
		l.state(payload)
		return
	}
	events, err := lines(payload)
	if err != nil {
		l.faults = append(l.faults, topic+": "+err.Error())
	}
	for _, e := range events {
		l.epoch(e.Epoch)
		id := recordID{e.Epoch, e.Class, e.Seq}
		if l.received[id]++; l.received[id] > 1 {
			continue
		}
		l.sightings = l.sight(l.sightings, e)
	}
}

// sight adds what an event says of a device, if anything.
func (l *killLedger) sight(to []sighting, e envelope) []sighting {
	p := l.part(e.Body.MAC)
	switch {
	case p == 0:
	case e.Kind == "inventory":
		return append(to, sighting{part: p, at: e.Time, first: e.Body.FirstSeen, role: e.Body.Identity.Role, confidence: e.Body.Identity.Confidence})
	case e.Kind == "device" && e.Body.Change == "new":
		return append(to, sighting{part: p, at: e.Time, fresh: true})
	}
	return to
}

func (l *killLedger) state(payload []byte) {
	var s struct {
		collect.State
		Evicted map[string]uint64 `json:"evicted"`
	}
	if err := json.Unmarshal(payload, &s); err != nil {
		l.faults = append(l.faults, "state: "+err.Error())
		return
	}
	l.online = s.Online
	if s.Epoch == "" { // a will knows nothing
		l.wills++
		return
	}
	if !s.Online {
		l.bye++
	}
	l.epoch(s.Epoch)
	if l.committed[s.Epoch] == nil {
		l.committed[s.Epoch] = map[string]uint64{}
	}
	for class, seq := range s.Seq {
		l.committed[s.Epoch][class] = max(l.committed[s.Epoch][class], seq)
	}
	maps.Copy(l.evicted, s.Evicted)
}

func (l *killLedger) epoch(e string) {
	if !slices.Contains(l.epochs, e) {
		l.epochs = append(l.epochs, e)
	}
}

// part is the device whose role is judged, 0 for others.
func (l *killLedger) part(mac string) cast.Part {
	for _, p := range killDevices() {
		if l.cast.Member(p).MAC.String() == mac {
			return p
		}
	}
	return 0
}

// killDevices are the devices whose place in the inventory is judged.
func killDevices() []cast.Part {
	return []cast.Part{cast.Pump, cast.Monitor, cast.Ultrasound, cast.Printer}
}

// publish takes a message that leaves the agent.
func (l *killLedger) publish(topic string, payload []byte) {
	l.tap(topic, payload, func(id recordID, _ envelope) { l.sent[id]++ })
}

// acknowledge takes one that the broker has answered for.
func (l *killLedger) acknowledge(topic string, payload []byte) {
	l.tap(topic, payload, func(id recordID, e envelope) {
		l.acked[id] = true
		l.delivered = l.sight(l.delivered, e)
	})
}

func (l *killLedger) tap(topic string, payload []byte, note func(recordID, envelope)) {
	if strings.HasSuffix(topic, "/state") {
		return // no event
	}
	events, err := lines(payload)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.faults = append(l.faults, "at the tap: "+err.Error())
	}
	for _, e := range events {
		note(recordID{e.Epoch, e.Class, e.Seq}, e)
	}
}

// since is what was said of devices at or after a moment.
func (l *killLedger) since(at time.Time) []sighting {
	l.mu.Lock()
	defer l.mu.Unlock()
	return after(l.sightings, at)
}

// atBroker reports whether the broker has a record of each device that was made
// at or after a moment.
func (l *killLedger) atBroker(at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := map[cast.Part]bool{}
	for _, s := range after(l.delivered, at) {
		told[s.part] = told[s.part] || !s.fresh
	}
	return !slices.ContainsFunc(killDevices(), func(p cast.Part) bool { return !told[p] })
}

func after(all []sighting, at time.Time) []sighting {
	at = at.Truncate(time.Millisecond) // as envelopes tell it
	return slices.DeleteFunc(slices.Clone(all), func(s sighting) bool { return s.at.Before(at) })
}

// complete reports whether everything that is known to be committed has come.
func (l *killLedger) complete() bool {
	o := l.outbox()
	return len(o.lost) == 0 && len(o.holes) == 0
}

// goodbye reports whether the gateway has ended by its own will.
func (l *killLedger) goodbye() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bye > 0
}
