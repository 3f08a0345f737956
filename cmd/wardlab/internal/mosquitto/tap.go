package mosquitto

import (
	"bytes"
	"fmt"
	"net"
	"sync"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Message is a PUBLISH that went through a Tap.
type Message struct {
	Topic   string
	Payload []byte
}

// Tap passes MQTT connections on, packet by packet, unchanged, and tells what
// was published at QoS 1 and what of it the broker has acknowledged: the
// witness of what the publisher may rely on, whatever it makes of it.
type Tap struct {
	l       net.Listener
	to      string
	sent    func(Message)
	acked   func(Message)
	wait    sync.WaitGroup
	mu      sync.Mutex
	flights int                   // mu; published, and no acknowledgement passed on
	release chan struct{}         // mu; closed: what the broker says passes
	swallow bool                  // mu; what the publisher says goes nowhere
	conns   map[net.Conn]struct{} // mu
}

// NewTap listens on a loopback port and passes on to addr. sent is called
// before a message goes on to the broker, acked when its acknowledgement has
// come from there; both from several goroutines.
func NewTap(addr string, sent, acked func(Message)) (*Tap, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("tap: %w", err)
	}
	t := &Tap{l: l, to: addr, sent: sent, acked: acked, release: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	close(t.release)
	t.wait.Go(t.accept)
	return t, nil
}

// Port is where it listens.
func (t *Tap) Port() int { return t.l.Addr().(*net.TCPAddr).Port }

// InFlight is how many messages were published whose acknowledgement the
// publisher has not got, on connections that stand.
func (t *Tap) InFlight() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.flights
}

// Hold keeps everything back that comes from the broker, until Release: the
// publisher waits for acknowledgements that were given.
func (t *Tap) Hold() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.release = make(chan struct{})
}

// Swallow makes the way to the broker a hole, until Release: the publisher's
// packets are taken, and go nowhere. A connection of that time stays one to its
// end, since packets of it are gone.
func (t *Tap) Swallow() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.swallow = true
}

// Release lets everything through again.
func (t *Tap) Release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.swallow = false
	select {
	case <-t.release:
	default:
		close(t.release)
	}
}

func (t *Tap) swallows() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.swallow
}

func (t *Tap) released() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.release
}

// Close ends the tap and its connections.
func (t *Tap) Close() {
	t.l.Close()
	t.Release()
	t.mu.Lock()
	for c := range t.conns {
		c.Close()
	}
	t.mu.Unlock()
	t.wait.Wait()
}

func (t *Tap) accept() {
	for {
		c, err := t.l.Accept()
		if err != nil {
			return // closed
		}
		t.wait.Go(func() { t.serve(c) })
	}
}

// serve is one connection, until either side ends it.
func (t *Tap) serve(agent net.Conn) {
	defer agent.Close()
	broker, err := net.Dial("tcp4", t.to)
	if err != nil {
		return
	}
	defer broker.Close()
	f := &flight{tap: t, open: map[uint16]Message{}, over: make(chan struct{})}
	defer f.end()
	t.mu.Lock()
	t.conns[agent], t.conns[broker] = struct{}{}, struct{}{}
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		delete(t.conns, agent)
		delete(t.conns, broker)
		t.mu.Unlock()
	}()
	var wait sync.WaitGroup
	wait.Go(func() {
		pass(agent, broker, f.up)
		close(f.over)
		broker.Close()
	})
	wait.Go(func() {
		pass(broker, agent, f.down)
		agent.Close()
	})
	wait.Wait()
}

// pass forwards packets; seen is called for each before it goes on, and says
// whether it does.
func pass(from, to net.Conn, seen func(packets.ControlPacket) bool) {
	for {
		raw := &recorder{from: from}
		p, err := packets.ReadPacket(raw)
		if err != nil {
			return // the end of the stream, or no MQTT: nothing more to pass
		}
		if !seen(p) {
			continue
		}
		if _, err := to.Write(raw.taken.Bytes()); err != nil {
			return
		}
	}
}

// recorder keeps the bytes of a packet as they came.
type recorder struct {
	from  net.Conn
	taken bytes.Buffer
}

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	r.taken.Write(b[:n])
	return n, err
}
