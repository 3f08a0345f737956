package desired

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
)

// State of the configuration; its text is what is kept.
type State string

// States of the configuration.
const (
	Settled   State = "settled"   // Old is in force
	Applying  State = "applying"  // New is being brought in force
	Trying    State = "trying"    // New is in force, and has to show that it reaches the broker
	Reverting State = "reverting" // Old is being brought in force again
)

// Input is what happens to a configuration.
type Input string

// Inputs of a Trial.
const (
	Propose Input = "propose" // a new one was accepted
	Applied Input = "applied" // what was to be brought in force is
	Failed  Input = "failed"  // it could not be
	Session Input = "session" // the broker was reached
	Timeout Input = "timeout" // it was not, for TryFor or for maxStarts starts
	Start   Input = "start"   // the agent starts
)

// Effect is what a step asks for.
type Effect string

// Effects of a step.
const (
	ApplyNew    Effect = "apply-new"
	ApplyOld    Effect = "apply-old"
	TellKept    Effect = "tell-kept"    // New is Old from now on
	TellReverts Effect = "tell-reverts" // New is given up
	TellBusy    Effect = "tell-busy"    // the proposal is refused
)

const (
	// TryFor is how long a configuration may take to reach the broker.
	TryFor = 10 * time.Minute
	// maxStarts is how often the agent may start with one on trial, and then again
	// on the way back.
	maxStarts = 3
)

// next is the whole of the trial: what follows on an input, and what to do. A
// step without effects and with the same state is none.
func next(s State, in Input) (State, []Effect) {
	switch s {
	case Settled:
		if in == Propose {
			return Applying, []Effect{ApplyNew}
		}
	case Applying:
		switch in {
		case Propose, Start:
			return Applying, []Effect{ApplyNew}
		case Applied:
			return Trying, nil
		case Failed, Timeout:
			return Reverting, []Effect{TellReverts, ApplyOld}
		}
	case Trying:
		switch in {
		case Propose:
			return Applying, []Effect{ApplyNew}
		case Session:
			return Settled, []Effect{TellKept}
		case Timeout:
			return Reverting, []Effect{TellReverts, ApplyOld}
		}
	case Reverting:
		switch in {
		case Propose:
			return Reverting, []Effect{TellBusy}
		case Applied:
			return Settled, nil
		case Timeout, Start:
			return Reverting, []Effect{ApplyOld}
		}
	}
	return s, nil
}

// Trial is where the configuration stands, as it is kept. Its zero value is a
// gateway that has the configuration it came with, "".
type Trial struct {
	State State  `json:"state"`
	Old   string `json:"old"` // TOML; "" is the one that the gateway came with
	New   string `json:"new,omitempty"`
	// ID of the statement that New is from.
	ID     string        `json:"id,omitempty"`
	BootID string        `json:"boot_id,omitempty"` // of which Ends is
	Ends   time.Duration `json:"ends,omitempty"`    // of the trial, since boot
	Starts int           `json:"starts,omitempty"`  // of the agent since then, or since it is Reverting
}

// InForce is the configuration that an agent which starts now has to read.
func (t Trial) InForce() string {
	if t.State == Applying || t.State == Trying {
		return t.New
	}
	return t.Old
}

// Propose puts another configuration on trial, of the statement id.
func (t Trial) Propose(toml, id string, now clock.Stamp) (Trial, []Effect) {
	if t.State == Reverting {
		return t, []Effect{TellBusy}
	}
	t.New, t.ID, t.BootID, t.Ends, t.Starts = toml, id, now.BootID, now.Mono+TryFor, 0
	return t.step(Propose)
}

// Tell has the trial go on. At Start another boot gives it its whole time again,
// since nobody knows how much of it has passed, but only so often.
func (t Trial) Tell(in Input, now clock.Stamp) (Trial, []Effect) {
	if in == Start && t.State == Reverting {
		// one that cannot be read any more must not keep the agent from its work
		if t.Starts++; t.Starts > maxStarts {
			in = Applied
		}
	}
	if in == Start && (t.State == Applying || t.State == Trying) {
		t.Starts++
		if t.BootID != now.BootID {
			t.BootID, t.Ends = now.BootID, now.Mono+TryFor
		}
		if t.Starts > maxStarts || t.Over(now) {
			in = Timeout
		}
	}
	return t.step(in)
}

// Over reports that the time of the trial has run out.
func (t Trial) Over(now clock.Stamp) bool {
	return (t.State == Applying || t.State == Trying) && t.BootID == now.BootID && now.Mono >= t.Ends
}

func (t Trial) step(in Input) (Trial, []Effect) {
	if t.State == "" {
		t.State = Settled
	}
	was := t.State
	to, effects := next(was, in)
	t.State = to
	if to == Reverting && was != Reverting {
		t.Starts = 0
	}
	if to == Settled && was != Settled {
		old := t.Old
		if was == Trying {
			old = t.New
		}
		t = Trial{State: Settled, Old: old}
	}
	return t, effects
}

const trialKey = "desired-trial"

// LoadTrial reads where the configuration stands. Where that is damaged, and its
// predecessor too, the gateway has the configuration it came with.
func LoadTrial(keep Keep) (Trial, error) {
	versions, err := keep.All(trialKey)
	for _, v := range versions {
		var t Trial
		if jerr := json.Unmarshal(v, &t); jerr != nil {
			err = errors.Join(err, fmt.Errorf("read the trial of the configuration: %w", jerr))
			continue
		}
		return t, err
	}
	return Trial{State: Settled}, err
}

// Save keeps where the configuration stands.
func (t Trial) Save(keep Keep) error {
	text, err := json.Marshal(t)
	if err == nil {
		err = keep.Put(trialKey, text)
	}
	if err != nil {
		return fmt.Errorf("keep the trial of the configuration: %w", err)
	}
	return nil
}

// ConfigAtStart is the configuration that an agent which starts now has to read,
// "" for the one the gateway came with. It counts the start, so that one that
// makes the agent crash is given up. The text is good whatever the error says.
func ConfigAtStart(keep Keep, now clock.Stamp) (string, error) {
	was, err := LoadTrial(keep)
	if was.State == Settled || was.State == "" {
		return was.InForce(), err
	}
	t, _ := was.Tell(Start, now)
	return t.InForce(), errors.Join(err, t.Save(keep))
}
