package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/store"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// note is an event's body of any length.
type note struct {
	N    int    `json:"n"`
	Fill string `json:"fill,omitempty"`
	kind string
}

// odd is a body that JSON has no words for.
type odd struct{ Score float64 }

func (odd) Kind() string { return "odd" }

func (n note) Kind() string {
	if n.kind == "" {
		return "note"
	}
	return n.kind
}

func ev(c event.Class, n int) event.Event {
	return event.Event{Class: c, Body: note{N: n}, At: clock.Stamp{Wall: time.Unix(1e9, 0), Mono: time.Second, BootID: "boot", Quality: clock.NTP}}
}

func state(key, kind string, n int) event.Event {
	e := ev(event.State, n)
	e.Key, e.Body = key, note{N: n, kind: kind}
	return e
}

func newStore(t testing.TB, path string, size int64) *store.Store {
	t.Helper()
	s, o, err := store.Open(context.Background(), store.Options{Path: path, Size: size})
	if err != nil {
		t.Fatal(err)
	}
	if o.RAM {
		t.Fatal(o.Reason)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newBox(t testing.TB, s *store.Store, max int64) (*Box, *Queue) {
	t.Helper()
	q := NewQueue(4096)
	b, err := Open(s, q, Options{Site: "st-mary", Gateway: "gw1", Epoch: "e1", MaxBytes: max, Clock: clock.New(fake.New().Clock, time.Time{}), Board: &health.Board{}})
	if err != nil {
		t.Fatal(err)
	}
	return b, q
}

func flush(t testing.TB, b *Box) {
	t.Helper()
	if err := b.flush(); err != nil {
		t.Fatal(err)
	}
}

// take drains a cursor into "class:seq,seq,…" of each batch.
func take(t *testing.T, b *Box, c *Cursor) (out []string, batches []Batch) {
	t.Helper()
	for {
		batch, ok, err := b.Take(c)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out, batches
		}
		out = append(out, fmt.Sprintf("%s:%s", batch.Class, strings.Trim(strings.ReplaceAll(fmt.Sprint(batch.Seqs), " ", ","), "[]")))
		batches = append(batches, batch)
	}
}

func envelopes(t *testing.T, b Batch) []event.Envelope {
	t.Helper()
	var out []event.Envelope
	for _, l := range bytes.Split(bytes.TrimSuffix(b.Lines, []byte("\n")), []byte("\n")) {
		var e event.Envelope
		if err := json.Unmarshal(l, &e); err != nil {
			t.Fatalf("line %q: %v", l, err)
		}
		out = append(out, e)
	}
	return out
}

func TestEnvelopeAndRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := newStore(t, path, 1<<20)
	b, q := newBox(t, s, 1<<19)
	q.Emit(ev(event.Alert, 1))
	q.Emit(ev(event.Ordinary, 2))
	flush(t, b)
	c := b.Cursor() // a session that begins now: what is there is older
	q.Emit(ev(event.Alert, 3))
	flush(t, b)
	_, batches := take(t, b, c)
	want := []event.Envelope{
		{V: 1, Site: "st-mary", GW: "gw1", Epoch: "e1", Class: "alert", Seq: 1, Kind: "note", BootID: "boot", MonoMS: 1000,
			Time: "2001-09-09T01:46:40.000Z", TimeQuality: "ntp", Historical: true, Body: json.RawMessage(`{"n":1}`)},
		{V: 1, Site: "st-mary", GW: "gw1", Epoch: "e1", Class: "alert", Seq: 2, Kind: "note", BootID: "boot", MonoMS: 1000,
			Time: "2001-09-09T01:46:40.000Z", TimeQuality: "ntp", Body: json.RawMessage(`{"n":3}`)},
	}
	if diff := cmp.Diff(want, envelopes(t, batches[0])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.Ack(batches[0])
	flush(t, b)
	s.Close()

	s = newStore(t, path, 1<<20)
	b, q = newBox(t, s, 1<<19)
	got, _ := take(t, b, b.Cursor())
	if diff := cmp.Diff([]string{"event:1"}, got); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
	q.Emit(ev(event.Alert, 4)) // all alerts are gone; the number goes on
	flush(t, b)
	if diff := cmp.Diff(map[string]uint64{"alert": 3, "event": 1}, b.Stats().Seq); diff != "" {
		t.Errorf("seq (-want +got):\n%s", diff)
	}
}

func TestStateIsLastValuePerKey(t *testing.T) {
	b, q := newBox(t, newStore(t, filepath.Join(t.TempDir(), "db"), 1<<20), 1<<19)
	q.Emit(state("inventory/a", "inventory", 1))
	q.Emit(state("inventory/a", "inventory", 2)) // replaces in the queue
	q.Emit(state("inventory/b", "inventory", 3))
	q.Emit(state("health", "health", 4))
	flush(t, b)
	c := b.Cursor()
	_, first := take(t, b, c)
	q.Emit(state("inventory/b", "inventory", 5)) // replaces on disk
	flush(t, b)
	b.Ack(first[0]) // of a and the old b: the new b stays
	flush(t, b)
	_, second := take(t, b, c)
	_, again := take(t, b, b.Cursor())
	show := func(bs []Batch) (out []string) {
		for _, b := range bs {
			for _, e := range envelopes(t, b) {
				out = append(out, fmt.Sprintf("%s %d %s", b.Kind, e.Seq, e.Body))
			}
		}
		return out
	}
	want := [][]string{
		{`inventory 1 {"n":2}`, `inventory 2 {"n":3}`, `health 3 {"n":4}`},
		{`inventory 4 {"n":5}`},
		{`health 3 {"n":4}`, `inventory 4 {"n":5}`},
	}
	if diff := cmp.Diff(want, [][]string{show(first), show(second), show(again)}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := b.Stats().Pending["state"]; p != 2 {
		t.Errorf("%d pending", p)
	}
}

func TestOrderAndShare(t *testing.T) {
	b, q := newBox(t, newStore(t, filepath.Join(t.TempDir(), "db"), 4<<20), 2<<20)
	big := strings.Repeat("x", 50000) // one record a batch
	for i := range 9 {
		e := ev(event.Alert, i)
		e.Body = note{Fill: big}
		q.Emit(e)
	}
	for range 2 {
		for _, c := range []event.Class{event.Telemetry, event.Ordinary, event.Audit} {
			e := ev(c, 0)
			e.Body = note{Fill: big}
			q.Emit(e)
		}
	}
	q.Emit(state("health", "health", 1))
	flush(t, b)
	got, _ := take(t, b, b.Cursor())
	want := []string{"alert:1", "alert:2", "alert:3", "alert:4", "alert:5", "alert:6", "alert:7", "state:1",
		"alert:8", "alert:9", "audit:1", "audit:2", "event:1", "telemetry:1", "event:2", "telemetry:2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestByteCapEvictsLowestOldest(t *testing.T) {
	b, q := newBox(t, newStore(t, filepath.Join(t.TempDir(), "db"), 2<<20), 64<<10)
	emit := func(c event.Class, n int) {
		for i := range n {
			e := ev(c, i)
			e.Body = note{N: i, Fill: strings.Repeat("x", 800)} // about 1 KiB a record
			q.Emit(e)
		}
		flush(t, b)
		if st := b.Stats(); st.Bytes > 64<<10 {
			t.Fatalf("%d bytes after %s", st.Bytes, c)
		}
	}
	emit(event.Telemetry, 100)
	emit(event.Ordinary, 30)
	emit(event.Alert, 60)
	st := b.Stats()
	total := uint64(0)
	for _, c := range []string{"telemetry", "event", "alert"} {
		if st.Pending[c]+st.Evicted[c] != st.Seq[c] {
			t.Errorf("%s: %d pending + %d evicted, %d committed", c, st.Pending[c], st.Evicted[c], st.Seq[c])
		}
		total += st.Pending[c]
	}
	if st.Seq["alert"] != 60 || st.Pending["alert"] != 60 || st.Pending["telemetry"] != 0 || total < 55 {
		t.Errorf("%+v", st)
	}
	// What is less important than all that is there does not get in, and leaves
	// no hole in the numbers.
	before := st.Seq["telemetry"]
	emit(event.Alert, 10)
	emit(event.Telemetry, 5)
	if st = b.Stats(); st.Seq["telemetry"] != before || st.Evicted["telemetry"] != before+5 {
		t.Errorf("%+v", st)
	}
	seqs := []uint64{}
	_, batches := take(t, b, b.Cursor())
	for _, ba := range batches {
		if ba.Class == event.Alert {
			seqs = append(seqs, ba.Seqs...)
		}
	}
	for i, s := range seqs {
		if s != 70-uint64(len(seqs))+1+uint64(i) {
			t.Fatalf("alerts %v are not the newest in a row", seqs)
		}
	}
}

func TestFullStoreEvictsAndGoesOn(t *testing.T) {
	s := newStore(t, filepath.Join(t.TempDir(), "db"), 512<<10)
	b, q := newBox(t, s, 1<<30) // the cap is no help: the file is
	for i := range 3000 {
		e := ev(event.Telemetry, i)
		e.Body = note{N: i, Fill: strings.Repeat("x", 300)}
		q.Emit(e)
		if i%40 == 39 {
			flush(t, b)
		}
	}
	q.Emit(ev(event.Alert, 1))
	flush(t, b)
	st := b.Stats()
	if st.Seq["telemetry"] != 3000 || st.Seq["alert"] != 1 || st.Stuck || st.Pending["telemetry"]+st.Evicted["telemetry"] != 3000 || st.Pending["telemetry"] < 100 {
		t.Errorf("%+v", st)
	}

	// Others fill the file with what the outbox may not touch: events wait in
	// memory, the important ones longest, and go on when there is room.
	_, batches := take(t, b, b.Cursor())
	for _, ba := range batches {
		b.Ack(ba)
	}
	flush(t, b)
	n := 0
	for ; s.Room("other").Save(map[string][]byte{fmt.Sprint(n): make([]byte, 2000)}) == nil; n++ {
	}
	for i := range 2 * group {
		e := ev(event.Ordinary, i)
		e.Body = note{Fill: strings.Repeat("x", 3000)}
		q.Emit(e)
		if i == group {
			flush(t, b)
		}
	}
	q.Emit(ev(event.Alert, 2))
	flush(t, b)
	flush(t, b)
	if st := b.Stats(); !st.Stuck {
		t.Errorf("%+v", st)
	}
	for i := range n {
		s.Room("other").Save(map[string][]byte{fmt.Sprint(i): nil})
	}
	flush(t, b)
	if st := b.Stats(); st.Stuck || st.Seq["alert"] != 2 || st.Pending["alert"] != 1 || st.Queued != 0 {
		t.Errorf("room again: %+v", st)
	}
}

func TestDamagedRecordIsSkipped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := newStore(t, path, 256<<10)
	b, q := newBox(t, s, 1<<17)
	for i := range 3 {
		q.Emit(ev(event.Alert, 7700+i))
	}
	flush(t, b)
	s.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(path, bytes.ReplaceAll(data, []byte(`{"n":7701}`), []byte(`{"n":7709}`)), 0o600)
	b, _ = newBox(t, newStore(t, path, 256<<10), 1<<17)
	got, _ := take(t, b, b.Cursor())
	if diff := cmp.Diff([]string{"alert:1,3"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	flush(t, b)
	if st := b.Stats(); st.Damaged != 1 || st.Pending["alert"] != 2 || st.Seq["alert"] != 3 {
		t.Errorf("%+v", st)
	}
}

func TestUnfitEvents(t *testing.T) {
	b, q := newBox(t, newStore(t, filepath.Join(t.TempDir(), "db"), 1<<20), 1<<19)
	long := ev(event.Alert, 1)
	long.Body = note{Fill: strings.Repeat("x", MaxBatch)}
	q.Emit(long)
	q.Emit(ev(event.Alert, 2))
	q.Emit(event.Event{Class: event.Alert})
	q.Emit(event.Event{Body: note{}})
	q.Emit(event.Event{Class: event.Alert, Body: odd{math.NaN()}})
	flush(t, b)
	if st := b.Stats(); st.Refused != 4 || st.Seq["alert"] != 1 {
		t.Errorf("%+v", st)
	}
	want := fmt.Sprintf("encode note event: %d bytes, at most 65535", len(`{"v":1,"site":"st-mary","gw":"gw1","epoch":"e1","class":"alert","seq":1,"kind":"note","boot_id":"boot","mono_ms":1000,"time":"2001-09-09T01:46:40.000Z","time_quality":"ntp","historical":false,"body":{"n":1,"fill":""}}`)+MaxBatch-1+1)
	e := entry{ev: long}
	e.ev.Body = note{N: 1, Fill: strings.Repeat("x", MaxBatch)}
	if err := e.seal(b.opt, 1, ""); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Alerts commit at once, the rest after five seconds or 256 records.
func TestGroupCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := newStore(t, path, 1<<20)
	synctest.Test(t, func(t *testing.T) {
		b, q := newBox(t, s, 1<<19)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		<-b.Ready()
		check := func(when string, want map[string]uint64) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(want, b.Stats().Seq); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		q.Emit(ev(event.Telemetry, 1))
		time.Sleep(4900 * time.Millisecond)
		check("before 5 s", map[string]uint64{})
		time.Sleep(200 * time.Millisecond)
		check("after 5 s", map[string]uint64{"telemetry": 1})
		<-b.Changed()
		q.Emit(ev(event.Ordinary, 2))
		q.Emit(ev(event.Audit, 3))
		check("audit", map[string]uint64{"telemetry": 1, "event": 1, "audit": 1})
		for i := range group {
			q.Emit(ev(event.Telemetry, i))
		}
		check("a full group", map[string]uint64{"telemetry": 257, "event": 1, "audit": 1})
		c := b.Cursor()
		_, batches := take(t, b, c)
		b.Ack(batches[0])
		time.Sleep(5100 * time.Millisecond)
		synctest.Wait()
		b.mu.Lock()
		left := len(b.done)
		b.mu.Unlock()
		if left != 0 {
			t.Errorf("%d acknowledged records are still on disk after 5 s", left)
		}
		q.Emit(ev(event.Telemetry, 9))
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for range b.Changed() { // ends: it is closed
		}
		if n := b.Stats().Seq["telemetry"]; n != 258 {
			t.Errorf("the end left %d", n)
		}
		b.Ack(batches[1]) // after the end it deletes itself
		if p := b.Stats().Pending[batches[1].Class.String()]; p != 0 {
			t.Errorf("%d pending", p)
		}
	})
}

// Who says that records are in other hands waits for no commit: a flash that takes
// long for many of them must not make the uplink look hung.
func TestAckWaitsForNoCommit(t *testing.T) {
	s := newStore(t, filepath.Join(t.TempDir(), "db"), 1<<20)
	b, q := newBox(t, s, 1<<19)
	q.Emit(ev(event.Alert, 1))
	flush(t, b)
	_, batches := take(t, b, b.Cursor())
	q.Emit(ev(event.Alert, 2))
	slow, began, flushed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_ = s.Update(func(*store.Tx) error { close(began); <-slow; return nil }) // it cannot fail
	}()
	<-began
	go func() { flushed <- b.flush() }()
	for b.commit.TryLock() { // until that has it
		b.commit.Unlock()
	}
	acked := make(chan struct{})
	go func() { b.Ack(batches[0]); close(acked) }()
	select {
	case <-acked:
	case <-time.After(10 * time.Second):
		t.Error("it waits")
	}
	close(slow)
	<-acked
	if err := <-flushed; err != nil {
		t.Error(err)
	}
}

func TestRunEndsWhenTheStoreIsBroken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := newStore(t, path, 256<<10)
	b, q := newBox(t, s, 1<<17)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	q.Emit(ev(event.Alert, 1))
	err := b.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), store.ErrUnknown.Error()) {
		t.Errorf("Run: %v", err)
	}
	if n := b.Stats().Seq["alert"]; n != 0 {
		t.Errorf("seq %d", n)
	}
}
