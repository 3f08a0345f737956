package collect

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// Broker is an MQTT broker on a port of the current namespace, with a
// subscriber that writes everything in a Book.
type Broker struct {
	server *broker.Server
	client mqtt.Client
	addr   netip.AddrPort
}

// Open starts the broker at an address of this namespace, and the subscriber.
func Open(at netip.Addr, site string, book *Book) (*Broker, error) {
	server := broker.New(&broker.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := server.AddHook(new(allow), nil); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	l, err := net.Listen("tcp4", netip.AddrPortFrom(at, 0).String())
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	b := &Broker{server: server, addr: l.Addr().(*net.TCPAddr).AddrPort()}
	if err := server.AddListener(listeners.NewNet("lab", l)); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if err := server.Serve(); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if err := b.subscribe(site, book); err != nil {
		server.Close()
		return nil, err
	}
	return b, nil
}

// subscribe connects a client that takes all of the site at QoS 1.
func (b *Broker) subscribe(site string, book *Book) error {
	opts := mqtt.NewClientOptions().AddBroker(b.URL()).SetClientID("wardlab-collector").SetAutoReconnect(false)
	// MQTT 3.1.1, as the product speaks it; in order, so that a state message is
	// never overtaken by what it speaks of.
	opts.SetProtocolVersion(4).SetOrderMatters(true)
	b.client = mqtt.NewClient(opts)
	if t := b.client.Connect(); !t.WaitTimeout(5*time.Second) || t.Error() != nil {
		return fmt.Errorf("subscriber: connect: %w", orTimeout(t.Error()))
	}
	t := b.client.Subscribe("wardkeeper/v1/"+site+"/#", 1, func(_ mqtt.Client, m mqtt.Message) { book.Add(m.Topic(), m.Payload()) })
	if !t.WaitTimeout(5*time.Second) || t.Error() != nil {
		return fmt.Errorf("subscriber: subscribe: %w", orTimeout(t.Error()))
	}
	return nil
}

// timeoutError says that the broker did not answer.
type timeoutError struct{}

func (timeoutError) Error() string { return "no answer within 5 s" }

func orTimeout(err error) error {
	if err == nil {
		return timeoutError{}
	}
	return err
}

// URL is where the subscriber finds the broker.
func (b *Broker) URL() string { return "tcp://" + b.addr.String() }

// Addr is where the agent finds it.
func (b *Broker) Addr() netip.AddrPort { return b.addr }

// Dropped counts messages that the broker did not deliver.
func (b *Broker) Dropped() int64 { return atomic.LoadInt64(&b.server.Info.MessagesDropped) }

// Close ends both. While it closes, the server takes the lock of its clients
// twice for reading (mochi 2.7.9, Clients.GetByListener): a client that leaves just
// then holds up both for ever. So nobody is left by then, and nobody waits for it.
func (b *Broker) Close() {
	b.client.Disconnect(100)
	for begin := time.Now(); b.server.Clients.Len() > 0 && time.Since(begin) < closeLimit; {
		time.Sleep(10 * time.Millisecond)
	}
	closed := make(chan struct{})
	go func() { b.server.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(closeLimit):
	}
}

// closeLimit is how long the clients, and then the server, have to end.
const closeLimit = 2 * time.Second
