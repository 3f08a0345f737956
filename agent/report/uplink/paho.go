package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Broker is where to connect, and as whom.
type Broker struct {
	URL      *url.URL // mqtt://host:1883 or mqtts://host:8883
	CA       string   // PEM file, of mqtts
	ClientID string   // the gateway's id, and its certificate's CN
	// Certificate is what the gateway proves its id with, asked for at each
	// connection; nil: it does not. An error keeps it from connecting.
	Certificate func() (tls.Certificate, error)
	// Now is the time that certificates are checked at: a box without a clock
	// starts in 1970, so it is never before a floor.
	Now func() time.Time
	// Dial opens the TCP connection; nil: as package net does. It should find a
	// dead peer by itself, though what waits for an answer is bounded here too.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Times of a session. A peer that vanishes is noticed by a PINGREQ without an
// answer: 30 s of silence, 10 s for the answer, and the library's 5 s steps.
const (
	keepAlive      = 30 * time.Second
	pingTimeout    = 10 * time.Second
	connectTimeout = 10 * time.Second
	connectSlack   = 2 * time.Second
)

var _ Dialer = Broker{}

// String is the URL without its password.
func (b Broker) String() string { return b.URL.Redacted() }

// Connect opens a session through paho.mqtt.golang, with none of its ways to
// remember or repeat: no reconnect, no stored messages, no other protocol
// version. Its tokens complete with nil in more cases than an acknowledgement.
func (b Broker) Connect(ctx context.Context, will Message, take func(Message)) (Session, error) {
	s := &pahoSession{lost: make(chan struct{})}
	opt := mqtt.NewClientOptions().
		AddBroker(b.URL.String()).
		SetClientID(b.ClientID).
		SetProtocolVersion(4). // else a refused CONNECT is repeated as 3.1
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetOrderMatters(true). // one message at a time: else each has its goroutine, as many as a broker likes
		SetKeepAlive(keepAlive).
		SetPingTimeout(pingTimeout).
		SetConnectTimeout(connectTimeout).
		SetWriteTimeout(writeLimit).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { // of all: the library's own matching of filters is not needed
			take(Message{Topic: m.Topic(), Retained: m.Retained(), Payload: m.Payload()})
		}).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { s.end(err) }).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return s.open(ctx, b) })
	if will.Topic != "" {
		opt.SetBinaryWill(will.Topic, will.Payload, 1, will.Retained)
	}
	s.client = mqtt.NewClient(opt)
	token := s.client.Connect()
	select {
	case <-token.Done():
	case <-ctx.Done():
		s.Close(false)
		return nil, ctx.Err()
	case <-time.After(connectTimeout + connectSlack): // the library hangs: leave it, or the agent counts as hung
		s.Close(false)
		return nil, errors.New("connect: no end of the handshake")
	}
	if err := token.Error(); err != nil {
		cause := s.objection()
		s.Close(false)
		return nil, errors.Join(fmt.Errorf("connect: %w", err), cause)
	}
	return s, nil
}

// dial opens the connection, with TLS where the URL says so.
func (b Broker) dial(ctx context.Context) (net.Conn, error) {
	dial := b.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	port := map[string]string{"mqtt": "1883", "mqtts": "8883"}[b.URL.Scheme]
	if port == "" {
		return nil, fmt.Errorf("scheme %q: want mqtt or mqtts", b.URL.Scheme)
	}
	if p := b.URL.Port(); p != "" {
		port = p
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := dial(ctx, "tcp", net.JoinHostPort(b.URL.Hostname(), port))
	if err != nil || b.URL.Scheme == "mqtt" {
		return conn, err
	}
	cfg, err := b.tls()
	if err != nil {
		conn.Close()
		return nil, err
	}
	t := tls.Client(conn, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return t, nil
}

// tls reads the CA anew for every connection: it is renewed under us.
func (b Broker) tls() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: b.URL.Hostname(), Time: b.Now}
	if b.CA != "" {
		pem, err := os.ReadFile(b.CA)
		if err != nil {
			return nil, fmt.Errorf("read CA: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read CA %s: no certificate in it", b.CA)
		}
	}
	if b.Certificate != nil {
		pair, err := b.Certificate()
		if err != nil {
			return nil, fmt.Errorf("certificate of the gateway: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// pahoSession is one client of the library, used once.
type pahoSession struct {
	client mqtt.Client
	lost   chan struct{}

	mu    sync.Mutex
	conn  *watched // mu
	over  bool     // mu
	cause error    // mu
}

func (s *pahoSession) open(ctx context.Context, b Broker) (net.Conn, error) {
	c, err := b.dial(ctx)
	if err != nil {
		return nil, err
	}
	w := &watched{Conn: c}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		c.Close()
		return nil, net.ErrClosed
	}
	s.conn = w
	return w, nil
}

func (s *pahoSession) watched() *watched {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

func (s *pahoSession) objection() error {
	if w := s.watched(); w != nil {
		return w.objection()
	}
	return nil
}

// end marks the session as lost.
func (s *pahoSession) end(err error) {
	if o := s.objection(); o != nil {
		err = o
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over, s.cause = true, err
	close(s.lost)
}

// Lost is closed when the connection is gone.
func (s *pahoSession) Lost() <-chan struct{} { return s.lost }

// Err says why the connection is gone.
func (s *pahoSession) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// Publish sends a message; the library holds the caller for writeLimit at most.
func (s *pahoSession) Publish(m Message) Receipt {
	t := s.client.Publish(m.Topic, 1, m.Retained, m.Payload)
	r := pahoReceipt{session: s, token: t}
	r.publish, _ = t.(*mqtt.PublishToken)
	return r
}

// Subscribe asks for one filter; the library holds the caller for writeLimit at
// most. One packet a filter, so that its answer has a known length.
func (s *pahoSession) Subscribe(filter string) Receipt {
	return subscription{pahoReceipt{session: s, token: s.client.Subscribe(filter, 1, nil)}, filter}
}

// Close ends the session. The library's own Disconnect may hang: it gets its
// goroutine, and the connection is closed in any case.
func (s *pahoSession) Close(goodbye bool) {
	if goodbye {
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.client.Disconnect(250) // ms
		}()
		select {
		case <-done:
		case <-time.After(time.Second):
		}
	}
	s.end(net.ErrClosed)
	if w := s.watched(); w != nil {
		w.Conn.Close()
	}
}

type pahoReceipt struct {
	session *pahoSession
	token   mqtt.Token
	publish *mqtt.PublishToken
}

// Done is closed when the token is complete, which says little: see Err.
func (r pahoReceipt) Done() <-chan struct{} { return r.token.Done() }

var errNoAck = errors.New("the token completed, but no PUBACK came in")

// Err believes the bytes on the wire, not the token alone: with other settings
// the library completes tokens with nil at a reconnect.
func (r pahoReceipt) Err() error {
	if err := r.token.Error(); err != nil {
		if o := r.session.objection(); o != nil {
			return o
		}
		return err
	}
	if r.publish == nil || !r.session.watched().takeAck(r.publish.MessageID()) {
		return errNoAck
	}
	return nil
}

// subscription is the fate of a Subscribe.
type subscription struct {
	pahoReceipt
	filter string
}

// Err believes the code in the answer: the token knows of no refusal.
func (r subscription) Err() error {
	if err := r.token.Error(); err != nil {
		return err
	}
	t, ok := r.token.(*mqtt.SubscribeToken)
	if !ok {
		return ErrRefused
	}
	if code, ok := t.Result()[r.filter]; !ok || code > 2 {
		return fmt.Errorf("%w %q", ErrRefused, r.filter)
	}
	return nil
}
