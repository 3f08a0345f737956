package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// record is a command that was accepted.
type record struct {
	Payload   []byte `json:"payload"` // the statement
	By        string `json:"by"`
	Interlock bool   `json:"interlock,omitempty"` // was judged and stands: its code is used up
	Ends      end    `json:"ends"`                // the command's own time
	Until     end    `json:"until,omitzero"`      // the end of what it does, where it gave a time
	Answer    Answer `json:"answer"`              // the last
}

func (r record) statement() (signed.Statement, error) { return signed.ParseStatement(r.Payload) }

// Bounds of the journal. A record that is forgotten early does not let its
// command in again: its number is too low by then.
const (
	maxRecords = 512
	// maxKept is the longest result, in bytes, that is given a second time.
	maxKept = 4 << 10
	// remember is how long a record stays after its command's own time.
	remember = 10 * time.Minute
)

// journal is the records by id: in memory, and in the room where there is one.
type journal struct {
	room   Room
	by     map[string]record
	unkept map[string][]byte // what the room did not take, as Save has it
}

// openJournal reads what the room has. The journal is good without.
func openJournal(room Room) (*journal, error) {
	j := &journal{room: room, by: make(map[string]record), unkept: make(map[string][]byte)}
	if room == nil {
		return j, nil
	}
	var errs []error
	err := room.Load(func(id string, value []byte) error {
		var r record
		err := json.Unmarshal(value, &r)
		if err == nil {
			_, err = r.statement()
		}
		if err != nil { // one that another version wrote
			errs = append(errs, fmt.Errorf("read command %s: %w", id, err))
			return nil
		}
		j.by[id] = r
		return nil
	})
	return j, errors.Join(append(errs, err)...)
}

// put keeps a record, in memory only unless it is to outlast a restart. It is in
// memory whatever the error says, and goes with the next one or with again.
func (j *journal) put(id string, r record, lasting bool, now clock.Stamp) error {
	if len(r.Answer.Result) > maxKept {
		r.Answer.Result = nil
		r.Answer.Text = "the result was given with the first answer"
	}
	changes := make(map[string][]byte)
	j.by[id] = r
	for _, old := range j.stale(now) {
		delete(j.by, old)
		changes[old] = nil
	}
	if lasting {
		text, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode command %s: %w", id, err)
		}
		changes[id] = text
	}
	if j.room == nil {
		return nil
	}
	maps.Copy(j.unkept, changes)
	if err := j.again(); err != nil {
		return fmt.Errorf("keep command %s: %w", id, err)
	}
	return nil
}

// again has the room take what it did not.
func (j *journal) again() error {
	if len(j.unkept) == 0 {
		return nil
	}
	if err := j.room.Save(j.unkept); err != nil {
		// what is to be deleted may stay, and is found stale at the next start
		maps.DeleteFunc(j.unkept, func(_ string, v []byte) bool { return v == nil })
		return err
	}
	clear(j.unkept)
	return nil
}

// stale are those to forget: over for long, or the oldest of too many, then a
// quarter of them at once.
func (j *journal) stale(now clock.Stamp) []string {
	var out, done []string
	for id, r := range j.by {
		if r.Answer.State == Executing {
			continue
		}
		if d, known := r.Ends.left(now); known && d < -remember {
			out = append(out, id)
		} else {
			done = append(done, id)
		}
	}
	if n := len(j.by) - len(out) - maxRecords; n > 0 {
		slices.SortFunc(done, func(a, b string) int { return strings.Compare(j.by[a].Answer.Time, j.by[b].Answer.Time) })
		out = append(out, done[:min(n+maxRecords/4, len(done))]...)
	}
	return out
}

// seen is the record of a command; other reports one with the same id that says
// something else.
func (j *journal) seen(id string, payload []byte) (r record, ok, other bool) {
	r, ok = j.by[id]
	return r, ok, ok && !bytes.Equal(r.Payload, payload)
}

// executing are the ids whose effect may be missing, or not.
func (j *journal) executing() []string {
	var out []string
	for id, r := range j.by {
		if r.Answer.State == Executing {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}
