package event

import (
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// NAC is class event: what was asked of the network outside the gateway for one
// device, by one hook, changed its state, or was seen to have an effect or none.
type NAC struct {
	Device     device.ID `json:"device"`
	MAC        fact.MAC  `json:"mac"`
	Hook       string    `json:"hook"`                 // its name in the configuration
	Obligation string    `json:"obligation,omitempty"` // its id: the same until it is undone
	// State is "applying", "applied", "doubtful" (no telling whether it holds),
	// "undoing", "undone", "failed" (nothing was changed), "skipped" (see Text).
	State  string    `json:"state"`
	Effect string    `json:"effect,omitempty"` // "confirmed", "not-effective", "unknown"; "" is not known yet
	By     string    `json:"by"`               // who ordered the quarantine
	Code   string    `json:"code"`             // and why
	Until  time.Time `json:"until,omitzero"`   // its end, as good as the time of the event
	Over   string    `json:"over,omitempty"`   // "released", "expired", "break-glass"
	Text   string    `json:"text,omitempty"`   // what came of the last call, in the gateway's words, or why there was none
}

// Kind is "nac".
func (NAC) Kind() string { return "nac" }
