package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
)

// Class decides durability and topic of an event.
type Class uint8

// Classes, the one that is kept longest first.
const (
	Audit     Class = iota + 1 // every change and who made it: commits at once
	Alert                      // something that needs eyes: commits at once
	State                      // last value per key, not a queue
	Ordinary                   // "event": device, policy, update
	Telemetry                  // conversations, counters: evicted first
)

// Classes lists all, in that order.
func Classes() [5]Class { return [5]Class{Audit, Alert, State, Ordinary, Telemetry} }

// String is the stable name, as in the envelope.
func (c Class) String() string {
	switch c {
	case Audit:
		return "audit"
	case Alert:
		return "alert"
	case State:
		return "state"
	case Ordinary:
		return "event"
	case Telemetry:
		return "telemetry"
	}
	return "invalid"
}

// ParseClass reads the stable name.
func ParseClass(s string) (Class, error) {
	for _, c := range Classes() {
		if c.String() == s {
			return c, nil
		}
	}
	return 0, fmt.Errorf("event class %q: want audit, alert, state, event or telemetry", s)
}

// Event is something noteworthy, before it has a sequence number.
type Event struct {
	Class Class
	Key   string // of the State class: the value it replaces ("inventory/<device id>")
	Body  Body
	At    clock.Stamp
}

// Sink takes events. Emit never blocks; what does not fit is counted there.
type Sink interface {
	Emit(Event)
}

// Envelope is an event on the wire, one JSON line. Its identity is
// (site, gw, epoch, class, seq); seq counts per class without holes.
type Envelope struct {
	V           int    `json:"v"`
	Site        string `json:"site"`
	GW          string `json:"gw"`
	Epoch       string `json:"epoch"` // of the store: another after it was lost
	Class       string `json:"class"`
	Seq         uint64 `json:"seq"` // from 1
	Kind        string `json:"kind"`
	BootID      string `json:"boot_id"`
	MonoMS      int64  `json:"mono_ms"`
	Time        string `json:"time"` // RFC 3339, UTC, milliseconds
	TimeQuality string `json:"time_quality"`
	// Prev chains the audit class: hex SHA-256 of the record before as it was
	// committed, which is its line with "historical":false and without its end.
	// ZeroPrev in the first of an epoch, empty in all other classes.
	Prev       string          `json:"prev,omitempty"`
	Historical bool            `json:"historical"` // older than the session that sends it
	Body       json.RawMessage `json:"body"`
}

// ZeroPrev is what the first audit record of an epoch follows.
const ZeroPrev = "0000000000000000000000000000000000000000000000000000000000000000"

// Chain is what the record after this one follows: line is the envelope as it
// was committed, with "historical":false and without a line end.
func Chain(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// The flag of an encoded envelope. The text can only be the field: inside a JSON
// string its quotes would be escaped, and the body comes after it.
const committed, late = `"historical":false,"body":`, `"historical":true,"body":`

// Late turns on the flag of an encoded envelope that is older than its session.
func Late(line []byte) []byte { return bytes.Replace(line, []byte(committed), []byte(late), 1) }

// Committed turns it off again.
func Committed(line []byte) []byte {
	return bytes.Replace(line, []byte(late), []byte(committed), 1)
}

// Version is the envelope's version.
const Version = 1

// TimeLayout is RFC 3339 with milliseconds; use it on UTC times.
const TimeLayout = "2006-01-02T15:04:05.000Z07:00"

// Seal makes the envelope of an event.
func Seal(e Event, site, gw, epoch string, seq uint64) (Envelope, error) {
	body, err := json.Marshal(e.Body)
	if err != nil {
		return Envelope{}, fmt.Errorf("encode %s event: %w", e.Body.Kind(), err)
	}
	return Envelope{V: Version, Site: site, GW: gw, Epoch: epoch, Class: e.Class.String(), Seq: seq, Kind: e.Body.Kind(),
		BootID: e.At.BootID, MonoMS: int64(e.At.Mono / time.Millisecond), Time: e.At.Wall.UTC().Format(TimeLayout),
		TimeQuality: e.At.Quality.String(), Body: body}, nil
}
