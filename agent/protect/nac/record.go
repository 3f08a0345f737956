package nac

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Order is a quarantine as somebody asked for it.
type Order struct {
	ID     string        // of the command or statement that asked, unique
	Device device.ID     // whom
	By     string        // who asked
	Code   string        // why, as a code: lower-case letters, digits and hyphens, at most 32; it leaves the hospital's hands
	For    time.Duration // it ends by itself
	// Interlock are the hooks that the two signers of an interlock named: these may
	// run although life-sustaining devices could be touched. At most 4 h.
	Interlock []string
}

// Obligation is what one hook was asked to do, until it is undone.
type Obligation struct {
	ID       string        `json:"id"`
	Round    int           `json:"round"`
	Hook     string        `json:"hook"`
	MAC      fact.MAC      `json:"mac"`
	Port     string        `json:"port,omitempty"`
	State    State         `json:"state"`
	Effect   Effect        `json:"effect,omitempty"`
	Text     string        `json:"text,omitempty"` // what came of the last call, in our words
	UndoStep string        `json:"undo_step"`      // for a person, should the hook be gone
	Wall     time.Time     `json:"time"`           // of the last answer to Apply, as good as the clock was
	Boot     string        `json:"boot_id"`        // the same in time since boot
	Mono     time.Duration `json:"mono"`
}

// record is all that is kept of one device, as one value in the ledger.
type record struct {
	V         int          `json:"v"`
	Device    device.ID    `json:"device"`
	Order     string       `json:"order"`
	By        string       `json:"by"`
	Code      string       `json:"code"`
	Interlock []string     `json:"interlock,omitempty"`
	End       deadline     `json:"end"`
	Until     time.Time    `json:"until"` // the end for a person, as good as the clock was
	Round     int          `json:"round"` // grows when a quarantine begins anew
	Begun     string       `json:"begun"` // names the round among all there ever were
	Talked    bool         `json:"talked,omitempty"`
	Over      string       `json:"over,omitempty"` // why it ended: "released", "expired", "break-glass"
	EndedBy   string       `json:"ended_by,omitempty"`
	Owed      []Obligation `json:"owed"`
}

// sameEnd is how far the ends of one order may lie apart that is given again.
const sameEnd = 5 * time.Second

// same reports an order that is given again, as desired state is with each
// connection: it is nothing new.
func (r *record) same(o Order, now clock.Stamp) bool {
	return r.Over == "" && r.Order == o.ID && r.By == o.By && r.Code == o.Code && slices.Equal(r.Interlock, o.Interlock) && (r.End.left(now)-o.For).Abs() < sameEnd
}

// renew takes an order: it goes on where the device is in quarantine, and begins
// anew where that is over, once all of the old is undone.
func (r *record) renew(o Order, now clock.Stamp) {
	if r.Over != "" || r.Round == 0 {
		r.Round++
		moment := sha256.Sum256(fmt.Append(nil, now.BootID, " ", now.Mono))
		r.Begun = hex.EncodeToString(moment[:6])
		r.Talked = false
		r.Owed = slices.DeleteFunc(r.Owed, func(o Obligation) bool { return o.State.settled() })
	}
	r.V, r.Device, r.Order, r.By, r.Code, r.Interlock = 1, o.Device, o.ID, o.By, o.Code, slices.Clone(o.Interlock)
	r.Over, r.EndedBy = "", ""
	r.End, r.Until = newDeadline(now, o.For), now.Wall.Add(o.For).Round(0)
}

// begin adds the obligation of a hook. Its id is that of no other quarantine,
// also where the order has the same: who keeps what was done by its id must not
// take one for the other.
func (r *record) begin(h Hook, mac fact.MAC, port string) *Obligation {
	r.Owed = append(r.Owed, Obligation{ID: fmt.Sprintf("%s.%s.%s", r.Order, r.Begun, h.Name()), Round: r.Round, Hook: h.Name(), MAC: mac, Port: port,
		State: Applying, UndoStep: h.UndoStep()})
	return &r.Owed[len(r.Owed)-1]
}

func (r *record) find(id string) *Obligation {
	for i := range r.Owed {
		if r.Owed[i].ID == id {
			return &r.Owed[i]
		}
	}
	return nil
}

// settled reports that nothing is owed.
func (r *record) settled() bool {
	return !slices.ContainsFunc(r.Owed, func(o Obligation) bool { return !o.State.settled() })
}

// current is the newest obligation of this round, nil if there is none.
func (r *record) current() *Obligation {
	if n := len(r.Owed); n > 0 && r.Owed[n-1].Round == r.Round {
		return &r.Owed[n-1]
	}
	return nil
}

// candidates are the hooks, of those in order, that may be begun now, the first
// that is allowed is to be taken: all after the newest one, once that has shown
// no effect. A hook is begun once in a round.
func (r *record) candidates(order []string) []string {
	if r.Over != "" {
		return nil
	}
	from := 0
	for _, o := range r.Owed {
		switch {
		case o.State == Undoing, o.State == Applying, o.Round != r.Round && !o.State.settled():
			return nil
		case o.Round == r.Round:
			from = max(from, slices.Index(order, o.Hook)+1)
		}
	}
	if c := r.current(); c != nil && c.State == Applied && c.Effect != NotEffective {
		return nil
	}
	return order[from:]
}

// ineffective reports that all hooks were tried, and none stopped the device.
func (r *record) ineffective(order []string) bool {
	c := r.current()
	return r.Over == "" && c != nil && len(r.candidates(order)) == 0 && (c.State.settled() || c.Effect == NotEffective && c.State != Undoing)
}

func (r *record) encode() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode obligations of %s: %w", r.Device, err)
	}
	return b, nil
}

func decode(key string, b []byte) (*record, error) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("obligations of %s: %w", key, err)
	}
	if r.V != 1 || string(r.Device) != key {
		return nil, fmt.Errorf("obligations of %s: version %d for %q, want 1 for the same", key, r.V, r.Device)
	}
	for _, o := range r.Owed {
		if !slices.Contains(states(), o.State) {
			return nil, fmt.Errorf("obligations of %s: state %q", key, o.State)
		}
	}
	return &r, nil
}
