package desired

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// Keep keeps values outside of the database, each with its predecessor.
type Keep interface {
	// All returns the values of the key that are whole, the newest first, and says
	// of the others what is wrong.
	All(key string) ([][]byte, error)
	// Put returns once the value is on disk.
	Put(key string, value []byte) error
}

// Accepted is a statement that was verified, and by whom it was signed.
type Accepted struct {
	Envelope  []byte           `json:"envelope"` // as it came
	By        []string         `json:"by"`
	Statement signed.Statement `json:"-"`
	payload   []byte
}

// NewAccepted is the statement of an envelope that was verified.
func NewAccepted(e signed.Envelope, by []string) (Accepted, error) {
	text, err := e.Encode()
	if err != nil {
		return Accepted{}, err
	}
	a := Accepted{Envelope: text, By: by}
	return a, a.read()
}

func (a *Accepted) read() error {
	e, err := signed.Parse(a.Envelope)
	if err != nil {
		return err
	}
	a.payload = e.Payload
	a.Statement, err = signed.ParseStatement(e.Payload)
	return err
}

// Outcome is what became of the newest statement of a scope.
type Outcome struct {
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	Text   string `json:"text,omitempty"`
}

// slot is one scope of one kind.
type slot struct {
	Applied *Accepted `json:"applied,omitempty"` // what holds
	Before  *Accepted `json:"before,omitempty"`  // what held before it
	Newest  *Accepted `json:"newest,omitempty"`  // that came, in force or not
	Pending bool      `json:"pending,omitempty"` // the effect of Newest is not known yet
	Outcome Outcome   `json:"outcome"`           // of Newest, once it is
}

// Shelf is what is kept of the desired state. It is not safe for concurrent use.
type Shelf struct {
	keep  Keep
	slots map[signed.Kind]map[string]slot // by scope
}

// Open reads what is kept. Where a file is damaged its predecessor counts; the
// shelf is good all the same, and the error says what was found.
func Open(keep Keep) (*Shelf, error) {
	s := &Shelf{keep: keep, slots: make(map[signed.Kind]map[string]slot)}
	var errs []error
	for _, k := range signed.Kinds() {
		s.slots[k] = make(map[string]slot)
		if k == signed.KindCommand {
			continue
		}
		versions, err := keep.All(key(k))
		errs = append(errs, err)
		for _, v := range versions {
			slots, err := decode(v)
			if err == nil {
				s.slots[k] = slots
				break
			}
			errs = append(errs, fmt.Errorf("read the desired %s: %w", k, err))
		}
	}
	return s, errors.Join(errs...)
}

func decode(text []byte) (map[string]slot, error) {
	var slots map[string]slot
	if err := json.Unmarshal(text, &slots); err != nil {
		return nil, err
	}
	for scope, sl := range slots {
		for _, a := range []*Accepted{sl.Applied, sl.Before, sl.Newest} {
			if a == nil {
				continue
			}
			if err := a.read(); err != nil {
				return nil, fmt.Errorf("scope %s: %w", scope, err)
			}
		}
	}
	if slots == nil {
		slots = make(map[string]slot)
	}
	return slots, nil
}

func key(k signed.Kind) string { return "desired-" + string(k) }

// change keeps the slots of the scopes as change makes them; where they cannot
// be kept nothing has changed.
func (s *Shelf) change(k signed.Kind, scopes []string, change func(slot) slot) error {
	slots := make(map[string]slot, len(s.slots[k])+1)
	for scope, sl := range s.slots[k] {
		slots[scope] = sl
	}
	for _, scope := range scopes {
		slots[scope] = change(slots[scope])
	}
	text, err := json.Marshal(slots)
	if err == nil {
		err = s.keep.Put(key(k), text)
	}
	if err != nil {
		return fmt.Errorf("keep the desired %s: %w", k, err)
	}
	s.slots[k] = slots
	return nil
}

// Accept keeps a statement before its effect.
func (s *Shelf) Accept(a Accepted, scopes []string) error {
	return s.change(a.Statement.Kind, scopes, func(sl slot) slot {
		sl.Newest, sl.Pending, sl.Outcome = &a, true, Outcome{}
		return sl
	})
}

// Settle keeps what became of a statement that was accepted; with ok it holds
// from now on, else what held before goes on to hold.
func (s *Shelf) Settle(a Accepted, ok bool, o Outcome) error {
	var scopes []string
	for scope, sl := range s.slots[a.Statement.Kind] {
		if same(sl.Newest, &a) {
			scopes = append(scopes, scope)
		}
	}
	return s.change(a.Statement.Kind, scopes, func(sl slot) slot {
		if ok && !same(sl.Applied, sl.Newest) {
			sl.Before, sl.Applied = sl.Applied, sl.Newest
		}
		sl.Pending, sl.Outcome = false, o
		return sl
	})
}

func same(a, b *Accepted) bool { return a != nil && b != nil && bytes.Equal(a.payload, b.payload) }

// Seen is what became of the very statement, if it is the newest of a scope;
// while that is not known the outcome is empty.
func (s *Shelf) Seen(k signed.Kind, payload []byte) (Outcome, bool) {
	for _, sl := range s.slots[k] {
		if sl.Newest != nil && bytes.Equal(sl.Newest.payload, payload) {
			return sl.Outcome, true
		}
	}
	return Outcome{}, false
}

// Has reports whether anything of the kind is kept for one of the scopes.
func (s *Shelf) Has(k signed.Kind, scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return s.slots[k][scope].Newest != nil })
}

// Applied are the statements that hold, the newest last: of several scopes it is
// the one that counts where only one can.
func (s *Shelf) Applied(k signed.Kind) []Accepted {
	out := s.all(k, func(sl slot) *Accepted { return sl.Applied })
	slices.SortFunc(out, func(a, b Accepted) int { return a.Statement.Number().Compare(b.Statement.Number()) })
	return out
}

// Current is the newest statement that holds.
func (s *Shelf) Current(k signed.Kind) (Accepted, bool) {
	all := s.Applied(k)
	if len(all) == 0 {
		return Accepted{}, false
	}
	return all[len(all)-1], true
}

// Unsettled are the statements whose effect was not known when the agent ended.
func (s *Shelf) Unsettled(k signed.Kind) []Accepted {
	return s.all(k, func(sl slot) *Accepted {
		if sl.Pending {
			return sl.Newest
		}
		return nil
	})
}

// all are the statements that pick finds, each once.
func (s *Shelf) all(k signed.Kind, pick func(slot) *Accepted) []Accepted {
	seen := make(map[string]bool)
	var out []Accepted
	for _, sl := range s.slots[k] {
		if a := pick(sl); a != nil && !seen[string(a.payload)] {
			seen[string(a.payload)] = true
			out = append(out, *a)
		}
	}
	return out
}

// Returns reports that the statement says what held, in one of the scopes,
// before what counts now, and names it.
func (s *Shelf) Returns(st signed.Statement, scopes []string) bool {
	current, ok := s.Current(st.Kind)
	for _, scope := range scopes {
		sl := s.slots[st.Kind][scope]
		if ok && sl.Before != nil && sl.Applied != nil && bytes.Equal(sl.Applied.payload, current.payload) &&
			sl.Before.Statement.Seq == st.RollbackOf && bytes.Equal(sl.Before.Statement.Args, st.Args) {
			return true
		}
	}
	return false
}

// Scopes are the targets of a statement by which it reaches the gateway.
func Scopes(st signed.Statement, gateway string, groups []string) []string {
	var out []string
	for _, t := range st.Target {
		group, isGroup := strings.CutPrefix(t, "grp/")
		if t == gateway || t == "all" || isGroup && slices.Contains(groups, group) {
			out = append(out, t)
		}
	}
	return out
}
