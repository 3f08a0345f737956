package command

import (
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
)

// Inbound is a message of the broker.
type Inbound struct {
	// Topic is what follows "down/": "cmd/ID" or "desired/KIND".
	Topic    string
	Retained bool // it was kept by the broker, which sends it at every session
	Payload  []byte
}

// Bounds of what waits to be read.
const (
	queueLength  = 64
	urgentLength = 8
	queueBytes   = 4 << 20
	urgentBytes  = 16 << 10 // of one message that is looked into before its turn
)

// queue is what waits to be read.
type queue struct {
	in    chan Inbound
	bytes atomic.Int64
}

func newQueue(n int) *queue { return &queue{in: make(chan Inbound, n)} }

// offer takes a message unless the queue is full. It does not block.
func (q *queue) offer(m Inbound) bool {
	n := int64(len(m.Payload))
	if q.bytes.Add(n) > queueBytes {
		q.bytes.Add(-n)
		return false
	}
	select {
	case q.in <- m:
		return true
	default:
		q.bytes.Add(-n)
		return false
	}
}

// taken frees the room of a message.
func (q *queue) taken(m Inbound) { q.bytes.Add(-int64(len(m.Payload))) }

// isUrgent reports what says of itself that it is a break-glass. Nothing of it
// is believed yet.
func isUrgent(m Inbound) bool {
	if commandID(m.Topic) == "" || len(m.Payload) > urgentBytes {
		return false
	}
	e, err := signed.Parse(m.Payload)
	if err != nil {
		return false
	}
	st, err := signed.ParseStatement(e.Payload)
	return err == nil && st.Op == opBreakGlass
}

var idPattern = regexp.MustCompile(`^[a-z0-9-]{8,64}$`)

// commandID is the id in the topic of a command, "" if it has none.
func commandID(topic string) string {
	id, ok := strings.CutPrefix(topic, "cmd/")
	if !ok || !idPattern.MatchString(id) {
		return ""
	}
	return id
}

// fits reports that the statement belongs on the topic.
func fits(topic string, st signed.Statement) bool {
	if st.Kind == signed.KindCommand {
		return topic == "cmd/"+st.ID
	}
	return topic == "desired/"+string(st.Kind)
}
