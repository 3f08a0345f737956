package outbox

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/store"
)

// audits reads the audit lines that are on the disk, by number.
func audits(t *testing.T, b *Box) map[uint64][]byte {
	t.Helper()
	out := make(map[uint64][]byte)
	_, batches := take(t, b, b.Cursor())
	for _, ba := range batches {
		if ba.Class != event.Audit {
			continue
		}
		for i, l := range bytes.Split(bytes.TrimSuffix(ba.Lines, []byte("\n")), []byte("\n")) {
			out[ba.Seqs[i]] = l
		}
	}
	return out
}

// unbroken checks first…last: each follows the one before, as a collector would
// see it.
func unbroken(t *testing.T, lines map[uint64][]byte, first, last uint64) {
	t.Helper()
	for seq := first; seq <= last; seq++ {
		l, ok := lines[seq]
		if !ok {
			t.Fatalf("record %d is missing", seq)
		}
		want := event.ZeroPrev
		if before, ok := lines[seq-1]; ok {
			want = event.Chain(event.Committed(before))
		} else if seq != 1 {
			continue
		}
		if !bytes.Contains(l, []byte(`"prev":"`+want+`"`)) {
			t.Errorf("record %d does not follow the one before: %s", seq, l)
		}
	}
}

// Each audit record names the one before it: across other classes, commits,
// sessions, acknowledgements and restarts. No other class is chained.
func TestAuditChain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := newStore(t, path, 1<<20)
	b, q := newBox(t, s, 1<<19)
	all := make(map[uint64][]byte)
	n := 0
	emit := func(count int) {
		for range count {
			q.Emit(ev(event.Audit, n))
			q.Emit(ev(event.Alert, n))
			n++
		}
		flush(t, b)
	}
	gather := func(ack bool) {
		_, batches := take(t, b, b.Cursor())
		for seq, l := range audits(t, b) {
			all[seq] = l
		}
		for _, ba := range batches {
			if ba.Class != event.Audit && bytes.Contains(ba.Lines, []byte(`"prev"`)) {
				t.Errorf("%s is chained", ba.Class)
			}
			if ack {
				b.Ack(ba)
			}
		}
		flush(t, b)
	}
	emit(3)
	emit(2)
	gather(true) // nothing is left on the disk but the counters
	emit(1)
	gather(false)
	s.Close()
	s = newStore(t, path, 1<<20)
	b, q = newBox(t, s, 1<<19)
	emit(2)
	gather(true)
	s.Close()
	s = newStore(t, path, 1<<20)
	b, q = newBox(t, s, 1<<19)
	long := ev(event.Audit, 0)
	long.Body = note{Fill: strings.Repeat("x", MaxBatch)}
	q.Emit(long) // can never be sealed: neither a number nor a link is spent
	emit(1)
	gather(false)
	unbroken(t, all, 1, 9)
	if len(all) != 9 {
		t.Errorf("%d records", len(all))
	}
}

// Under the byte cap the oldest audit records go; the rest is a chain still,
// and goes on. So it is where the file itself is full.
func TestAuditChainOutlivesEviction(t *testing.T) {
	for name, max := range map[string]int64{"cap": 64 << 10, "file": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "db")
			s := newStore(t, path, 512<<10)
			b, q := newBox(t, s, max)
			for i := range 1500 {
				e := ev(event.Audit, i)
				e.Body = note{N: i, Fill: strings.Repeat("x", 700)}
				q.Emit(e)
				if i%60 == 59 {
					flush(t, b)
				}
			}
			flush(t, b)
			st := b.Stats()
			if st.Evicted["audit"] == 0 || st.Seq["audit"] != 1500 {
				t.Fatalf("%+v", st)
			}
			lines := audits(t, b)
			unbroken(t, lines, 1500-st.Pending["audit"]+1, 1500)
			s.Close()
			b, q = newBox(t, newStore(t, path, 512<<10), max)
			q.Emit(ev(event.Audit, 1500))
			flush(t, b)
			unbroken(t, audits(t, b), 1500, 1501)
		})
	}
}

// An agent that is killed at any moment leaves a chain that goes on.
func TestAuditChainOutlivesKill(t *testing.T) {
	const childOf = "WARDKEEPER_TEST_OUTBOX"
	if path := os.Getenv(childOf); path != "" {
		b, q := newBox(t, newStore(t, path, 1<<20), 128<<10)
		fmt.Println("at work")
		for i := 0; ; i++ {
			for range i%5 + 1 {
				q.Emit(ev(event.Audit, i))
				q.Emit(ev(event.Telemetry, i))
			}
			flush(t, b)
		}
	}
	path := filepath.Join(t.TempDir(), "db")
	last := uint64(0)
	for round := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestAuditChainOutlivesKill$")
		cmd.Env = append(os.Environ(), childOf+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 7))
		time.Sleep(time.Duration(20+13*round) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		s := newStore(t, path, 1<<20)
		b, q := newBox(t, s, 128<<10)
		q.Emit(ev(event.Audit, -1))
		flush(t, b)
		st := b.Stats()
		if st.Seq["audit"] <= last {
			t.Fatalf("round %d: nothing was committed", round)
		}
		last = st.Seq["audit"]
		unbroken(t, audits(t, b), last-st.Pending["audit"]+1, last)
		s.Close()
	}
	t.Logf("%d audit records, killed 8 times", last)
}

// A chain that cannot be read is no chain: the store counts as damaged.
func TestAuditChainDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := newStore(t, path, 256<<10)
	b, q := newBox(t, s, 1<<17)
	q.Emit(ev(event.Audit, 1))
	flush(t, b)
	chain := []byte(b.chain)
	s.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(path, bytes.ReplaceAll(data, chain, bytes.Repeat([]byte("0"), len(chain))), 0o600)
	s, o, err := store.Open(t.Context(), store.Options{Path: path, Size: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !o.Reset {
		t.Error("a damaged chain was taken")
	}
}
