package collect

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Event is the envelope of one event, as far as a collector needs it.
type Event struct {
	V     int             `json:"v"`
	Site  string          `json:"site"`
	GW    string          `json:"gw"`
	Epoch string          `json:"epoch"`
	Class string          `json:"class"`
	Seq   uint64          `json:"seq"`
	Kind  string          `json:"kind"`
	Body  json.RawMessage `json:"body"`
}

// State is the retained message of a gateway.
type State struct {
	Online bool              `json:"online"`
	Epoch  string            `json:"epoch"`
	Policy int               `json:"policy"`
	Seq    map[string]uint64 `json:"seq"` // highest committed, by class
}

// Inventory is what the lab reads of an inventory record.
type Inventory struct {
	Device   string   `json:"device"`
	MAC      string   `json:"mac"`
	Port     string   `json:"port"`
	IPs      []string `json:"ips"`
	Segment  string   `json:"segment"`
	Mode     string   `json:"mode"`
	Identity struct {
		Role       string `json:"role"`
		Confidence string `json:"confidence"`
	} `json:"identity"`
}

// Deny is what the lab reads of a deny event.
type Deny struct {
	Device    string `json:"device"`
	Peer      string `json:"peer"`
	PeerMAC   string `json:"peer_mac"`
	Service   string `json:"service"`
	Direction string `json:"direction"`
	Verdict   string `json:"verdict"`
	Port      string `json:"port"`
}

// Limits of a batch: what the agent may send is 64 KiB; what it unpacks to is
// bounded by the largest event times a batch.
const (
	lineLimit  = 1 << 20
	batchLimit = 16 << 20
)

// zstdMagic begins a compressed batch (RFC 8878 3.1.1).
func zstdMagic() []byte { return []byte{0x28, 0xB5, 0x2F, 0xFD} }

var errBatchLong = errors.New("batch unpacks to more than 16 MiB")

// Unpack returns the JSON lines of a payload, plain or zstd.
func Unpack(payload []byte) ([]byte, error) {
	if !bytes.HasPrefix(payload, zstdMagic()) {
		return payload, nil
	}
	d, err := zstd.NewReader(bytes.NewReader(payload), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(batchLimit))
	if err != nil {
		return nil, fmt.Errorf("unpack batch: %w", err)
	}
	defer d.Close()
	b, err := io.ReadAll(io.LimitReader(d, batchLimit+1))
	if err != nil {
		return nil, fmt.Errorf("unpack batch: %w", err)
	}
	if len(b) > batchLimit {
		return nil, errBatchLong
	}
	return b, nil
}

// Decode reads the events of a payload.
func Decode(payload []byte) ([]Event, error) {
	lines, err := Unpack(payload)
	if err != nil {
		return nil, err
	}
	var out []Event
	s := bufio.NewScanner(bytes.NewReader(lines))
	s.Buffer(nil, lineLimit)
	for s.Scan() {
		if len(s.Bytes()) == 0 {
			continue
		}
		var e Event
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			return out, fmt.Errorf("event %d of a batch: %w", len(out)+1, err)
		}
		if e.V != 1 || e.Class == "" || e.Kind == "" || e.Seq == 0 {
			return out, fmt.Errorf("event %d of a batch: envelope v %d, class %q, kind %q, seq %d", len(out)+1, e.V, e.Class, e.Kind, e.Seq)
		}
		out = append(out, e)
	}
	if err := s.Err(); err != nil {
		return out, fmt.Errorf("event %d of a batch: %w", len(out)+1, err)
	}
	return out, nil
}
