package outbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/store"
)

// Options of a Box.
type Options struct {
	Site, Gateway, Epoch string // of every envelope; Epoch as store.Opened tells it
	MaxBytes             int64  // of all records on disk; the store takes up to 1.43 times as much
	Clock                *clock.Clock
	Board                *health.Board // for the heartbeat
	Log                  *slog.Logger
}

// Box is the durable queue. All its methods are safe for concurrent use; it is
// a Task.
type Box struct {
	opt     Options
	store   *store.Store
	queue   *Queue
	ready   chan struct{}
	changed chan struct{} // closed when Run has ended
	acked   chan struct{} // something is to be deleted

	commit sync.Mutex // held during a commit; before mu
	held   []*entry   // commit; taken from the queue, not yet on disk

	mu      sync.Mutex
	ended   bool // mu; Run makes its last commit, or is over
	shelves [classes]*shelf
	seq     [classes]uint64 // highest committed
	evicted [classes]uint64 // lost to the byte cap or a full disk, since the epoch began
	chain   string          // what the next audit record follows
	done    []ref           // acked or damaged, still on disk
	bytes   int64           // of all shelves and of done
	damaged uint64          // records that could not be read back
	refused uint64          // events that could not be encoded or were too long
	stuck   bool            // the last commit found no room at all
}

// ref names a record on disk.
type ref struct {
	class event.Class
	seq   uint64
	size  int
}

// Open reads what an earlier run has left. The error wraps store.ErrUnknown, or
// store.ErrDamaged where a counter is: then only a new epoch would be right,
// and the preflight of the next start gives one.
func Open(s *store.Store, q *Queue, opt Options) (*Box, error) {
	b := &Box{opt: opt, store: s, queue: q,
		ready: make(chan struct{}), changed: make(chan struct{}, 1), acked: make(chan struct{}, 1)}
	err := s.View(func(tx *store.Tx) error {
		for _, c := range event.Classes() {
			b.shelves[c] = newShelf()
			for _, n := range []struct {
				to   *uint64
				name string
			}{{&b.seq[c], "seq"}, {&b.evicted[c], "evicted"}} {
				v, err := tx.Get(store.Vital, counterKey(n.name, c))
				if err != nil {
					return err
				}
				if len(v) == 8 {
					*n.to = binary.BigEndian.Uint64(v)
				}
			}
			b.load(tx, c)
		}
		chain, err := tx.Get(store.Vital, []byte(chainKey))
		if b.chain = string(chain); b.chain == "" {
			b.chain = event.ZeroPrev
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	return b, nil
}

// chainKey is what the next audit record follows, in the vital bucket.
const chainKey = "outbox.chain"

func counterKey(name string, c event.Class) []byte {
	return []byte("outbox." + name + "." + c.String())
}

// load indexes the records of one class.
func (b *Box) load(tx *store.Tx, c event.Class) {
	tx.Each(bucket(c), nil, func(k, v []byte, err error) bool {
		if len(k) != 8 {
			return true // not ours; it does no harm
		}
		seq, size := binary.BigEndian.Uint64(k), len(k)+len(v)
		key, _, _, uerr := unpack(v)
		b.bytes += int64(size)
		if errors.Join(err, uerr) != nil {
			b.damaged++
			b.done = append(b.done, ref{c, seq, size})
			return true
		}
		if old, ok := b.shelves[c].byKey[key]; ok && c == event.State {
			b.done = append(b.done, ref{c, old, b.shelves[c].remove(old)})
		}
		b.shelves[c].add(seq, size, key)
		// A sound record of a number that the counter has not reached cannot
		// be, both change in one transaction; still, no number runs twice.
		b.seq[c] = max(b.seq[c], seq)
		return true
	})
}

// String names the task.
func (b *Box) String() string { return "outbox" }

// Ready is closed once Run takes events.
func (b *Box) Ready() <-chan struct{} { return b.ready }

// Changed has a value after new records were committed; it is closed when Run
// has ended, after its last commit. It has one reader.
func (b *Box) Changed() <-chan struct{} { return b.changed }

// Stats is the outbox at one moment.
type Stats struct {
	Seq     map[string]uint64 // highest committed, by class
	Pending map[string]uint64 // on disk and not acknowledged, by class
	Evicted map[string]uint64 // lost to the byte cap or a full disk, by class
	Lost    map[string]uint64 // let go by the queue in memory, by class
	Bytes   int64             // on disk
	Queued  int               // in memory
	Damaged uint64            // records that could not be read back
	Refused uint64            // events that could not be encoded, were too long or had no class
	Stuck   bool              // there is no room, and nothing that may be evicted
}

// Stats tells how it stands.
func (b *Box) Stats() Stats {
	lost, odd := b.queue.Lost()
	b.mu.Lock()
	defer b.mu.Unlock()
	var pending [classes]uint64
	for _, c := range event.Classes() {
		pending[c] = uint64(b.shelves[c].len())
	}
	return Stats{Seq: named(b.seq), Pending: named(pending), Evicted: named(b.evicted), Lost: lost, Bytes: b.bytes,
		Queued: b.queue.Len(), Damaged: b.damaged, Refused: b.refused + odd, Stuck: b.stuck}
}
