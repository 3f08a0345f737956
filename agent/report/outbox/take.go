package outbox

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/store"
)

// MaxBatch is the most bytes of a batch, line ends included.
const MaxBatch = 64 << 10

// share is how many batches of alerts and audit records go before one of the
// rest gets its turn.
const share = 7

func isFull(err error) bool { return errors.Is(err, store.ErrFull) }

// Cursor is how far one session has come. A new session starts with a new one,
// and so sends again what the last one sent without an acknowledgement.
type Cursor struct {
	after        [classes]uint64 // handed out up to here
	old          [classes]uint64 // up to here records are older than the session
	urgent, rest int             // turns taken
}

// Cursor starts a session.
func (b *Box) Cursor() *Cursor {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &Cursor{old: b.seq}
}

// Batch is a run of records of one class, and of one kind where the class is
// State.
type Batch struct {
	Class event.Class
	Kind  string // of the first record
	Lines []byte // JSON lines, each with its line end
	Seqs  []uint64
}

// Take hands out the next batch of a session: alerts, then audit records, then
// the rest in turns, which get every eighth batch at least. It reports false
// where there is nothing more for now.
func (b *Box) Take(c *Cursor) (Batch, bool, error) {
	for {
		class, items := b.next(c)
		if len(items) == 0 {
			return Batch{}, false, nil
		}
		batch, err := b.read(c, class, items)
		if err != nil {
			return Batch{}, false, fmt.Errorf("read outbox: %w", err)
		}
		if len(batch.Seqs) > 0 {
			return batch, true, nil
		}
	}
}

// next chooses class and records.
func (b *Box) next(c *Cursor) (event.Class, []item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := []event.Class{event.Alert, event.Audit}
	rest := []event.Class{event.State, event.Ordinary, event.Telemetry}
	rest = append(rest[c.rest%3:], rest[:c.rest%3]...)
	order := append(first, rest...)
	if c.urgent >= share {
		order = append(rest, event.Alert, event.Audit)
	}
	for _, class := range order {
		items := b.shelves[class].after(c.after[class], MaxBatch)
		if len(items) == 0 {
			continue
		}
		if class == event.Alert || class == event.Audit {
			c.urgent++
		} else {
			c.urgent = 0
			c.rest++
		}
		return class, items
	}
	return 0, nil
}

// read gets the lines. A record that was evicted meanwhile is left out, a
// damaged one is counted and thrown away.
func (b *Box) read(c *Cursor, class event.Class, items []item) (Batch, error) {
	batch := Batch{Class: class}
	var bad []uint64
	var lines bytes.Buffer
	err := b.store.View(func(tx *store.Tx) error {
		for _, it := range items {
			v, err := tx.Get(bucket(class), seqKey(it.seq))
			_, kind, line, uerr := unpack(v)
			switch {
			case errors.Is(err, store.ErrDamaged), err == nil && v != nil && uerr != nil:
				bad = append(bad, it.seq)
				c.after[class] = it.seq
				continue
			case err != nil:
				return err
			case v == nil:
				c.after[class] = it.seq
				continue
			case len(batch.Seqs) > 0 && (lines.Len()+len(line)+1 > MaxBatch || class == event.State && kind != batch.Kind):
				return nil
			}
			if it.seq <= c.old[class] {
				line = event.Late(line)
			}
			if len(batch.Seqs) == 0 {
				batch.Kind = kind
			}
			lines.Write(line)
			lines.WriteByte('\n')
			batch.Seqs = append(batch.Seqs, it.seq)
			c.after[class] = it.seq
		}
		return nil
	})
	if err != nil {
		return Batch{}, err
	}
	b.drop(class, bad)
	b.mu.Lock()
	b.damaged += uint64(len(bad))
	b.mu.Unlock()
	batch.Lines = lines.Bytes()
	return batch, nil
}

// Ack says that the records of a batch are in other hands. They are deleted
// with the next commit, in five seconds at most: until then a crash sends them
// twice, never not at all.
func (b *Box) Ack(batch Batch) {
	b.drop(batch.Class, batch.Seqs)
	b.mu.Lock()
	ended := b.ended
	b.mu.Unlock()
	if ended {
		b.flush() // nobody else will; where it fails the records are sent twice
	}
}

func (b *Box) drop(class event.Class, seqs []uint64) {
	if len(seqs) == 0 {
		return
	}
	b.mu.Lock()
	for _, seq := range seqs {
		if size := b.shelves[class].remove(seq); size > 0 {
			b.done = append(b.done, ref{class, seq, size})
		}
	}
	b.mu.Unlock()
	wake(b.acked)
}
