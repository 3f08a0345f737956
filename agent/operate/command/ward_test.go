package command

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// box is a clock that the test sets.
type box struct {
	wall   time.Time
	mono   time.Duration
	boot   string
	synced bool
}

func (b *box) Now() time.Time      { return b.wall }
func (b *box) Mono() time.Duration { return b.mono }
func (b *box) BootID() string      { return b.boot }
func (b *box) Synced() bool        { return b.synced }

func (b *box) advance(d time.Duration) { b.wall, b.mono = b.wall.Add(d), b.mono+d }

func (b *box) reboot() { b.mono, b.boot = time.Minute, b.boot+"x" }

// files keep two versions of each key.
type files struct {
	by      map[string][][]byte
	broken  error
	damaged map[string]error
	power   *power
	during  func() // each Put
}

// power is cut at one of the points that lie before and behind all that lasts.
type power struct {
	points atomic.Int64
	cut    int64
}

var errPower = errors.New("power cut")

func (p *power) point() {
	if p.points.Add(1) == p.cut {
		panic(errPower)
	}
}

func (f *files) All(key string) ([][]byte, error) { return f.by[key], f.damaged[key] }

func (f *files) Put(key string, value []byte) error {
	f.power.point()
	defer f.power.point()
	if f.during != nil {
		f.during()
	}
	if f.broken != nil {
		return f.broken
	}
	have := append([][]byte{bytes.Clone(value)}, f.by[key]...)
	f.by[key] = have[:min(2, len(have))]
	return nil
}

// room is a database of one bucket.
type room struct {
	by     map[string][]byte
	broken error
	power  *power
}

func (r *room) Load(fn func(string, []byte) error) error {
	for _, k := range slices.Sorted(maps.Keys(r.by)) {
		if err := fn(k, r.by[k]); err != nil {
			return err
		}
	}
	return nil
}

func (r *room) Save(values map[string][]byte) error {
	r.power.point()
	defer r.power.point()
	if r.broken != nil {
		return r.broken
	}
	for k, v := range values {
		if v == nil {
			delete(r.by, k)
		} else {
			r.by[k] = v
		}
	}
	return nil
}

// ward is all that a command can reach, and counts what it does.
type ward struct {
	t       *testing.T
	clock   *box
	files   *files
	room    *room
	board   health.Board
	devices []string        // that are here
	life    map[string]bool // that are, or count as, life-sustaining
	code    string          // of the console, for all
	valid   error
	marks   map[device.ID]device.Marks
	config  string // that the agent works with
	root    []byte
	keys    map[string]ed25519.PrivateKey
	seq     uint64

	effects []string
	fail    map[string]error // of an effect, by its first word
	slow    map[string]time.Duration
	power   *power
	stop    string            // the power is cut before this effect
	during  func()            // each effect
	state   map[string]string // what effects made of the world
	answers []Answer          // since the last message
	history []Answer
	again   int // how often the broker was asked for what it retains
	audit   []event.Order
	task    *Task

	mu sync.Mutex // over what a test reads while the task runs: marks, config, answers, effects
}

func newWard(t *testing.T) *ward {
	w := &ward{t: t, clock: &box{wall: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), mono: time.Hour, boot: "boot-1", synced: true},
		power: &power{}, state: make(map[string]string), fail: make(map[string]error),
		life: map[string]bool{"pump": true}, devices: []string{"camera", "printer", "pump"}, keys: make(map[string]ed25519.PrivateKey), seq: 1000}
	w.files, w.room = &files{by: make(map[string][][]byte), power: w.power}, &room{by: make(map[string][]byte), power: w.power}
	for _, name := range []string{"alice", "alice2", "bob", "carol", "dave", "erin", "frank", "gina", "mallory", "root-a", "root-b"} {
		seed := sha256.Sum256([]byte(name))
		w.keys[name] = ed25519.NewKeyFromSeed(seed[:])
	}
	w.root = w.makeRoot(1, nil, "root-a")
	w.start()
	return w
}

// people are the names of the keys that belong to others.
func person(key string) string { return strings.TrimSuffix(key, "2") }

// makeRoot makes a root; but changes it.
func (w *ward) makeRoot(version int, but func(*signed.RootArgs), by ...string) []byte {
	w.t.Helper()
	roles := map[signed.Role][]string{signed.RoleRoot: {"root-a", "root-b"}, signed.RoleCommand: {"alice", "alice2", "bob", "gina"}, signed.RoleClinical: {"carol"},
		signed.RolePolicy: {"dave", "erin"}, signed.RoleConfig: {"dave"}, signed.RoleQuarantine: {"dave"}, signed.RoleDevices: {"dave"}}
	a := signed.RootArgs{V: 1, Version: version, Roles: make(map[signed.Role]signed.Quorum)}
	for name, k := range w.keys {
		if name == "mallory" {
			continue
		}
		public := k.Public().(ed25519.PublicKey)
		a.Keys = append(a.Keys, signed.RootKey{KeyID: signed.KeyID(public), Public: public, Name: person(name)})
	}
	slices.SortFunc(a.Keys, func(x, y signed.RootKey) int { return strings.Compare(x.KeyID, y.KeyID) })
	for role, names := range roles {
		q := signed.Quorum{Threshold: 1}
		for _, n := range names {
			q.KeyIDs = append(q.KeyIDs, signed.KeyID(w.keys[n].Public().(ed25519.PublicKey)))
		}
		slices.Sort(q.KeyIDs)
		a.Roles[role] = q
	}
	p := a.Roles[signed.RolePolicy]
	p.Threshold = 2
	a.Roles[signed.RolePolicy] = p
	if but != nil {
		but(&a)
	}
	st := signed.Statement{V: 1, ID: fmt.Sprintf("root-version-%d", version), Site: "st-mary", Target: []string{"all"}, Seq: uint64(version),
		NotBefore: "2026-01-01T00:00:00Z", Expires: "2036-01-01T00:00:00Z", Root: version - 1, Reason: "keys"}
	return w.sign(st, a, by...)
}

// sign makes the envelope of a statement.
func (w *ward) sign(st signed.Statement, a signed.Args, by ...string) []byte {
	w.t.Helper()
	st, err := st.EncodeArgs(a)
	if err != nil {
		w.t.Fatal(err)
	}
	var keys []ed25519.PrivateKey
	for _, n := range by {
		keys = append(keys, w.keys[n])
	}
	e, err := signed.Sign(st, keys...)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := e.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// next is a statement for this gateway, good for the next half hour.
func (w *ward) next() signed.Statement {
	w.seq++
	return signed.Statement{V: 1, ID: fmt.Sprintf("statement-%d", w.seq), Site: "st-mary", Target: []string{"gw-7b"}, Seq: w.seq,
		NotBefore: w.clock.wall.Format(signed.TimeFormat), Expires: w.clock.wall.Add(30 * time.Minute).Format(signed.TimeFormat), Root: w.task.root.Version(), Reason: "because"}
}

// clockless is the statement for a gateway that knows no time.
func (w *ward) clockless(d time.Duration) signed.Statement {
	st := w.next()
	st.BootID, st.DeadlineMS = w.clock.boot, (w.clock.mono + d).Milliseconds()
	return st
}

func topic(payload []byte) string {
	e, _ := signed.Parse(payload)
	st, _ := signed.ParseStatement(e.Payload)
	if st.Kind == signed.KindCommand {
		return "cmd/" + st.ID
	}
	return "desired/" + string(st.Kind)
}

// start starts the agent, as after a kill.
func (w *ward) start() {
	w.task = New(Options{Site: "st-mary", Gateway: "gw-7b", Groups: []string{"icu"}, Root: w.root, Keep: w.files, Room: w.room, Fence: w, Devices: w, Box: w, Config: w,
		Answers: w, Codes: w, Valid: func(signed.Kind, string) error { return w.valid }, Class: class, Clock: clock.New(w.clock, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		Board: &w.board, Events: w, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

func class(r device.Role) (device.SafetyClass, bool) {
	c, ok := map[device.Role]device.SafetyClass{"infusion-pump-lvp": device.LifeSustaining, "printer": device.Support, "camera": device.Other}[r]
	return c, ok
}

// restart starts the agent and has it do what was left.
func (w *ward) restart() {
	w.start()
	w.task.resumeTrial(context.Background())
	w.task.resume(context.Background())
	w.task.pass(context.Background(), true)
}

// obey hands a message over and says what became of it: final state and reason.
func (w *ward) obey(payload []byte) string { return w.obeyOn(topic(payload), payload, false) }

func (w *ward) obeyOn(topic string, payload []byte, retained bool) string {
	w.answers = nil
	w.task.handle(context.Background(), Inbound{Topic: topic, Retained: retained, Payload: payload})
	return w.last()
}

func (w *ward) last() string {
	if len(w.answers) == 0 {
		return "silence"
	}
	a := w.answers[len(w.answers)-1]
	return strings.TrimSpace(string(a.State) + " " + a.Reason)
}

// done are the effects since the last call.
func (w *ward) done() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := strings.Join(w.effects, "; ")
	w.effects = nil
	return out
}

func (w *ward) effect(format string, args ...any) error {
	e := fmt.Sprintf(format, args...)
	w.power.point()
	defer w.power.point()
	word, rest, _ := strings.Cut(e, " ")
	if w.stop == word {
		panic(errPower)
	}
	time.Sleep(w.slow[word])
	if w.during != nil {
		w.during()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.effects = append(w.effects, e)
	if err := w.fail[word]; err != nil {
		return err
	}
	what, how, _ := strings.Cut(rest, " ")
	switch word {
	case "quarantine":
		w.state["quarantine "+what] = how
	case "release":
		delete(w.state, "quarantine "+what)
	case "explain", "diagnostics":
	default:
		w.state[word] = rest
	}
	return nil
}

func (w *ward) Quarantine(_ context.Context, o Order) error {
	more := ""
	if o.Interlock {
		more = " interlock"
	}
	return w.effect("quarantine %s %v by %s%s", o.Device, o.For, o.Owner, more)
}

func (w *ward) Release(_ context.Context, id device.ID, who string, undone bool) error {
	if undone {
		who += " undone"
	}
	return w.effect("release %s by %s", id, who)
}

func (w *ward) Open(_ context.Context, scope, name string, d time.Duration, who string) error {
	return w.effect("open %s %s %v by %s", scope, name, d, who)
}

func (w *ward) Mode(_ context.Context, segment, mode, who string) error {
	return w.effect("mode %s %s by %s", segment, mode, who)
}

func (w *ward) SetPolicy(_ context.Context, toml, who string) error {
	return w.effect("policy %s by %s", toml, who)
}

func (w *ward) Snapshot() *device.Snapshot {
	s := &device.Snapshot{}
	for _, id := range w.devices {
		s.Devices = append(s.Devices, device.Device{ID: device.ID(id)})
	}
	return s
}

func (w *ward) SetMarks(m map[device.ID]device.Marks) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.marks = m
}

func (w *ward) LifeSustaining(id device.ID) (bool, string) {
	return w.life[string(id)] || !slices.Contains(w.devices, string(id)), "a test"
}

func (w *ward) InUse() (bool, string) { return len(w.life) > 0, "pump" }

func (w *ward) Explain(_ context.Context, what signed.Explain) (any, error) {
	return map[string]string{"device": what.Device}, w.effect("explain")
}

func (w *ward) Diagnostics(context.Context) (any, error) {
	return map[string]int{"uptime": 1}, w.effect("diagnostics")
}

func (w *ward) Reboot(context.Context) error { return w.effect("reboot") }

func (w *ward) Apply(_ context.Context, toml string) error {
	if err := w.effect("config %s", toml); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.config = toml
	return nil
}

func (w *ward) InForce(toml string) bool { return w.config == toml }

func (w *ward) Answer(id string, payload []byte) {
	var a Answer
	if err := json.Unmarshal(payload, &a); err != nil || a.ID != id || a.V != 1 {
		w.t.Errorf("answer %s: %s: %v", id, payload, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers, w.history = append(w.answers, a), append(w.history, a)
}

func (w *ward) Again() { w.again++ }

func (w *ward) Use(subject, given string, _ time.Duration) bool {
	ok := w.code != "" && given == w.code+" "+subject
	if ok {
		w.code = ""
	}
	return ok
}

func (w *ward) Emit(e event.Event) {
	o, ok := e.Body.(event.Order)
	if !ok || e.Class != event.Audit {
		w.t.Errorf("event %+v", e)
	}
	w.audit = append(w.audit, o)
}

// forge changes the text of a payload behind its signers' back, and has it
// signed again by key, "" for nobody.
func (w *ward) forge(m []byte, key, old, new string) []byte {
	w.t.Helper()
	e, err := signed.Parse(m)
	if err != nil {
		w.t.Fatal(err)
	}
	e.Payload = bytes.Replace(e.Payload, []byte(old), []byte(new), 1)
	if key != "" {
		e.Signatures = nil
		if e, err = e.Cosign(w.keys[key]); err != nil {
			w.t.Fatal(err)
		}
	}
	out, err := e.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// cosign adds a signature to a message.
func (w *ward) cosign(m []byte, key string) []byte { return w.forgeSignature(m, w.keys[key]) }

func (w *ward) forgeSignature(m []byte, key ed25519.PrivateKey) []byte {
	w.t.Helper()
	e, err := signed.Parse(m)
	if err == nil {
		e, err = e.Cosign(key)
	}
	var out []byte
	if err == nil {
		out, err = e.Encode()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func keyID(w *ward, name string) string {
	return signed.KeyID(w.keys[name].Public().(ed25519.PublicKey))
}
