package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// takeRoot changes whom the gateway obeys.
func (t *Task) takeRoot(o order, retained bool, now clock.Stamp) {
	st := o.Statement
	next, err := t.root.Next(o.envelope)
	if err != nil {
		t.refuse(st.ID, err, now)
		return
	}
	if next == t.root { // it is in force
		if !retained {
			t.send(newAnswer(st.ID, Succeeded, now))
		}
		return
	}
	by := names(rootSigners(o.envelope, t.root, next))
	a, err := desired.NewAccepted(o.envelope, []string{by})
	if err == nil {
		err = t.shelf.Accept(a, []string{t.opt.Gateway})
	}
	if err == nil {
		err = t.shelf.Settle(a, true, desired.Outcome{State: string(Succeeded)})
	}
	answer := answerOf(st.ID, nil, err, now)
	if err == nil {
		t.obeyed.Add(1)
		t.root, t.ratchet.Root = next, next.Version()
		t.keep(fileNumbers, t.saveNumbers)
		t.condition(rootCode, nil)
		t.tellVersions()
		t.opt.Answers.Again() // what came before the root that it is signed under was refused
	}
	t.send(answer)
	t.audit(st, by, answer)
}

// maxRoots is how many roots one message may hold.
const maxRoots = 64

// rootsBefore takes, of a message with several roots, all but the last, which it
// returns: a gateway that was off while the root changed more than once needs
// each of them, in order, and the broker retains one message. Those that are in
// force, or were, are passed over; what is wrong with one the last shows, which
// cannot follow then.
func (t *Task) rootsBefore(m Inbound, now clock.Stamp) Inbound {
	if len(m.Payload) > signed.MaxEnvelope || t.root == nil {
		return m
	}
	var all []json.RawMessage
	for d := json.NewDecoder(bytes.NewReader(m.Payload)); d.More(); {
		var one json.RawMessage
		if err := d.Decode(&one); err != nil || len(all) == maxRoots {
			return m // it is refused as a whole
		}
		all = append(all, one)
	}
	for i, one := range all {
		m.Payload = one
		if i == len(all)-1 {
			break
		}
		if o, err := t.verify(m); err == nil && o.Statement.Kind == signed.KindRoot {
			t.takeRoot(o, true, now)
		}
	}
	return m
}

// rootSigners are the people whose keys, known to one of the roots, signed.
func rootSigners(e signed.Envelope, roots ...*signed.Root) []string {
	var out []string
	for _, r := range roots {
		for _, k := range r.Args().Keys {
			if slices.ContainsFunc(e.Signatures, func(s signed.Signature) bool { return s.KeyID == k.KeyID }) {
				out = append(out, k.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// desire takes a statement of state.
func (t *Task) desire(ctx context.Context, o order, retained bool, now clock.Stamp) {
	st := o.Statement
	if outcome, seen := t.shelf.Seen(st.Kind, o.envelope.Payload); seen {
		if !retained { // the broker sends what it retains at every session
			t.send(answered(st.ID, outcome, now))
		}
		return
	}
	_, err := timely(st, now)
	if err == nil {
		err = t.newer(o)
	}
	if err == nil {
		err = t.valid(st)
	}
	if err != nil {
		t.refuse(st.ID, err, now)
		return
	}
	a, err := desired.NewAccepted(o.envelope, everyRole(o.Verified))
	if err == nil {
		err = t.shelf.Accept(a, o.scopes)
	}
	if err != nil {
		t.send(newAnswer(st.ID, Failed, now).because("", err.Error()))
		return
	}
	t.advance(o)
	t.obeyed.Add(1)
	t.send(newAnswer(st.ID, Accepted, now))
	t.apply(ctx, a)
}

// answered is the answer that an outcome stands for.
func answered(id string, o desired.Outcome, now clock.Stamp) Answer {
	if o.State == "" {
		return newAnswer(id, Executing, now)
	}
	return newAnswer(id, State(o.State), now).because(signed.Reason(o.Reason), o.Text)
}

// valid checks what is not a matter of form.
func (t *Task) valid(st signed.Statement) error {
	bad := func(err error) error {
		if err == nil {
			return nil
		}
		return refusal(signed.ReasonInvalidArgs, err.Error())
	}
	switch st.Kind {
	case signed.KindPolicy:
		a, err := signed.DecodeArgs[signed.Policy](st)
		return errors.Join(err, bad(t.opt.Valid(st.Kind, a.TOML)))
	case signed.KindConfig:
		a, err := signed.DecodeArgs[signed.Config](st)
		return errors.Join(err, bad(t.opt.Valid(st.Kind, a.TOML)))
	case signed.KindDevices:
		set, err := signed.DecodeArgs[signed.DeviceSet](st)
		for _, e := range set.Entries {
			if _, ok := t.opt.Class(device.Role(e.Role)); e.Role != "" && !ok {
				return refusal(signed.ReasonInvalidArgs, "device "+e.Device+": role "+e.Role+" is not known")
			}
			if len(e.ApprovedPairs) > 0 {
				return refusal(signed.ReasonInvalidArgs, "device "+e.Device+": this version takes clinical peers from the policy only, not as approved_pairs")
			}
		}
		return err
	}
	return nil
}

// apply brings an accepted statement in force.
func (t *Task) apply(ctx context.Context, a desired.Accepted) {
	st := a.Statement
	if cur, ok := t.shelf.Current(st.Kind); ok && cur.Statement.Number().Compare(st.Number()) > 0 && (st.Kind == signed.KindPolicy || st.Kind == signed.KindConfig) {
		t.settle(a, newAnswer(st.ID, Succeeded, t.opt.Clock.Now()).because("", "kept; that of "+cur.Statement.ID+" is newer and stays in force"))
		return
	}
	var err error
	switch st.Kind {
	case signed.KindPolicy:
		var p signed.Policy
		if p, err = signed.DecodeArgs[signed.Policy](st); err == nil {
			err = t.effect(ctx, func(ctx context.Context) error { return t.opt.Fence.SetPolicy(ctx, p.TOML, names(a.By)) })
		}
	case signed.KindConfig:
		var c signed.Config
		c, err = signed.DecodeArgs[signed.Config](st)
		switch {
		case err != nil:
		case t.trial.State == desired.Settled && t.trial.Old == c.TOML && t.opt.Config.InForce(c.TOML):
			// It has shown that it reaches the broker, and no other session would come.
		case t.propose(ctx, c.TOML, st.ID):
			return // it is on trial
		default:
			err = refusal(signed.ReasonBusy, "the configuration before it is being given up")
		}
	case signed.KindQuarantine:
		err = t.letGo(a)
	}
	if err != nil && ctx.Err() != nil {
		return // the agent ends: it is done again at the next start
	}
	if st.Kind == signed.KindPolicy {
		if _, refused := reasonOf(err); err != nil && !refused && t.tries[st.ID] < maxTries {
			if t.tries[st.ID]++; t.tries[st.ID] == 1 {
				t.send(newAnswer(st.ID, Executing, t.opt.Clock.Now()).because("", "it is tried again: "+err.Error()))
			}
			t.condition(string(st.Kind), err)
			return
		}
		delete(t.tries, st.ID)
		t.condition(string(st.Kind), nil)
	}
	answer := answerOf(st.ID, nil, err, t.opt.Clock.Now())
	if err == nil && st.Kind == signed.KindQuarantine {
		answer = answer.because("", t.unheld(st))
	}
	t.settle(a, answer)
	switch st.Kind {
	case signed.KindQuarantine:
		t.fence(ctx)
	case signed.KindDevices:
		t.mark()
	}
}

// settle writes down what became of a statement of state, and answers.
func (t *Task) settle(a desired.Accepted, answer Answer) {
	t.keep(outcomeOf(a), func() error {
		return t.shelf.Settle(a, answer.State == Succeeded, desired.Outcome{State: string(answer.State), Reason: answer.Reason, Text: answer.Text})
	})
	t.tellVersions()
	t.send(answer)
	t.audit(a.Statement, names(a.By), answer)
}

// propose puts a configuration on trial; false: not now.
func (t *Task) propose(ctx context.Context, toml, id string) bool {
	next, effects := t.trial.Propose(toml, id, t.opt.Clock.Now())
	if slices.Contains(effects, desired.TellBusy) {
		return false
	}
	if old := t.trial.ID; old != "" && old != id {
		t.decide(old, newAnswer(old, Failed, t.opt.Clock.Now()).because("", "another configuration came before this one was confirmed"))
	}
	t.send(newAnswer(id, Executing, t.opt.Clock.Now()))
	t.move(ctx, next, effects)
	return true
}

// tell has the trial of the configuration go on.
func (t *Task) tell(ctx context.Context, in desired.Input) {
	next, effects := t.trial.Tell(in, t.opt.Clock.Now())
	if next != t.trial || len(effects) > 0 {
		t.move(ctx, next, effects)
	}
}

// move keeps a step of the trial, and has its effects.
func (t *Task) move(ctx context.Context, next desired.Trial, effects []desired.Effect) {
	id := t.trial.ID
	if next != t.trial {
		t.opt.Log.Info("configuration", "state", next.State, "id", next.ID, "before", t.trial.State)
		t.trial = next
		t.keep(fileTrial, t.saveTrial)
	}
	now := t.opt.Clock.Now()
	for _, e := range effects {
		switch e {
		case desired.TellKept:
			t.decide(id, newAnswer(id, Succeeded, now))
		case desired.TellReverts:
			t.decide(id, newAnswer(id, Failed, now).because("", "the broker was not reached with it: the configuration before it returns"))
		case desired.ApplyNew:
			t.bring(ctx, t.trial.New, desired.Failed)
		case desired.ApplyOld:
			t.bring(ctx, t.trial.Old, "")
		}
	}
}

// bring brings a configuration in force and tells the trial, also that it could
// not be, where failed names an input for that.
func (t *Task) bring(ctx context.Context, toml string, failed desired.Input) {
	err := t.effect(ctx, func(ctx context.Context) error { return t.opt.Config.Apply(ctx, toml) })
	switch {
	case err == nil:
		t.condition(string(signed.KindConfig), nil)
		t.tell(ctx, desired.Applied)
	case ctx.Err() != nil: // the agent ends
	default:
		t.condition(string(signed.KindConfig), err)
		if failed != "" {
			t.tell(ctx, failed)
		}
	}
}

// decide settles the statement that a configuration was of.
func (t *Task) decide(id string, a Answer) {
	for _, c := range t.shelf.Unsettled(signed.KindConfig) {
		if c.Statement.ID == id {
			t.settle(c, a)
			return
		}
	}
	t.send(a) // a newer one has taken its place on the shelf
}

// resume goes on where an earlier run ended, but for the configuration.
func (t *Task) resume(ctx context.Context) {
	t.turn.Lock()
	defer t.turn.Unlock()
	for _, id := range t.journal.executing() {
		t.again(ctx, id)
	}
	for _, k := range []signed.Kind{signed.KindPolicy, signed.KindQuarantine, signed.KindDevices} {
		for _, a := range t.shelf.Unsettled(k) {
			t.apply(ctx, a)
		}
	}
	if a, ok := t.shelf.Current(signed.KindPolicy); ok {
		if p, err := signed.DecodeArgs[signed.Policy](a.Statement); err == nil && p.TOML != t.opt.Policy {
			t.condition(string(signed.KindPolicy), t.effect(ctx, func(ctx context.Context) error { return t.opt.Fence.SetPolicy(ctx, p.TOML, names(a.By)) }))
		}
	}
	t.letGoOfGroups()
	t.fence(ctx)
}

// resumeTrial goes on with the configuration: desired.ConfigAtStart has told it
// of the start.
func (t *Task) resumeTrial(ctx context.Context) {
	t.turn.Lock()
	defer t.turn.Unlock()
	switch t.trial.State {
	case desired.Settled:
		if !t.opt.Config.InForce(t.trial.Old) {
			t.condition(string(signed.KindConfig), errors.New("the configuration that was sent cannot be used: the gateway works with the one it came with"))
		}
	case desired.Applying:
		if t.opt.Config.InForce(t.trial.New) {
			t.tell(ctx, desired.Applied)
		} else {
			t.bring(ctx, t.trial.New, desired.Failed)
		}
	case desired.Reverting:
		t.decide(t.trial.ID, newAnswer(t.trial.ID, Failed, t.opt.Clock.Now()).because("", "the broker was not reached with it: the configuration before it returns"))
		if t.opt.Config.InForce(t.trial.Old) {
			t.tell(ctx, desired.Applied)
		} else {
			t.bring(ctx, t.trial.Old, "")
		}
	}
	for _, a := range t.shelf.Unsettled(signed.KindConfig) {
		c, err := signed.DecodeArgs[signed.Config](a.Statement)
		switch {
		case err != nil || t.trial.ID == a.Statement.ID: // on trial
		case t.trial.State == desired.Settled && t.trial.Old == c.TOML: // it was confirmed
			t.settle(a, newAnswer(a.Statement.ID, Succeeded, t.opt.Clock.Now()))
		default:
			t.apply(ctx, a)
		}
	}
}

const (
	// retry is how long what failed is left alone.
	retry = 10 * time.Second
	// maxTries is how often a policy is tried again where it was not refused: the
	// fence may not know the devices yet, or the kernel be busy.
	maxTries = 6
)

// pass does what time alone brings; known: the fence knows the devices.
func (t *Task) pass(ctx context.Context, known bool) {
	t.turn.Lock()
	defer t.turn.Unlock()
	now := t.opt.Clock.Now()
	if gone := t.leases.lapse(now); len(gone) > 0 {
		t.keep(fileLeases, t.saveLeases)
		t.mark()
		for _, l := range gone {
			t.opt.Log.Info("lapsed", "op", l.Op, "device", l.Device, "id", l.ID)
		}
	}
	if t.trial.Over(now) {
		t.tell(ctx, desired.Timeout)
	}
	if now.Mono < t.due {
		return
	}
	t.due = now.Mono + retry
	t.keepAgain()
	if t.trial.State == desired.Reverting {
		t.tell(ctx, desired.Timeout)
	}
	if !known {
		return
	}
	for _, a := range t.shelf.Unsettled(signed.KindPolicy) {
		if _, waits := t.unkept[outcomeOf(a)]; !waits { // else it is only not on disk what came of it
			t.apply(ctx, a)
		}
	}
	t.fence(ctx)
}
