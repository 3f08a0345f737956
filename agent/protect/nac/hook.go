package nac

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Hook is one way to ask for quarantine outside of the gateway. Apply and Undo
// may be called again with the same Request.ID, after a crash that left nobody
// to know how the first call ended: both have to end in the same state. They
// bound their own time and end soon after ctx does.
type Hook interface {
	// Name is the hook's name in the configuration.
	Name() string
	// Reach says who is touched besides the device.
	Reach() Reach
	// UndoStep says how it is undone, for a person who has to do it by hand.
	UndoStep() string
	Apply(ctx context.Context, r Request) Result
	Undo(ctx context.Context, r Request) Result
}

// Reach is who a hook touches besides the device it is meant for.
type Reach string

// Reaches.
const (
	ReachDevice Reach = "device" // nobody
	ReachPort   Reach = "port"   // all behind the device's ward port
	ReachWard   Reach = "ward"   // all behind the gateway: what it asks acts on the uplink
)

// Request is what a hook is told: addresses and codes, nothing about a patient.
type Request struct {
	ID     string // of the obligation: the same for every try and for its Undo
	Device device.ID
	MAC    fact.MAC
	Port   string        // ward port it is on, "" where that is not known; it stays in the gateway
	Code   string        // why, as a code
	Left   time.Duration // of Apply: until it lapses
	Since  time.Duration // of Undo: since it was applied, at least
	Again  bool          // of Apply: nobody knows how an earlier call ended
}

// Result is what came of a call.
type Result struct {
	Outcome Outcome
	Text    string // one line for a person, in our words: it leaves the gateway
	// Said is what they said, one line: nobody knows what is in it, it goes to the
	// gateway's log and no further.
	Said string
}

// Outcome is what is known of the state outside after a call.
type Outcome uint8

// Outcomes.
const (
	Done    Outcome = iota + 1 // it is as it was asked for
	Refused                    // certainly nothing was changed
	Unsure                     // nobody knows
)

// String is the stable name.
func (o Outcome) String() string {
	switch o {
	case Done:
		return "done"
	case Refused:
		return "refused"
	case Unsure:
		return "unsure"
	}
	return "invalid"
}

const (
	actApply = "apply"
	actUndo  = "undo"
)

// message is a Request as programs and web servers get it.
type message struct {
	V       int       `json:"v"`
	Action  string    `json:"action"`
	ID      string    `json:"id"`
	Device  device.ID `json:"device"`
	MAC     fact.MAC  `json:"mac"`
	Code    string    `json:"code"`
	Seconds int64     `json:"seconds,omitempty"` // it lapses then, if nobody undoes it before
}

func encode(action string, r Request) ([]byte, error) {
	m := message{V: 1, Action: action, ID: r.ID, Device: r.Device, MAC: r.MAC, Code: r.Code}
	if action == actApply {
		m.Seconds = max(1, int64(r.Left/time.Second))
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s of %s: %w", action, r.ID, err)
	}
	return b, nil
}

// wait reports false if ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// line makes one bounded line of what somebody outside said.
func line(b []byte) string {
	const longest = 120
	out := make([]rune, 0, longest)
	for _, r := range string(b) {
		if len(out) == longest {
			break
		}
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}
