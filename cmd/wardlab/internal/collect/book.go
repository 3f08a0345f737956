package collect

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// ledger is the sequence numbers received of one class in one epoch.
type ledger struct {
	seen map[uint64]struct{}
	last uint64 // highest the agent told, or that was received
}

// key names a ledger.
type key struct{ epoch, class string }

// Book keeps what a gateway sent. It is safe for concurrent use.
type Book struct {
	secrets map[string]string // what must never be seen, by its name

	mu      sync.Mutex
	ledgers map[key]*ledger
	devices map[string]Inventory // by device id
	denies  map[Deny]uint64
	states  int
	last    State
	health  map[string]uint64
	modes   map[string]string    // of capture, by port
	came    map[string]time.Time // commands, by id: when the broker handed them out
	faults  []string
	leaked  []string
	twice   uint64
	changed chan struct{} // closed and renewed at each message
}

// NewBook starts an empty book. secrets are strings that no payload may hold,
// by what they are.
func NewBook(secrets map[string]string) *Book {
	return &Book{secrets: secrets, ledgers: map[key]*ledger{}, devices: map[string]Inventory{}, denies: map[Deny]uint64{},
		health: map[string]uint64{}, modes: map[string]string{}, came: map[string]time.Time{}, changed: make(chan struct{})}
}

// Add takes one message of the broker.
func (b *Book) Add(topic string, payload []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { close(b.changed); b.changed = make(chan struct{}) }()
	plain, err := Unpack(payload)
	if err != nil {
		b.fault(topic, err)
		return
	}
	b.search(topic, plain)
	if strings.HasSuffix(topic, "/state") {
		b.state(topic, plain)
		return
	}
	if _, id, ok := strings.Cut(topic, "/down/cmd/"); ok {
		b.came[id] = time.Now()
	}
	if !strings.Contains(topic, "/up/") || strings.Contains(topic, "/up/cmd/") { // an answer is no event
		return
	}
	events, err := Decode(plain)
	if err != nil {
		b.fault(topic, err)
	}
	for _, e := range events {
		b.event(topic, e)
	}
}

// Commanded is when the broker handed out a command.
func (b *Book) Commanded(id string) (at time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, ok = b.came[id]
	return at, ok
}

func (b *Book) state(topic string, plain []byte) {
	var s State
	if err := json.Unmarshal(plain, &s); err != nil {
		b.fault(topic, err)
		return
	}
	b.states++
	b.last = s
	for class, seq := range s.Seq {
		l := b.ledger(key{s.Epoch, class})
		l.last = max(l.last, seq)
	}
}

func (b *Book) ledger(k key) *ledger {
	l := b.ledgers[k]
	if l == nil {
		l = &ledger{seen: map[uint64]struct{}{}}
		b.ledgers[k] = l
	}
	return l
}

func (b *Book) event(topic string, e Event) {
	l := b.ledger(key{e.Epoch, e.Class})
	if _, dup := l.seen[e.Seq]; dup {
		b.twice++ // at least once is what the uplink promises
	}
	l.seen[e.Seq] = struct{}{}
	l.last = max(l.last, e.Seq)
	// Kinds that the lab has no use for are counted all the same.
	var err error
	switch e.Kind {
	case "inventory":
		var i Inventory
		if err = json.Unmarshal(e.Body, &i); err == nil {
			b.devices[i.Device] = i
		}
	case "deny":
		var d Deny
		if err = json.Unmarshal(e.Body, &d); err == nil {
			b.denies[d]++
		}
	case "health":
		var h struct {
			Counters map[string]uint64 `json:"counters"`
			Ports    []struct{ Name, Mode string }
		}
		if err = json.Unmarshal(e.Body, &h); err == nil {
			b.health = h.Counters
			for _, p := range h.Ports {
				b.modes[p.Name] = cmp.Or(p.Mode, b.modes[p.Name]) // "": not open yet, or no more
			}
		}
	}
	if err != nil {
		b.fault(topic, fmt.Errorf("%s body: %w", e.Kind, err))
	}
}

func (b *Book) fault(topic string, err error) {
	if len(b.faults) < 10 {
		b.faults = append(b.faults, fmt.Sprintf("%s: %v", topic, err))
	}
}

// search looks for what must never leave the gateway.
func (b *Book) search(topic string, plain []byte) {
	for name, secret := range b.secrets {
		if bytes.Contains(bytes.ToLower(plain), bytes.ToLower([]byte(secret))) && len(b.leaked) < 10 {
			b.leaked = append(b.leaked, name+" on "+topic)
		}
	}
}

// Changed is closed at the next message.
func (b *Book) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// Online reports whether the gateway's last state message said so.
func (b *Book) Online() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last.Online
}

// Devices is the last inventory record of each device.
func (b *Book) Devices() []Inventory {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Inventory, 0, len(b.devices))
	for _, d := range b.devices {
		out = append(out, d)
	}
	slices.SortFunc(out, func(x, y Inventory) int { return strings.Compare(x.Device, y.Device) })
	return out
}

// Denies is every distinct deny that was reported.
func (b *Book) Denies() []Deny {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Deny, 0, len(b.denies))
	for d := range b.denies {
		out = append(out, d)
	}
	return out
}

// Counters are the gateway's own, of its last health record.
func (b *Book) Counters() map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.health
}

// Modes is how each port was captured, of the last health record that says so.
func (b *Book) Modes() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.modes)
}

// Faults are messages that could not be read, and Leaked where secrets were
// found.
func (b *Book) Faults() (faults, leaked []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.faults), slices.Clone(b.leaked)
}
