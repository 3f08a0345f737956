package mosquitto

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
)

// list is payloads in their order.
type list struct {
	mu   sync.Mutex
	text []string
}

func (l *list) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, s)
}

func (l *list) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.text)
}

func until(t *testing.T, what string, fn func() bool) {
	t.Helper()
	for begin := time.Now(); !fn(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func start(t *testing.T) *Broker {
	t.Helper()
	program, err := Find()
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	b, err := Start(program, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func publisher(t *testing.T, port int) mqtt.Client {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(fmt.Sprintf("tcp://127.0.0.1:%d", port)).SetClientID("p").SetAutoReconnect(false).SetProtocolVersion(4))
	if tok := c.Connect(); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

// What is published while the subscriber is away waits for it, and a session
// that the broker does not know is said to be lost.
func TestSubscriberReturns(t *testing.T) {
	b := start(t)
	var got list
	s, err := Subscribe(b.Addr(), "collector", "a/#", func(_ string, p []byte) { got.add(string(p)) })
	if err != nil {
		t.Fatal(err)
	}
	var acked list
	tap, err := NewTap(b.Addr(), func(Message) {}, func(m Message) { acked.add(string(m.Payload)) })
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	p := publisher(t, tap.Port())
	var want []string
	publish := func(n int) {
		for range n {
			text := fmt.Sprint(len(want))
			want = append(want, text)
			p.Publish("a/b", 1, false, text)
		}
	}
	publish(5)
	until(t, "five arrive", func() bool { return len(got.all()) == 5 })
	s.Leave()
	publish(200) // more than mosquitto keeps by default is not needed to see that it keeps
	until(t, "the broker has all", func() bool { return len(acked.all()) == 205 })
	if n := len(got.all()); n != 5 {
		t.Errorf("%d messages at a subscriber that is away, want 5", n)
	}
	if err := s.Return(); err != nil {
		t.Fatal(err)
	}
	until(t, "all arrive", func() bool { return len(got.all()) == 205 })
	if diff := cmp.Diff(want, got.all()); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
	s.Leave()
	s.id = "another"
	if err := s.Return(); err == nil || err.Error() != "subscriber: the broker has forgotten the session" {
		t.Errorf("session that never was: %v", err)
	}
}

// The tap knows what the broker has acknowledged even while it keeps that from
// the publisher, and a publisher that is gone has nothing under way.
func TestTapHolds(t *testing.T) {
	b := start(t)
	var sent, acked list
	tap, err := NewTap(b.Addr(), func(m Message) { sent.add(m.Topic + " " + string(m.Payload)) }, func(m Message) { acked.add(string(m.Payload)) })
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	p := publisher(t, tap.Port())
	if tok := p.Publish("a", 1, false, "0"); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	until(t, "nothing under way", func() bool { return tap.InFlight() == 0 })
	p.Publish("a", 0, false, "unheeded") // QoS 0 is nobody's promise
	tap.Hold()
	tok := p.Publish("a", 1, false, "1")
	until(t, "the broker acknowledges", func() bool { return len(acked.all()) == 2 })
	if tok.WaitTimeout(50*time.Millisecond) || tap.InFlight() != 1 {
		t.Errorf("held back: the publisher has its acknowledgement, or %d under way, want 1", tap.InFlight())
	}
	tap.Release()
	if !tok.WaitTimeout(5 * time.Second) {
		t.Error("released: no acknowledgement")
	}
	tap.Hold()
	p.Publish("a", 1, false, "2")
	until(t, "the broker acknowledges", func() bool { return len(acked.all()) == 3 })
	p.Disconnect(0)
	until(t, "nothing under way", func() bool { return tap.InFlight() == 0 })
	if diff := cmp.Diff([]string{"a 0", "a 1", "a 2"}, sent.all()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

// What is swallowed is sent and never arrives, also not later on the same
// connection; the next one is whole.
func TestTapSwallows(t *testing.T) {
	b := start(t)
	var sent, acked list
	tap, err := NewTap(b.Addr(), func(m Message) { sent.add(string(m.Payload)) }, func(m Message) { acked.add(string(m.Payload)) })
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	p := publisher(t, tap.Port())
	tap.Swallow()
	p.Publish("a", 1, false, "0")
	until(t, "a message is taken", func() bool { return len(sent.all()) == 1 })
	tap.Release()
	tok := p.Publish("a", 1, false, "1")
	until(t, "another is taken", func() bool { return len(sent.all()) == 2 })
	if tok.WaitTimeout(50*time.Millisecond) || tap.InFlight() != 2 {
		t.Errorf("after a hole: acknowledged, or %d under way, want 2", tap.InFlight())
	}
	p.Disconnect(0)
	until(t, "nothing under way", func() bool { return tap.InFlight() == 0 })
	if tok := publisher(t, tap.Port()).Publish("a", 1, false, "2"); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
		t.Errorf("on a new connection: %v", tok.Error())
	}
	if diff := cmp.Diff([]string{"2"}, acked.all()); diff != "" {
		t.Errorf("acknowledged (-want +got):\n%s", diff)
	}
}

func TestStartSaysWhy(t *testing.T) {
	if _, err := Start("/bin/false", t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "mosquitto does not listen on 127.0.0.1:") {
		t.Errorf("a broker that ends at once: %v", err)
	}
}
