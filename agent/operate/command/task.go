package command

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// Options of New. All but Root, Room, Groups and Known are wanted.
type Options struct {
	Site, Gateway string
	Groups        []string
	// Root is the file of the root that the gateway was provisioned with; empty:
	// nobody is obeyed unless a later one is kept.
	Root    []byte
	Keep    desired.Keep
	Room    Room
	Fence   Fence
	Devices Devices
	Box     Box
	Config  Config
	Answers Answers
	Codes   Codes
	// Valid says what is wrong with the text of a policy or a configuration
	// before it is taken.
	Valid func(kind signed.Kind, toml string) error
	// Class is the safety class of a role, false for one that there is not.
	Class func(device.Role) (device.SafetyClass, bool)
	// Known is closed once the fence knows what the devices are: what an earlier run
	// left half done waits for that. nil: it knows.
	Known <-chan struct{}
	// Policy is the text of the policy that the fence was started with, "" for
	// one that did not come from here.
	Policy string
	Clock  *clock.Clock
	Board  *health.Board
	Events event.Sink
	Log    *slog.Logger
}

// Task obeys. Make it with New.
type Task struct {
	opt     Options
	queue   *queue
	urgent  *queue // of break-glass, which waits for no other effect
	session chan struct{}
	ready   chan struct{}

	// turn is held by who handles something, and not during an effect.
	turn    sync.Mutex
	root    *signed.Root // under turn, as all down to due; nil: nobody is obeyed
	shelf   *desired.Shelf
	trial   desired.Trial
	ratchet ratchets
	leases  leases
	journal *journal
	told    map[device.ID]bool // the fence was asked by this run to hold what the desired set names
	tries   map[string]int     // of policies that failed, by id
	unkept  map[string]unkept  // what the files of this room did not take, or could not give, by name
	due     time.Duration      // since boot: when what failed is tried again

	busy, obeyed, refused atomic.Uint64

	mu       sync.Mutex
	versions map[string]uint64
}

// Codes of conditions.
const (
	rootCode    = "command.root"    // nobody is obeyed, or not who should be
	keepCode    = "command.keep"    // the files of this room
	journalCode = "command.journal" // ids are not remembered over a restart
)

// New reads what is kept and hands the devices their marks. What cannot be read
// is a condition, no error: the ward is fenced all the same.
func New(opt Options) *Task {
	t := &Task{opt: opt, queue: newQueue(queueLength), urgent: newQueue(urgentLength), session: make(chan struct{}, 1), ready: make(chan struct{}), told: make(map[device.ID]bool), tries: make(map[string]int), unkept: make(map[string]unkept)}
	f, err := readFiles(opt.Keep)
	t.shelf, t.trial, t.ratchet, t.leases = f.shelf, f.trial, f.ratchet, f.leases
	t.noteKept(fileAll, err, t.reread)
	t.journal, err = openJournal(opt.Room)
	t.condition(journalCode, err)
	for _, r := range t.journal.by { // a file that was lost brings no number back
		if st, err := r.statement(); err == nil {
			t.ratchet.advance(st, t.scopes(st))
		}
	}
	for _, k := range signed.Kinds() {
		for _, a := range append(t.shelf.Applied(k), t.shelf.Unsettled(k)...) {
			t.ratchet.advance(a.Statement, t.scopes(a.Statement))
		}
	}
	t.openRoot()
	t.tellVersions()
	if f.shelfErr == nil || len(t.shelf.Applied(signed.KindDevices)) > 0 { // else nobody knows of marks
		t.mark()
	}
	return t
}

// openRoot takes the newest root that there is.
func (t *Task) openRoot() {
	var errs []error
	take := func(file []byte) {
		r, err := ParseRoot(t.opt.Site, file)
		if err != nil {
			errs = append(errs, err)
			return
		}
		if t.root == nil || r.Version() > t.root.Version() {
			t.root = r
		}
	}
	if len(t.opt.Root) > 0 {
		take(t.opt.Root)
	}
	for _, a := range t.shelf.Applied(signed.KindRoot) {
		take(a.Envelope)
	}
	if t.root != nil && t.root.Version() < t.ratchet.Root {
		errs = append(errs, errors.New("a later root was in force and is lost: nothing is obeyed until it comes again"))
	}
	t.condition(rootCode, errors.Join(errs...))
}

// ParseRoot reads the file of a root of trust, and refuses that of another site.
func ParseRoot(site string, file []byte) (*signed.Root, error) {
	r, err := signed.ParseRoot(file)
	if err == nil && r.Site() != site {
		return nil, refusal(signed.ReasonWrongSite, "the root is of site "+r.Site()+", this is "+site)
	}
	return r, err
}

// Offer hands over a message of the broker, which waits for its turn. It does
// not block; where too many wait it reports false, and a command is answered.
func (t *Task) Offer(m Inbound) bool {
	q := t.queue
	if isUrgent(m) {
		q = t.urgent
	}
	if q.offer(m) {
		return true
	}
	t.busy.Add(1)
	if id := commandID(m.Topic); id != "" {
		t.send(newAnswer(id, Rejected, t.opt.Clock.Now()).because(signed.ReasonBusy, "too many messages wait"))
	}
	return false
}

// Session tells that the broker was reached, in a session that began with the
// configuration that is in force now.
func (t *Task) Session() {
	select {
	case t.session <- struct{}{}:
	default: // it is told already
	}
}

// Versions are the numbers of what is in force by kind: the version of the root,
// the seq of the newest statement of the others. It is safe for concurrent use.
func (t *Task) Versions() map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.versions)
}

func (t *Task) tellVersions() {
	v := make(map[string]uint64)
	for _, k := range signed.Kinds() {
		if a, ok := t.shelf.Current(k); ok {
			v[string(k)] = a.Statement.Seq
		}
	}
	delete(v, string(signed.KindRoot))
	if t.root != nil {
		v[string(signed.KindRoot)] = uint64(t.root.Version())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.versions = v
}

// Counters are what came, by what became of it.
func (t *Task) Counters() map[string]uint64 {
	return map[string]uint64{"command.busy": t.busy.Load(), "command.obeyed": t.obeyed.Load(), "command.refused": t.refused.Load()}
}

// String is the task's name.
func (t *Task) String() string { return "command" }

// Ready is closed once the task obeys.
func (t *Task) Ready() <-chan struct{} { return t.ready }

const (
	every = health.BeatEvery
	// effectLimit bounds an effect: less than a task may be silent.
	effectLimit = 10 * time.Second
	// knownLimit is how long what an earlier run left waits for Known.
	knownLimit = time.Minute
)

// Run obeys until ctx ends.
func (t *Task) Run(ctx context.Context) error {
	// What was cut short is done first: done behind a newer command it would take
	// that back. What opens the glass waits for neither.
	in := t.queue.in
	if len(t.journal.executing()) > 0 {
		in = nil
	}
	var opening sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	opening.Go(func() { t.open(ctx) })
	defer opening.Wait()
	defer cancel() // before: a panic here would wait for ever
	t.begins()
	t.resumeTrial(ctx)
	close(t.ready)
	tick := time.NewTicker(every)
	defer tick.Stop()
	late := time.NewTimer(knownLimit)
	defer late.Stop()
	known := t.opt.Known
	if known == nil {
		known = t.ready
	}
	resumed := false
	for {
		t.beat()
		select {
		case <-ctx.Done():
			return nil
		case m := <-in:
			t.queue.taken(m)
			t.begins()
			t.handle(ctx, m)
		case <-t.session:
			t.begins()
			t.reached(ctx)
		case <-known:
			t.begins()
			known, resumed, in = nil, true, t.queue.in
			t.resume(ctx)
		case <-late.C:
			t.begins()
			if !resumed {
				known, resumed, in = nil, true, t.queue.in
				t.resume(ctx)
			}
		case <-tick.C:
			t.begins()
			t.pass(ctx, resumed)
		}
	}
}

// open handles break-glass, also while another effect takes its time.
func (t *Task) open(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-t.urgent.in:
			t.urgent.taken(m)
			t.handle(ctx, m)
		}
	}
}

func (t *Task) beat() { t.opt.Board.Beat(t.String(), t.opt.Clock.Now().Mono) }

// begins is for what is kept on the flash, and for effects; each counts for itself.
func (t *Task) begins() { t.opt.Board.Busy(t.String(), t.opt.Clock.Now().Mono) }

// effect has an effect, bounded in time, while others may have their turn.
func (t *Task) effect(ctx context.Context, f func(context.Context) error) error {
	t.begins()
	limit, cancel := context.WithTimeout(ctx, effectLimit)
	t.turn.Unlock()
	defer t.turn.Lock()
	defer cancel()
	defer t.begins() // what came of it is written down
	return f(limit)
}

// reached tells the trial of a session, which proves nothing for another
// configuration than it was made with.
func (t *Task) reached(ctx context.Context) {
	t.turn.Lock()
	defer t.turn.Unlock()
	if t.opt.Config.InForce(t.trial.InForce()) {
		t.tell(ctx, desired.Session)
	}
}

// condition raises or clears one.
func (t *Task) condition(code string, err error) {
	if err == nil {
		if t.opt.Board.Clear(code) {
			t.opt.Log.Info("condition is over", "condition", code)
		}
		return
	}
	if t.opt.Board.Set(health.Condition{Code: code, Severity: health.Failure, Text: err.Error(), Since: t.opt.Clock.Now().Wall}) {
		t.opt.Log.Error("condition", "condition", code, "err", err)
	}
}

func names(by []string) string { return strings.Join(by, ", ") }
