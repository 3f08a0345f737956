package uplink

import "context"

// Dialer opens sessions with one broker.
type Dialer interface {
	// Connect opens a session with a clean slate. will is what the broker
	// publishes when the session ends without a goodbye.
	Connect(ctx context.Context, will Message) (Session, error)
	// String names the broker, without credentials.
	String() string
}

// Session is one connection to a broker, from CONNECT to its end. It is never
// reused and never reconnects.
type Session interface {
	// Publish sends a message at QoS 1. Calls keep their order. It blocks for
	// some seconds at most, and never fails but through its receipt.
	Publish(Message) Receipt
	// Lost is closed when the connection is gone.
	Lost() <-chan struct{}
	// Err says why; nil before that.
	Err() error
	// Close ends the session: with a DISCONNECT, so that the will is not
	// published, or just so. It returns within a second.
	Close(goodbye bool)
}

// Message is what is published.
type Message struct {
	Topic    string
	Retained bool
	Payload  []byte
}

// Receipt is the fate of one message.
type Receipt interface {
	// Done is closed when it is known.
	Done() <-chan struct{}
	// Err is nil if, and only if, the broker acknowledged the message in this
	// session.
	Err() error
}
