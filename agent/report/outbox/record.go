package outbox

import (
	"bytes"
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
	record []byte
	unfit  error // it can never be sealed
}

// seal encodes the entry under a sequence number, unless it is already.
func (e *entry) seal(opt Options, seq uint64) error {
	if e.seq == seq || e.unfit != nil {
		return e.unfit
	}
	e.unfit = e.encode(opt, seq)
	return e.unfit
}

func (e *entry) encode(opt Options, seq uint64) error {
	env, err := event.Seal(e.ev, opt.Site, opt.Gateway, opt.Epoch, seq)
	if err != nil {
		return err
	}
	line, err := json.Marshal(env)
	if err != nil {
		return fmt.Errorf("encode %s event: %w", env.Kind, err)
	}
	if len(line) > MaxRecord {
		return fmt.Errorf("encode %s event: %d bytes, at most %d", env.Kind, len(line), MaxRecord)
	}
	e.seq, e.record = seq, pack(e.ev.Key, env.Kind, line)
	return nil
}

// historical turns the flag of an encoded envelope on. The text can only be the
// field: inside a JSON string its quotes would be escaped.
func historical(line []byte) []byte {
	const off, on = `"historical":false,"body":`, `"historical":true,"body":`
	return bytes.Replace(line, []byte(off), []byte(on), 1)
}
