package command

import (
	"errors"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// Bounds of the time of a command.
const (
	maxLife = time.Hour // from nbf to exp
	// skew is what the clock that wrote nbf may be ahead of ours.
	skew = 30 * time.Second
)

// order is a statement that passed the gate.
type order struct {
	signed.Verified
	envelope signed.Envelope
	scopes   []string
}

// verify checks what does not depend on what came before: size, form, root,
// signatures, site, target. With an error only the id of the statement is good
// for anything: to answer.
func (t *Task) verify(in Inbound) (order, error) {
	if len(in.Payload) > signed.MaxEnvelope {
		return order{}, refusal(signed.ReasonOversize, fmt.Sprintf("%d bytes: want at most %d", len(in.Payload), signed.MaxEnvelope))
	}
	e, err := signed.Parse(in.Payload)
	if err != nil {
		return order{}, err
	}
	if t.root == nil {
		return order{}, refusal(signed.ReasonWrongRoot, "this gateway has no root of trust and obeys nobody")
	}
	o := order{envelope: e}
	if o.Statement, err = signed.ParseStatement(e.Payload); err != nil {
		return o, err
	}
	if e.PayloadType == signed.KindRoot.PayloadType() {
		_, err = t.root.Next(e)
	} else if t.root.Version() < t.ratchet.Root {
		err = refusal(signed.ReasonWrongRoot, fmt.Sprintf("root version %d was in force and is lost: send it again", t.ratchet.Root))
	} else {
		var v signed.Verified
		if v, err = t.root.Verify(e); err != nil {
			if back, rerr := t.root.VerifyReturn(e); rerr == nil && t.shelf.Returns(back.Statement, t.scopes(back.Statement)) {
				v, err = back, nil // opening is easy: back to the policy before takes one person
			}
		}
		if err == nil {
			o.Verified = v
		}
	}
	if err != nil {
		return o, err
	}
	if err := o.Statement.For(t.opt.Site, t.opt.Gateway, t.opt.Groups...); err != nil {
		return o, err
	}
	if !fits(in.Topic, o.Statement) {
		return o, refusal(signed.ReasonWrongType, fmt.Sprintf("a %s with id %s came as %.80q", o.Statement.Kind, o.Statement.ID, in.Topic))
	}
	o.scopes = t.scopes(o.Statement)
	return o, nil
}

func (t *Task) scopes(st signed.Statement) []string {
	return desired.Scopes(st, t.opt.Gateway, t.opt.Groups)
}

// timely checks the time, and says when a command's is over.
func timely(st signed.Statement, now clock.Stamp) (end, error) {
	life := st.ExpiresTime().Sub(st.NotBeforeTime())
	if st.Kind == signed.KindCommand && life > maxLife {
		return end{}, refusal(signed.ReasonNotAllowed, fmt.Sprintf("good for %v: a command may be for %v", life, maxLife))
	}
	// A number that nobody can follow on would keep out what others send, what
	// opens above all. Numbers are milliseconds, so each signer keeps below.
	if most := uint64(max(0, st.ExpiresTime().UnixMilli())); st.Kind == signed.KindCommand && st.Seq > most {
		return end{}, refusal(signed.ReasonNotAllowed, fmt.Sprintf("seq %d: a command that is good until %s may have %d at most", st.Seq, st.Expires, most))
	}
	ends := end{BootID: now.BootID, Mono: now.Mono + life, Since: now.Mono}
	if st.BootID != "" {
		if st.BootID != now.BootID {
			return end{}, refusal(signed.ReasonStaleBoot, fmt.Sprintf("for boot %s: this is boot %s", st.BootID, now.BootID))
		}
		deadline := time.Duration(min(st.DeadlineMS, int64(1<<43))) * time.Millisecond
		switch left := deadline - now.Mono; {
		case left <= 0:
			return end{}, refusal(signed.ReasonExpired, fmt.Sprintf("its deadline was %v ago", (-left).Round(time.Millisecond)))
		case st.Kind == signed.KindCommand && left > maxLife:
			return end{}, refusal(signed.ReasonNotAllowed, fmt.Sprintf("its deadline is in %v: a command may be for %v", left, maxLife))
		}
		ends.Mono = deadline
	}
	switch left := st.ExpiresTime().Sub(now.Wall); {
	case !trusted(now) && st.Kind == signed.KindCommand && st.BootID == "":
		return end{}, refusal(signed.ReasonNoClock, "this gateway has no trusted time: name its boot_id and a deadline_ms")
	case !trusted(now): // state is signed ahead and for long: its number alone keeps older ones out
	case left <= 0:
		return end{}, refusal(signed.ReasonExpired, "it was good until "+st.Expires)
	case now.Wall.Add(skew).Before(st.NotBeforeTime()):
		return end{}, refusal(signed.ReasonNotYet, "it is good from "+st.NotBefore)
	default:
		ends.Wall, ends.Mono = st.ExpiresTime(), min(ends.Mono, now.Mono+left)
	}
	return ends, nil
}

// newer checks that the statement is newer than what came before. State that was
// lost may come again by the number it had: the broker has no newer one.
func (t *Task) newer(o order) error {
	highest, ok := t.ratchet.passes(o.Statement, o.scopes)
	if ok || o.Statement.Kind != signed.KindCommand && o.Statement.Seq == highest && !t.shelf.Has(o.Statement.Kind, o.scopes) {
		return nil
	}
	reason := signed.ReasonReplayedSeq
	if o.Statement.Kind != signed.KindCommand {
		reason = signed.ReasonRollback
	}
	return refusal(reason, fmt.Sprintf("seq %d: %d was accepted before", o.Statement.Seq, highest))
}

// advance writes down that the statement was accepted.
func (t *Task) advance(o order) {
	t.ratchet.advance(o.Statement, o.scopes)
	if changesNothing(o.Statement) {
		return // it does not wear the flash
	}
	t.keep(fileNumbers, t.saveNumbers)
}

// refused is the answer to what is not obeyed.
func refused(id string, err error, now clock.Stamp) Answer {
	state, reason := Rejected, signed.ReasonMalformed
	if r, ok := reasonOf(err); ok {
		reason = r
	}
	if reason == signed.ReasonExpired {
		state = Expired
	}
	text := err.Error()
	var r *signed.Refusal
	if errors.As(err, &r) {
		text = r.Text
	}
	return newAnswer(id, state, now).because(reason, text)
}
