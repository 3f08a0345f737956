package command

import (
	"context"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// everyRole is whose signatures are named in answers and in the audit.
func everyRole(v signed.Verified) []string { return v.People(signed.Roles()...) }

// handle reads one message and does what it says.
func (t *Task) handle(ctx context.Context, m Inbound) {
	t.turn.Lock()
	defer t.turn.Unlock()
	now := t.opt.Clock.Now()
	if m.Topic == "desired/"+string(signed.KindRoot) {
		m = t.rootsBefore(m, now)
	}
	o, err := t.verify(m)
	switch {
	case err != nil:
		id := o.Statement.ID
		if id == "" {
			id = commandID(m.Topic)
		}
		t.refuse(id, err, now)
	case o.Statement.Kind == signed.KindRoot:
		t.takeRoot(o, m.Retained, now)
	case o.Statement.Kind == signed.KindCommand:
		t.command(ctx, o, now)
	default:
		t.desire(ctx, o, m.Retained, now)
	}
}

// refuse answers what did not pass the gate.
func (t *Task) refuse(id string, err error, now clock.Stamp) {
	t.refused.Add(1)
	if id != "" {
		t.send(refused(id, err, now))
	}
}

// command does a command, once.
func (t *Task) command(ctx context.Context, o order, now clock.Stamp) {
	st := o.Statement
	r, seen, other := t.journal.seen(st.ID, o.envelope.Payload)
	switch {
	case other:
		t.refuse(st.ID, refusal(signed.ReasonReplayedSeq, "its id was another command's"), now)
		return
	case seen:
		t.send(r.Answer)
		return
	}
	ends, err := timely(st, now)
	if err == nil {
		err = t.newer(o)
	}
	if err != nil {
		t.refuse(st.ID, err, now)
		return
	}
	r = record{Payload: o.envelope.Payload, By: names(everyRole(o.Verified)), Ends: ends}
	if s := seconds(st); s > 0 {
		r.Until = endIn(s, now)
	}
	t.send(newAnswer(st.ID, Accepted, now))
	if r.Interlock, err = t.judge(o, now); err != nil {
		r.Answer = refused(st.ID, err, now)
	} else {
		r.Answer = newAnswer(st.ID, Executing, now)
	}
	// What is written down first may be done again after a power cut; the number
	// goes up before the effect, so that a journal in memory is no way back in.
	t.write(st, r, now)
	t.advance(o)
	t.send(r.Answer)
	if err != nil {
		t.refused.Add(1)
		t.audit(st, r.By, r.Answer)
		return
	}
	t.obeyed.Add(1)
	t.execute(ctx, st, r)
}

// execute has the effect of a command that is in the journal as executing.
func (t *Task) execute(ctx context.Context, st signed.Statement, r record) {
	result, err := t.act(ctx, st, r)
	if err != nil && ctx.Err() != nil {
		return // the agent ends: it is done again at the next start
	}
	if st.Op == opReboot && err == nil {
		t.audit(st, r.By, r.Answer) // another boot will show that it was done
		return
	}
	t.finish(st, r, answerOf(st.ID, result, err, t.opt.Clock.Now()))
}

// finish writes down what became of a command, and answers.
func (t *Task) finish(st signed.Statement, r record, a Answer) {
	r.Answer = a
	t.write(st, r, t.opt.Clock.Now())
	t.send(a)
	t.audit(st, r.By, a)
}

// write puts a record into the journal: into memory only where the command
// changes nothing, and may be answered again after a restart.
func (t *Task) write(st signed.Statement, r record, now clock.Stamp) {
	t.condition(journalCode, t.journal.put(st.ID, r, !changesNothing(st), now))
}

func changesNothing(st signed.Statement) bool {
	return st.Op == opPing || st.Op == opExplain || st.Op == opDiagnostics
}

// again goes on with a command that was executing when the agent ended.
func (t *Task) again(ctx context.Context, id string) {
	r := t.journal.by[id]
	st, err := r.statement()
	if err != nil {
		return // openJournal has let none through
	}
	now := t.opt.Clock.Now()
	switch {
	case st.Op == opReboot && !r.Ends.thisBoot(now):
		t.finish(st, r, newAnswer(id, Succeeded, now))
	case r.Ends.over(now):
		t.finish(st, r, newAnswer(id, Expired, now).because(signed.ReasonExpired, "the agent ended while it was executed"))
	default:
		if st.Op == opReboot {
			if err := t.judgeReboot(r.Interlock); err != nil {
				t.finish(st, r, refused(id, err, now))
				return
			}
		}
		t.execute(ctx, st, r)
	}
}

// audit records a change, and what was refused although its signatures were good.
func (t *Task) audit(st signed.Statement, by string, a Answer) {
	if changesNothing(st) {
		return
	}
	t.opt.Log.Info("order", "kind", st.Kind, "op", st.Op, "id", st.ID, "by", by, "state", a.State, "reason", a.Reason, "text", a.Text)
	body := event.Order{ID: st.ID, What: string(st.Kind), Op: st.Op, Seq: st.Seq, Root: st.Root, By: by, Why: st.Reason,
		State: string(a.State), Reason: a.Reason, Text: a.Text}
	body.Device, body.Name = about(st)
	t.opt.Events.Emit(event.Event{Class: event.Audit, At: t.opt.Clock.Now(), Body: body})
}

// untilOf is how long an effect with a time still lasts.
func (r record) untilOf(now clock.Stamp) (time.Duration, error) {
	d, known := r.Until.left(now)
	if !known || d <= 0 {
		return 0, refusal(signed.ReasonExpired, fmt.Sprintf("what it asked for ended %v ago", -d.Round(time.Second)))
	}
	return d, nil
}
