package uplink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/report/outbox"
	"github.com/wardkeeper/wardkeeper/agent/store"
)

// testClock is the host's clock in tests; inside a synctest bubble it is the
// bubble's.
type testClock struct{ start time.Time }

func (c testClock) Now() time.Time      { return time.Now() }
func (c testClock) Mono() time.Duration { return time.Since(c.start) }
func (c testClock) Synced() bool        { return true }
func (c testClock) BootID() string      { return "boot" }

type note struct {
	N    int    `json:"n"`
	Fill string `json:"fill,omitempty"`
}

func (note) Kind() string { return "note" }

// broker is an MQTT broker of a few lines over net.Pipe, whose faults a test
// chooses.
type broker struct {
	mu       sync.Mutex
	down     bool // refuses connections
	noAck    bool // never sends a PUBACK
	noPong   bool
	slow     time.Duration  // before each packet is read
	deaf     bool           // stops reading after CONNECT
	deafAt   int            // stops reading after so many PUBLISHes; 0: never
	cutAfter int            // closes the connection after so many PUBLISHes; 0: never
	flood    []byte         // sent after the CONNACK
	grant    byte           // code of a SUBACK
	extra    []byte         // more codes in a SUBACK
	mute     bool           // sends no SUBACK
	reply    []byte         // sent after a SUBACK
	filters  []string       // subscribed to
	dials    int            // attempts
	acked    map[string]int // payload → PUBACKs sent, retained messages excepted
	got      []*packets.PublishPacket
	connect  *packets.ConnectPacket
}

func (b *broker) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dials++
	if b.down {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	go b.serve(theirs)
	return ours, nil
}

func (b *broker) serve(c net.Conn) {
	defer c.Close()
	out := make(chan []byte, 16) // answers that must not hold up reading: net.Pipe has no buffer
	defer close(out)
	go func() {
		for p := range out {
			c.Write(p)
		}
	}()
	seen := 0
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		b.mu.Lock()
		noAck, noPong, deaf, deafAt, cut, flood, slow := b.noAck, b.noPong, b.deaf, b.deafAt, b.cutAfter, b.flood, b.slow
		b.mu.Unlock()
		time.Sleep(slow)
		switch p := p.(type) {
		case *packets.ConnectPacket:
			b.mu.Lock()
			b.connect = p
			b.mu.Unlock()
			packets.NewControlPacket(packets.Connack).Write(c)
			if flood != nil {
				c.Write(flood)
			}
			if deaf { // net.Pipe has no buffer: every write of the peer waits
				time.Sleep(24 * time.Hour)
				return
			}
		case *packets.PublishPacket:
			b.mu.Lock()
			b.got = append(b.got, p)
			b.mu.Unlock()
			if seen++; seen == cut {
				return
			}
			if noAck {
				continue
			}
			deafNow := seen == deafAt
			ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
			ack.MessageID = p.MessageID
			if !p.Retain {
				b.mu.Lock()
				b.acked[string(p.Payload)]++
				b.mu.Unlock()
			}
			if ack.Write(c) != nil {
				return
			}
			if deafNow {
				time.Sleep(24 * time.Hour)
				return
			}
		case *packets.SubscribePacket:
			b.mu.Lock()
			b.filters = append(b.filters, p.Topics...)
			codes, mute, reply := append([]byte{b.grant}, b.extra...), b.mute, b.reply
			b.mu.Unlock()
			ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
			ack.MessageID, ack.ReturnCodes = p.MessageID, codes
			var answer bytes.Buffer
			if !mute {
				ack.Write(&answer)
			}
			answer.Write(reply)
			out <- answer.Bytes()
		case *packets.PingreqPacket:
			if !noPong {
				packets.NewControlPacket(packets.Pingresp).Write(c)
			}
		case *packets.DisconnectPacket:
			return
		}
	}
}

func (b *broker) set(f func(b *broker)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

// rig is an outbox and an uplink on a broker.
type rig struct {
	store *store.Store
	queue *outbox.Queue
	box   *outbox.Box
	up    *Uplink
	board *health.Board
	log   *logLines
	stop  func() error
}

type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

func (l *logLines) count(s string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		n += strings.Count(line, s)
	}
	return n
}

func openStore(t testing.TB, path string) *store.Store {
	t.Helper()
	s, o, err := store.Open(context.Background(), store.Options{Path: path, Size: 4 << 20})
	if err != nil || o.RAM {
		t.Fatal(err, o.Reason)
	}
	return s
}

// start runs the rig, after set has had its way with the uplink.
func start(t testing.TB, s *store.Store, dialer Dialer, set ...func(*Uplink)) *rig {
	t.Helper()
	r := &rig{store: s, queue: outbox.NewQueue(1 << 16), board: &health.Board{}, log: &logLines{}}
	clk := clock.New(testClock{time.Now()}, time.Unix(0, 0))
	box, err := outbox.Open(s, r.queue, outbox.Options{Site: "st-mary", Gateway: "gw1", Epoch: "e1", MaxBytes: 2 << 20, Clock: clk, Board: r.board})
	if err != nil {
		t.Fatal(err)
	}
	r.box = box
	r.up = New(Options{Site: "st-mary", Gateway: "gw1", Epoch: "e1", Source: box, Dialer: dialer, Board: r.board,
		Clock: clk, Log: slog.New(slog.NewTextHandler(io.MultiWriter(r.log, io.Discard), nil)),
		State: func() event.GatewayState { return event.GatewayState{Version: "test", Policy: 3, Generation: 4} }})
	for _, f := range set {
		f(r.up)
	}
	ctx, cancel := context.WithCancel(context.Background())
	errs := make(chan error, 2)
	go func() { errs <- box.Run(ctx) }()
	go func() { errs <- r.up.Run(ctx) }()
	r.stop = func() error { cancel(); return errors.Join(<-errs, <-errs) }
	return r
}

func (r *rig) emit(c event.Class, n int) {
	r.queue.Emit(event.Event{Class: c, Body: note{N: n}, At: clock.Stamp{Wall: time.Unix(1e9, 0), Quality: clock.NTP}})
}

func scripted(b *broker) Broker {
	u, _ := url.Parse("mqtt://broker.example")
	b.acked = make(map[string]int)
	return Broker{URL: u, ClientID: "gw1", Dial: b.dial, Now: time.Now}
}

func dbPath(t testing.TB) string { return filepath.Join(t.TempDir(), "db") }

// numbers lists what was acknowledged, as a set of the events' n.
func (b *broker) numbers(t testing.TB) map[int]bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := make(map[int]bool)
	for payload := range b.acked {
		for _, e := range envelopes(t, []byte(payload)) {
			var n int
			if _, err := fmt.Sscanf(string(e.Body), `{"n":%d`, &n); err != nil {
				t.Fatal(err)
			}
			m[n] = true
		}
	}
	return m
}
