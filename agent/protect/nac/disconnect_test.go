package nac

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// das is a NAS as hostapd is one: it checks both authenticators and the time
// stamp, and is silent where one is wrong. It was written from RFC 5176 and
// shares nothing with the hook.
type das struct {
	conn   net.PacketConn
	secret string
	deaf   int // requests it does not hear
	answer func(req []byte) []byte

	mu   sync.Mutex
	seen [][]byte
	bad  []string
}

func newDAS(t *testing.T, secret string, deaf int, answer func(req []byte) []byte) *das {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &das{conn: conn, secret: secret, deaf: deaf, answer: answer}
	done := make(chan struct{})
	go func() { defer close(done); d.serve() }()
	t.Cleanup(func() { conn.Close(); <-done })
	return d
}

func (d *das) serve() {
	buf := make([]byte, 4096)
	for {
		n, from, err := d.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		req := bytes.Clone(buf[:n])
		d.mu.Lock()
		d.seen = append(d.seen, req)
		hears := len(d.seen) > d.deaf
		why := d.check(req)
		if why != "" {
			d.bad = append(d.bad, why)
		}
		d.mu.Unlock()
		if hears && why == "" {
			d.conn.WriteTo(d.answer(req), from)
		}
	}
}

// check says what is wrong with a request.
func (d *das) check(p []byte) string {
	if len(p) < 20 || int(binary.BigEndian.Uint16(p[2:])) != len(p) || p[0] != 40 {
		return "no Disconnect-Request"
	}
	zeroed := bytes.Clone(p)
	clear(zeroed[4:20])
	sum := md5.Sum(append(bytes.Clone(zeroed), d.secret...))
	if !bytes.Equal(sum[:], p[4:20]) {
		return "Request Authenticator"
	}
	var theirs []byte
	stamped := false
	for at := 20; at < len(p); at += int(p[at+1]) {
		switch value := p[at+2 : at+int(p[at+1])]; p[at] {
		case 80:
			theirs = bytes.Clone(value)
			clear(zeroed[at+2 : at+18])
		case 55:
			age := time.Since(time.Unix(int64(binary.BigEndian.Uint32(value)), 0))
			stamped = age.Abs() < 300*time.Second
		}
	}
	h := hmac.New(md5.New, []byte(d.secret))
	h.Write(zeroed)
	switch {
	case !hmac.Equal(theirs, h.Sum(nil)):
		return "Message-Authenticator"
	case !stamped:
		return "Event-Timestamp"
	}
	return ""
}

// reply signs an answer of the code with the attributes.
func reply(code byte, secret string, attributes ...byte) func([]byte) []byte {
	return func(req []byte) []byte {
		p := append([]byte{code, req[1], 0, byte(20 + len(attributes))}, req[4:20]...)
		p = append(p, attributes...)
		sum := md5.Sum(append(bytes.Clone(p), secret...))
		copy(p[4:20], sum[:])
		return p
	}
}

func (d *das) hook(t *testing.T, secret string, limit time.Duration) Hook {
	t.Helper()
	h, err := NewHook(Spec{Name: "h", Kind: KindDisconnect, Server: d.conn.LocalAddr().String(), Secret: put(t, "secret", secret+"\n"), Limit: limit,
		NASIdentifier: "sw-7b", NASAddress: netip.MustParseAddr("10.20.7.2")}, Means{Clock: clock.New(fake.New().Host().Clock, time.Unix(0, 0))})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestDisconnect(t *testing.T) {
	const right = "ward secret"
	ack := reply(41, right)
	for _, tt := range []struct {
		name   string
		secret string // of the hook
		deaf   int
		answer func([]byte) []byte
		limit  time.Duration
		want   Outcome
		text   string // in it
		bad    string
	}{
		{"acknowledged", right, 0, ack, 5 * time.Second, Done, "Disconnect-ACK", ""},
		{"the first request is lost", right, 1, ack, 5 * time.Second, Done, "Disconnect-ACK", ""},
		{"no such session", right, 0, reply(42, right, 101, 6, 0, 0, 1, 0xf7), 5 * time.Second, Refused, "Disconnect-NAK 503 Session-Context-Not-Found", ""},
		{"no such session, as the answer to the first request was lost", right, 1, reply(42, right, 101, 6, 0, 0, 1, 0xf7), 5 * time.Second, Done, "after an earlier request", ""},
		{"refused without a cause", right, 0, reply(42, right), 5 * time.Second, Refused, "Disconnect-NAK without Error-Cause", ""},
		{"our secret is wrong", "another", 0, ack, 1500 * time.Millisecond, Unsure, "no answer from", "Request Authenticator"},
		{"somebody else answers", right, 0, reply(41, "another"), 1500 * time.Millisecond, Unsure, "are not authentic", ""},
		{"an answer to another request", right, 0, func(req []byte) []byte { p := ack(req); p[1]++; return p }, 1500 * time.Millisecond, Unsure, "are not authentic", ""},
		{"silence", right, 1000, ack, 1500 * time.Millisecond, Unsure, "no answer from", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDAS(t, right, tt.deaf, tt.answer)
			got := d.hook(t, tt.secret, tt.limit).Apply(t.Context(), request())
			if got.Outcome != tt.want || !strings.Contains(got.Text, tt.text) {
				t.Errorf("%v %q, want %v %q", got.Outcome, got.Text, tt.want, tt.text)
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			for _, p := range d.seen {
				if !bytes.Equal(p, d.seen[0]) {
					t.Errorf("sent again as another request:\n% x\n% x", d.seen[0], p)
				}
			}
			for _, why := range append(d.bad, tt.bad) {
				if why != tt.bad || len(d.bad) == 0 && tt.bad != "" {
					t.Errorf("the NAS found wrong %q, want %q", d.bad, tt.bad)
				}
			}
			if n := len(d.seen); tt.deaf > 0 && n < 2 || n == 0 {
				t.Errorf("%d requests: not sent again", n)
			}
		})
	}
}

// A NAS that is not there yet answers by ICMP; the request is sent again.
func TestDisconnectUntilTheNASIsUp(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.6.5.4:0") // an address that no other test takes a port of
	if err != nil {
		t.Fatal(err)
	}
	addr := l.LocalAddr().String()
	l.Close()
	d := &das{conn: l}
	h := d.hook(t, "s", 10*time.Second)
	got := make(chan Result)
	go func() { got <- h.Apply(t.Context(), request()) }()
	time.Sleep(300 * time.Millisecond)
	up, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal("its port was taken meanwhile: ", err)
	}
	d = &das{conn: up, secret: "s", answer: reply(41, "s")}
	go d.serve()
	defer up.Close()
	if r := <-got; r.Outcome != Done {
		t.Errorf("%v %s, want done", r.Outcome, r.Text)
	}
}

// The agent was killed once the NAS had ended the session: what is asked again
// must not be taken for refused, or the device would stay cut off.
func TestDisconnectAgain(t *testing.T) {
	d := newDAS(t, "s", 0, reply(42, "s", 101, 6, 0, 0, 1, 0xf7))
	r := request()
	r.Again = true
	if got := d.hook(t, "s", 5*time.Second).Apply(t.Context(), r); got.Outcome != Done {
		t.Errorf("%v %s, want done", got.Outcome, got.Text)
	}
}

func TestDisconnectEndsWithItsContext(t *testing.T) {
	d := newDAS(t, "s", 1000, reply(41, "s"))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if r := d.hook(t, "s", time.Minute).Apply(ctx, request()); r.Outcome != Unsure || time.Since(begin) > 2*time.Second {
		t.Errorf("%v %s after %s", r.Outcome, r.Text, time.Since(begin))
	}
}

// prompts keeps when and where a device was asked to authenticate.
type prompts struct {
	err  error
	said []string
}

func (p *prompts) prompt(_ context.Context, port string, mac [6]byte) error {
	p.said = append(p.said, time.Now().Format("05.000 ")+port+" "+fact.MAC(mac).String())
	return p.err
}

// Whoever comes back while the NAS still takes the session down is dropped
// again: the device is asked after that.
func TestDisconnectUndo(t *testing.T) {
	for _, tt := range []struct {
		name  string
		since time.Duration
		err   error
		want  Result
		said  []string
	}{
		{"at once", 0, nil, Result{Outcome: Done, Text: "asked the device to authenticate again"}, []string{"08.000 w1 02:00:00:00:00:01"}},
		{"long after", time.Hour, nil, Result{Outcome: Done, Text: "asked the device to authenticate again"}, []string{"00.000 w1 02:00:00:00:00:01"}},
		{"the port is gone", time.Hour, errors.New("no such port"), Result{Outcome: Unsure, Text: "ask the device to authenticate again: no such port"}, []string{"00.000 w1 02:00:00:00:00:01"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &prompts{err: tt.err}
				r := request()
				r.Since = tt.since
				if diff := cmp.Diff(tt.want, (&disconnect{prompt: p.prompt}).Undo(t.Context(), r)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.said, p.said); diff != "" {
					t.Errorf("prompts (-want +got):\n%s", diff)
				}
			})
		})
	}
	if got := (&disconnect{server: "sw:3799"}).Undo(t.Context(), request()); got.Outcome != Done {
		t.Errorf("without a prompter: %v, want done: nothing is kept at the NAS", got)
	}
}
