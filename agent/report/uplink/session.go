package uplink

import (
	"context"
	"errors"
)

// Dialer opens sessions with one broker.
type Dialer interface {
	// Connect opens a session with a clean slate. will is what the broker
	// publishes when the session ends without a goodbye; without a topic there
	// is none. take gets what arrives, one message after the other, in order; it
	// must not block.
	Connect(ctx context.Context, will Message, take func(Message)) (Session, error)
	// String names the broker, without credentials.
	String() string
}

// Session is one connection to a broker, from CONNECT to its end. It is never
// reused and never reconnects.
type Session interface {
	// Publish sends a message at QoS 1. Calls keep their order. It blocks for
	// some seconds at most, and never fails but through its receipt.
	Publish(Message) Receipt
	// Subscribe asks for a filter at QoS 1. Its receipt is ErrRefused where the
	// broker says no, which ends nothing.
	Subscribe(filter string) Receipt
	// Lost is closed when the connection is gone.
	Lost() <-chan struct{}
	// Err says why; nil before that.
	Err() error
	// Close ends the session: with a DISCONNECT, so that the will is not
	// published, or just so. It returns within a second.
	Close(goodbye bool)
}

// ErrRefused is a subscription that the broker does not grant.
var ErrRefused = errors.New("the broker refuses the subscription")

// Message is what is published, either way. Of one that arrives, Retained says
// that the broker had kept it.
type Message struct {
	Topic    string
	Retained bool
	Payload  []byte
}

// Receipt is the fate of one message.
type Receipt interface {
	// Done is closed when it is known.
	Done() <-chan struct{}
	// Err is nil if, and only if, the broker acknowledged the message, or
	// granted the subscription, in this session.
	Err() error
}
