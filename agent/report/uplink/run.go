package uplink

import (
	"context"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/report/outbox"
)

const (
	window     = 32                    // messages without an acknowledgement
	gap        = 20 * time.Millisecond // between two messages: 50 a second, for the sake of the broker when a fleet comes back
	ackLimit   = 30 * time.Second      // for an acknowledgement
	steady     = time.Minute           // a session that lasts so long resets the backoff
	stateEvery = 10 * time.Second      // at most, the state message when it has changed
	drainLimit = 3 * time.Second       // for the last records when the agent ends
	// monoEvery is how old the state of a gateway without trusted time may be:
	// who signs a command for it counts from the mono_ms there.
	monoEvery = time.Minute
)

// sent is a message without an acknowledgement.
type sent struct {
	receipt Receipt
	batch   outbox.Batch     // empty: a state message, or
	answer  *answer          // one to a command
	limit   <-chan time.Time // for its acknowledgement
}

// run is the work of one session.
type run struct {
	u        *Uplink
	s        Session
	cursor   *outbox.Cursor
	packer   *zstd.Encoder
	inFlight []sent // oldest first
	subs     []sub  // without an answer, oldest first
	reached  bool   // the broker has acknowledged something
	state    string // last state message, without its time
	stateAt  time.Duration
}

func newRun(u *Uplink, s Session) (*run, error) {
	p, err := newPacker()
	if err != nil {
		return nil, err
	}
	return &run{u: u, s: s, cursor: u.opt.Source.Cursor(), packer: p}, nil
}

// loop sends until the session or ctx ends. It returns nil after a goodbye.
func (r *run) loop(ctx context.Context, lasted func()) error {
	defer r.packer.Close()
	if err := r.sendState(true); err != nil {
		return err
	}
	r.subscribe()
	var (
		src     = r.u.opt.Source
		changed = src.Changed()
		cancel  = ctx.Done()
		pace    <-chan time.Time // running: not yet
		drained <-chan time.Time // running: the agent ends
		long    = time.After(steady)
		tick    = time.NewTicker(stateEvery)
		beat    = time.NewTicker(health.BeatEvery)
	)
	defer tick.Stop()
	defer beat.Stop()
	for {
		r.u.busy()
		if len(r.inFlight) < window-1 { // one place is for what the outbox has
			if a, ok := r.u.answers.next(); ok {
				r.say(a)
				wake(r.u.answers.wake) // for the next one, once what is due was done
			}
		}
		more := true
		if pace == nil && len(r.inFlight) < window {
			batch, ok, err := src.Take(r.cursor)
			if err != nil {
				return err
			}
			if more = ok; ok {
				r.send(batch)
				pace = time.After(gap)
			}
		}
		if drained != nil && changed == nil && !more && len(r.inFlight) == 0 {
			return r.goodbye()
		}
		// Only the oldest is watched: a broker acknowledges in the order of
		// sending (MQTT 3.1.1 §4.6), and one that is late there is late.
		var oldest <-chan struct{}
		var late <-chan time.Time
		if len(r.inFlight) > 0 {
			oldest, late = r.inFlight[0].receipt.Done(), r.inFlight[0].limit
		}
		asked, unanswered := r.asked()
		r.u.beat()
		select {
		case <-asked:
			r.granted()
		case <-unanswered:
			r.granted()
		case <-r.u.answers.wake:
		case <-oldest:
			if err := r.settle(); err != nil {
				return err
			}
		case <-late:
			if !done(r.inFlight[0]) { // else it was we who were held up
				return errSlow
			}
		case <-r.s.Lost():
			for len(r.inFlight) > 0 && done(r.inFlight[0]) && r.settle() == nil {
			}
			return fmt.Errorf("connection lost: %w", r.s.Err())
		case <-pace:
			pace = nil
		case _, ok := <-changed:
			if !ok {
				changed = nil // the outbox has made its last commit
			}
		case <-beat.C:
		case <-tick.C:
			if r.u.takeMissed() {
				r.subscribe() // what the broker has retained comes again
			}
			if err := r.sendState(false); err != nil {
				return err
			}
		case <-long:
			lasted()
		case <-cancel:
			cancel, drained = nil, time.After(drainLimit)
		case <-drained:
			return r.goodbye()
		}
	}
}

func done(s sent) bool {
	select {
	case <-s.receipt.Done():
		return true
	default:
		return false
	}
}

// send publishes a batch.
func (r *run) send(b outbox.Batch) {
	m := Message{Topic: base(r.u.opt.Site, r.u.opt.Gateway) + "/" + upTopic(b.Class, b.Kind), Payload: pack(r.packer, b.Lines)}
	r.inFlight = append(r.inFlight, sent{receipt: r.publish(m), batch: b, limit: time.After(r.u.ackLimit)})
	r.note(0)
}

// publish hands a message to the session, which may hold us for some seconds: a
// broker that makes the most of that must not look like a hang of ours.
func (r *run) publish(m Message) Receipt {
	r.u.busy()
	return r.s.Publish(m)
}

// say publishes an answer. It keeps no pace: nobody asks a whole fleet at once
// and wants to wait.
func (r *run) say(a answer) {
	m := Message{Topic: base(r.u.opt.Site, r.u.opt.Gateway) + "/up/cmd/" + level(a.id), Payload: a.payload}
	r.inFlight = append(r.inFlight, sent{receipt: r.publish(m), answer: &a, limit: time.After(r.u.ackLimit)})
	r.note(0)
}

// unheard are the answers without an acknowledgement.
func (r *run) unheard() (out []answer) {
	for _, m := range r.inFlight {
		if m.answer != nil {
			out = append(out, *m.answer)
		}
	}
	return out
}

// settle takes the oldest message, which is done, off the window.
func (r *run) settle() error {
	m := r.inFlight[0]
	if err := m.receipt.Err(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	r.inFlight = r.inFlight[1:]
	if !r.reached {
		r.reached = true
		if r.u.opt.Reached != nil {
			r.u.opt.Reached()
		}
	}
	if len(m.batch.Seqs) > 0 {
		r.u.opt.Source.Ack(m.batch)
	}
	r.note(len(m.batch.Seqs))
	return nil
}

// note keeps the status.
func (r *run) note(acked int) {
	u := r.u
	u.mu.Lock()
	defer u.mu.Unlock()
	u.status.InFlight = len(r.inFlight)
	if acked > 0 {
		u.status.Acked += uint64(acked)
		u.status.LastAck = u.opt.Clock.Now().Wall
	}
}

// sendState publishes the retained state if it says anything new.
func (r *run) sendState(always bool) error {
	st := r.u.opt.State()
	box := r.u.opt.Source.Stats()
	at := r.u.opt.Clock.Now()
	now := fmt.Sprint(st, box.Seq, box.Evicted, at.Quality)
	old := now != r.state || (at.Quality == clock.None || at.Quality == clock.Floor) && at.Mono-r.stateAt >= monoEvery
	if !always && (!old || len(r.inFlight) >= window) {
		return nil
	}
	m, err := r.u.stateMessage(true, false)
	if err != nil {
		return err
	}
	r.state, r.stateAt = now, at.Mono
	r.inFlight = append(r.inFlight, sent{receipt: r.publish(m), limit: time.After(r.u.ackLimit)})
	return nil
}

// goodbye publishes the last state: a DISCONNECT keeps the broker from
// publishing the will. It tells all that a living gateway does, so that a
// collector knows what it has missed.
func (r *run) goodbye() error {
	m, err := r.u.stateMessage(false, false)
	if err != nil {
		return err
	}
	receipt := r.publish(m)
	select {
	case <-receipt.Done():
	case <-r.s.Lost():
	case <-time.After(time.Second):
	}
	return nil
}
