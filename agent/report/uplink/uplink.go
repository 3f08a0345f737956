package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/report/outbox"
)

// Source is the queue that is sent; *outbox.Box is one.
type Source interface {
	Cursor() *outbox.Cursor
	Take(*outbox.Cursor) (outbox.Batch, bool, error)
	Ack(outbox.Batch)
	Changed() <-chan struct{}
	Stats() outbox.Stats
}

var _ Source = (*outbox.Box)(nil)

// Options of an Uplink.
type Options struct {
	Site, Gateway, Epoch string
	Source               Source
	Dialer               Dialer
	Clock                *clock.Clock
	Board                *health.Board
	Log                  *slog.Logger
	// State gives the parts of the retained state message that only the agent
	// knows: Version, Policy, Generation, Versions. It must not block.
	State func() event.GatewayState
	// Inbound takes what arrives for this gateway, its Groups or all, in order;
	// nil: nothing is subscribed to. It must not block, and reports false where
	// it has no room: desired state is then asked for again.
	Inbound func(Inbound) bool
	// Reached is called once a session, when the broker has acknowledged
	// something in it; nil: nobody asks. It must not block.
	Reached func()
	Groups  []string
}

// Uplink keeps a session with the broker while it can. It is a Task.
type Uplink struct {
	opt      Options
	filters  []string // subscribed to
	answers  answers
	ready    chan struct{}
	ackLimit time.Duration // tests against a real broker cannot wait as long

	mu     sync.Mutex
	status Status
	missed bool // desired state was refused for want of room
}

// Status is how the uplink stands, for people.
type Status struct {
	Broker    string
	Connected bool
	Since     time.Time // of Connected or of its opposite
	LastError string    // why it is, or last was, not connected
	Attempts  int       // in a row without a session that lasted
	Sessions  uint64
	InFlight  int       // messages without an acknowledgement
	Acked     uint64    // records
	LastAck   time.Time // zero: none yet
	Deaf      []string  // filters that the broker does not grant
	Received  uint64    // messages handed over
	Busy      uint64    // messages that nobody had room for
	Unheard   uint64    // messages on a wrong topic or too long
	Unsaid    uint64    // answers dropped, since nobody heard them for too long
}

// New makes an uplink.
func New(opt Options) *Uplink {
	u := &Uplink{opt: opt, answers: answers{wake: make(chan struct{}, 1)}, ready: make(chan struct{}), ackLimit: ackLimit, status: Status{Broker: opt.Dialer.String()}}
	if opt.Inbound != nil {
		u.filters = filters(opt.Site, opt.Gateway, opt.Groups)
	}
	return u
}

// String names the task.
func (u *Uplink) String() string { return "uplink" }

// Ready is closed once Run is at work, broker or not.
func (u *Uplink) Ready() <-chan struct{} { return u.ready }

// Status tells how it stands.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.status
	s.Unsaid = u.answers.dropped()
	return s
}

// Run connects, sends, and connects again, until ctx ends; then it sends what
// the outbox commits last, for some seconds, and says goodbye.
func (u *Uplink) Run(ctx context.Context) error {
	close(u.ready)
	for attempts := 0; ; attempts++ {
		u.mu.Lock()
		u.status.Attempts = attempts
		u.mu.Unlock()
		err := u.once(ctx, &attempts)
		if ctx.Err() != nil {
			return nil
		}
		u.setDown(err)
		if !health.Rest(ctx, wait(attempts), u.beat) {
			return nil
		}
	}
}

func (u *Uplink) beat() { u.opt.Board.Beat(u.String(), u.opt.Clock.Now().Mono) }

// busy is for what broker or disk decide the length of.
func (u *Uplink) busy() { u.opt.Board.Busy(u.String(), u.opt.Clock.Now().Mono) }

// condition is the code on the health board.
const condition = "uplink.down"

// once is one session from beginning to end.
func (u *Uplink) once(ctx context.Context, attempts *int) error {
	u.busy()
	will, err := u.stateMessage(false, true)
	if err != nil {
		return err
	}
	s, err := u.opt.Dialer.Connect(ctx, will, u.take)
	if err != nil {
		return err
	}
	u.setUp()
	r, err := newRun(u, s)
	if err != nil {
		s.Close(false)
		return err
	}
	err = r.loop(ctx, func() { *attempts = 0 })
	u.busy()
	s.Close(err == nil)
	u.answers.giveBack(r.unheard())
	u.mu.Lock()
	u.status.InFlight = 0
	u.mu.Unlock()
	return err
}

func (u *Uplink) setUp() {
	u.mu.Lock()
	u.status.Connected, u.status.Since = true, u.opt.Clock.Now().Wall
	u.status.Sessions++
	u.mu.Unlock()
	u.opt.Board.Clear(condition)
	u.opt.Log.Info("uplink is up", "task", u.String(), "broker", u.opt.Dialer.String())
}

// setDown notes that there is no session; one log line for each change.
func (u *Uplink) setDown(err error) {
	now := u.opt.Clock.Now().Wall
	u.mu.Lock()
	was := u.status.Connected || u.status.LastError == ""
	if was {
		u.status.Connected, u.status.Since = false, now
	}
	u.status.LastError = err.Error()
	u.mu.Unlock()
	u.opt.Board.Set(health.Condition{Code: condition, Severity: health.Warning, Text: "no session with the broker: " + err.Error(), Since: now})
	if was {
		u.opt.Log.Warn("uplink is down; events are kept", "task", u.String(), "broker", u.opt.Dialer.String(), "err", err)
	}
}

// stateMessage is the retained state, or the will where the gateway can say
// nothing more.
func (u *Uplink) stateMessage(online, will bool) (Message, error) {
	st := event.GatewayState{}
	if !will {
		st = u.opt.State()
		now, box := u.opt.Clock.Now(), u.opt.Source.Stats()
		st.BootID, st.MonoMS = now.BootID, now.Mono.Milliseconds()
		st.Time, st.TimeQuality = now.Wall.UTC().Format(event.TimeLayout), now.Quality.String()
		st.Epoch, st.Seq, st.Evicted = u.opt.Epoch, box.Seq, box.Evicted
	}
	st.V, st.Site, st.GW, st.Online = event.Version, u.opt.Site, u.opt.Gateway, online
	b, err := json.Marshal(st)
	if err != nil {
		return Message{}, fmt.Errorf("encode state message: %w", err)
	}
	return Message{Topic: base(u.opt.Site, u.opt.Gateway) + "/state", Retained: true, Payload: b}, nil
}

var errSlow = errors.New("broker did not acknowledge a message in time")
