package command

import (
	"encoding/json"
	"errors"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// State is how far a statement has come.
type State string

// States of an answer. The last four are final.
const (
	Accepted  State = "accepted"
	Executing State = "executing"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Rejected  State = "rejected"
	Expired   State = "expired"
)

// Answer is what the gateway says of a statement, as JSON on up/cmd/ID.
type Answer struct {
	V      int             `json:"v"` // 1
	ID     string          `json:"id"`
	State  State           `json:"state"`
	Reason string          `json:"reason,omitempty"` // of signed's, or of the room that refused
	Text   string          `json:"text,omitempty"`   // for people
	Time   string          `json:"time"`             // RFC 3339, as good as the gateway's clock
	BootID string          `json:"boot_id"`
	Result json.RawMessage `json:"result,omitempty"`
}

// Bounds of an answer, in bytes.
const (
	maxText   = 512
	maxResult = 128 << 10
)

func newAnswer(id string, s State, now clock.Stamp) Answer {
	return Answer{V: 1, ID: id, State: s, Time: now.Wall.UTC().Format(event.TimeLayout), BootID: now.BootID}
}

// because adds why.
func (a Answer) because(reason signed.Reason, text string) Answer {
	if len(text) > maxText {
		text = text[:maxText]
	}
	a.Reason, a.Text = string(reason), text
	return a
}

// answerOf is the answer of an effect that ended so.
func answerOf(id string, result any, err error, now clock.Stamp) Answer {
	if _, ok := reasonOf(err); ok {
		return refused(id, err, now)
	}
	if err != nil {
		return newAnswer(id, Failed, now).because("", err.Error())
	}
	a := newAnswer(id, Succeeded, now)
	if result == nil {
		return a
	}
	text, err := json.Marshal(result)
	if err != nil {
		return newAnswer(id, Failed, now).because("", "encode the result: "+err.Error())
	}
	if len(text) > maxResult {
		return newAnswer(id, Failed, now).because(signed.ReasonOversize, "the result is too long to send")
	}
	a.Result = text
	return a
}

// reasonOf finds the reason in an error that is a refusal.
func reasonOf(err error) (signed.Reason, bool) {
	var r interface{ Reason() string }
	if !errors.As(err, &r) {
		return "", false
	}
	return signed.Reason(r.Reason()), true
}

// refusal is a statement that is not obeyed.
func refusal(code signed.Reason, text string) error { return &signed.Refusal{Code: code, Text: text} }

// send answers.
func (t *Task) send(a Answer) {
	text, err := json.Marshal(a)
	if err != nil {
		t.opt.Log.Error("answer cannot be encoded", "id", a.ID, "err", err)
		return
	}
	t.opt.Answers.Answer(a.ID, text)
}
