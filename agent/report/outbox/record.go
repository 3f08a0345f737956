package outbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

// MaxRecord is the longest envelope that is kept: one must fit into a batch.
const MaxRecord = MaxBatch - 1

// A record in the store is key and kind, each with a length byte (uvarint), and
// the envelope as one JSON line. Records lie in the bucket of their class under
// their sequence number, big endian, so that the oldest comes first.
func pack(key, kind string, line []byte) []byte {
	b := make([]byte, 0, len(key)+len(kind)+len(line)+4)
	b = binary.AppendUvarint(b, uint64(len(key)))
	b = append(b, key...)
	b = binary.AppendUvarint(b, uint64(len(kind)))
	b = append(b, kind...)
	return append(b, line...)
}

// unpack borrows the line from b.
func unpack(b []byte) (key, kind string, line []byte, err error) {
	cut := func() string {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			err = errors.New("outbox record is too short")
			b = nil
			return ""
		}
		s := string(b[w : w+int(n)])
		b = b[w+int(n):]
		return s
	}
	key = cut()
	if err == nil {
		kind = cut()
	}
	return key, kind, b, err
}

func bucket(c event.Class) string { return "outbox." + c.String() }

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// entry is an event on its way to the disk.
type entry struct {
	ev     event.Event
	seq    uint64 // that record was sealed with; 0: not sealed
	prev   string // that it was sealed with, of an audit record
	record []byte
	chain  string // what the next audit record follows
	unfit  error  // it can never be sealed
}

// seal encodes the entry under a sequence number, behind the audit record prev,
// unless it is already.
func (e *entry) seal(opt Options, seq uint64, prev string) error {
	if e.ev.Class != event.Audit {
		prev = ""
	}
	if e.seq == seq && e.prev == prev || e.unfit != nil {
		return e.unfit
	}
	e.unfit = e.encode(opt, seq, prev)
	return e.unfit
}

func (e *entry) encode(opt Options, seq uint64, prev string) error {
	env, err := event.Seal(e.ev, opt.Site, opt.Gateway, opt.Epoch, seq)
	if err != nil {
		return err
	}
	env.Prev = prev
	line, err := json.Marshal(env)
	if err != nil {
		return fmt.Errorf("encode %s event: %w", env.Kind, err)
	}
	if len(line) > MaxRecord {
		return fmt.Errorf("encode %s event: %d bytes, at most %d", env.Kind, len(line), MaxRecord)
	}
	e.seq, e.prev, e.record = seq, prev, pack(e.ev.Key, env.Kind, line)
	if e.ev.Class == event.Audit {
		e.chain = event.Chain(line)
	}
	return nil
}
