package mosquitto

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// answerLimit is how long the broker may take for an answer.
const answerLimit = 5 * time.Second

// Errors of a Subscriber.
var (
	errNoAnswer  = errors.New("no answer within 5 s")
	errForgotten = errors.New("the broker has forgotten the session")
)

// Subscriber takes everything under a filter at QoS 1, in order, in a session
// that the broker keeps while it is away. It is the collector of MQTT 3.1.1
// §3.1.2.4 with CleanSession 0.
type Subscriber struct {
	addr, id string
	take     func(topic string, payload []byte)

	mu     sync.Mutex
	client mqtt.Client
	conn   net.Conn
}

// Subscribe opens the session. take is called for one message after the other;
// a message is acknowledged when it returns.
func Subscribe(addr, id, filter string, take func(topic string, payload []byte)) (*Subscriber, error) {
	s := &Subscriber{addr: addr, id: id, take: take}
	if _, err := s.connect(); err != nil {
		return nil, err
	}
	if err := await(s.client.Subscribe(filter, 1, nil)); err != nil {
		s.Leave()
		return nil, fmt.Errorf("subscriber: subscribe: %w", err)
	}
	return s, nil
}

// connect makes a client of its own for each connection: what it had not yet
// acknowledged, the broker sends again.
func (s *Subscriber) connect() (known bool, err error) {
	opts := mqtt.NewClientOptions().AddBroker("tcp://" + s.addr).SetClientID(s.id).SetCleanSession(false).SetAutoReconnect(false)
	opts.SetProtocolVersion(4).SetOrderMatters(true).SetWriteTimeout(answerLimit)
	// What waited arrives before a subscription could name its handler.
	opts.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { s.take(m.Topic(), m.Payload()) })
	opts.SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
		c, err := net.DialTimeout("tcp4", u.Host, answerLimit)
		s.mu.Lock()
		s.conn = c
		s.mu.Unlock()
		return c, err
	})
	client := mqtt.NewClient(opts)
	t := client.Connect()
	if err := await(t); err != nil {
		return false, fmt.Errorf("subscriber: connect: %w", err)
	}
	s.mu.Lock()
	s.client = client
	s.mu.Unlock()
	return t.(*mqtt.ConnectToken).SessionPresent(), nil
}

func await(t mqtt.Token) error {
	if !t.WaitTimeout(answerLimit) {
		return errNoAnswer
	}
	return t.Error()
}

// Leave breaks the connection without a word, as a cable does.
func (s *Subscriber) Leave() {
	s.mu.Lock()
	client, conn := s.client, s.conn
	s.mu.Unlock()
	if conn != nil {
		conn.Close()
	}
	client.Disconnect(0)
}

// Return takes the session up again. That the broker has forgotten it is an
// error: then messages are lost, and the agent has not lost them.
func (s *Subscriber) Return() error {
	known, err := s.connect()
	if err == nil && !known {
		s.Leave()
		err = fmt.Errorf("subscriber: %w", errForgotten)
	}
	return err
}
