package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/klauspost/compress/zstd"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

// broker is an MQTT broker of a few lines: it acknowledges and keeps all that
// is published.
type broker struct {
	mu    sync.Mutex
	down  bool          // refuses connections, and cuts those there are
	away  time.Duration // it takes to answer who connects; more than dialling may last: it is not there
	mute  bool          // takes connections and says nothing
	conns []net.Conn
	dials int
	tls   *tls.Config // nil: without TLS
	got   []*packets.PublishPacket
	// Of subscriptions. send writes what is published by others.
	topics []string
	ids    uint16
}

// send publishes to the gateway, whatever it has subscribed to: a broker may.
func (b *broker) send(t *testing.T, topic string, payload []byte) {
	t.Helper()
	b.mu.Lock()
	c := b.conns[len(b.conns)-1]
	b.ids++
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.Qos, p.MessageID, p.TopicName, p.Payload = 1, b.ids, topic, payload
	b.mu.Unlock()
	if err := p.Write(c); err != nil {
		t.Fatal(err)
	}
}

func (b *broker) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(b.away):
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dials++
	if b.down {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	b.conns = append(b.conns, theirs)
	if b.tls != nil {
		theirs = tls.Server(theirs, b.tls)
	}
	if b.mute {
		go io.Copy(io.Discard, theirs)
		return ours, nil
	}
	go b.serve(theirs)
	return ours, nil
}

func (b *broker) setDown(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
	for _, c := range b.conns {
		if down {
			c.Close()
		}
	}
}

func (b *broker) serve(c net.Conn) {
	defer c.Close()
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		var answer packets.ControlPacket
		switch p := p.(type) {
		case *packets.ConnectPacket:
			answer = packets.NewControlPacket(packets.Connack)
		case *packets.SubscribePacket:
			ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
			ack.MessageID, ack.ReturnCodes = p.MessageID, make([]byte, len(p.Topics))
			answer = ack
			b.mu.Lock()
			b.topics = append(b.topics, p.Topics...)
			b.mu.Unlock()
		case *packets.PubackPacket: // of what send sent
			continue
		case *packets.PublishPacket:
			b.mu.Lock()
			b.got = append(b.got, p)
			b.mu.Unlock()
			ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
			ack.MessageID = p.MessageID
			answer = ack
		case *packets.PingreqPacket:
			answer = packets.NewControlPacket(packets.Pingresp)
		default:
			return
		}
		if answer.Write(c) != nil {
			return
		}
	}
}

// payloads are all payloads so far, uncompressed, with their topics.
func (b *broker) payloads(t *testing.T) (topics []string, payloads [][]byte) {
	t.Helper()
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(1<<20), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.got {
		data := p.Payload
		if len(data) > 0 && data[0] != '{' {
			if data, err = d.DecodeAll(data, nil); err != nil {
				t.Fatal(err)
			}
		}
		topics, payloads = append(topics, p.TopicName), append(payloads, data)
	}
	return topics, payloads
}

// events are the envelopes received so far, of every topic below up/.
func (b *broker) events(t *testing.T) (out []event.Envelope) {
	t.Helper()
	topics, payloads := b.payloads(t)
	for i, p := range payloads {
		if !strings.Contains(topics[i], "/up/") || strings.Contains(topics[i], "/up/cmd/") {
			continue
		}
		for line := range bytes.Lines(p) {
			var e event.Envelope
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatalf("%s: %q: %v", topics[i], line, err)
			}
			out = append(out, e)
		}
	}
	return out
}

// of are the bodies of the events of a kind.
func (b *broker) of(t *testing.T, kind string) (out []string) {
	t.Helper()
	for _, e := range b.events(t) {
		if e.Kind == kind {
			out = append(out, string(e.Body))
		}
	}
	return out
}
