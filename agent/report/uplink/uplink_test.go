package uplink

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
)

// envelopes reads a payload as a collector does.
func envelopes(t testing.TB, payload []byte) (out []event.Envelope) {
	t.Helper()
	if len(payload) > 0 && payload[0] != '{' {
		d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(1<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if payload, err = d.DecodeAll(payload, nil); err != nil {
			t.Fatal(err)
		}
	}
	for l := range bytes.Lines(payload) {
		var e event.Envelope
		if err := json.Unmarshal(l, &e); err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		out = append(out, e)
	}
	return out
}

func TestSettings(t *testing.T) {
	path := dbPath(t)
	s := openStore(t, path)
	synctest.Test(t, func(t *testing.T) {
		b := &broker{}
		r := start(t, s, scripted(b))
		time.Sleep(time.Second)
		r.emit(event.Alert, 1)
		time.Sleep(time.Second)
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		c := b.connect
		if c.ProtocolVersion != 4 || !c.CleanSession || c.Keepalive != 30 || c.ClientIdentifier != "gw1" || !c.WillFlag || !c.WillRetain || c.WillQos != 1 ||
			c.WillTopic != "wardkeeper/v1/st-mary/gw1/state" || string(c.WillMessage) != `{"v":1,"site":"st-mary","gw":"gw1","online":false}` {
			t.Errorf("CONNECT %+v", c)
		}
		var got []string
		for _, p := range b.got {
			line := fmt.Sprintf("%s qos %d retain %v", p.TopicName, p.Qos, p.Retain)
			if p.Retain {
				var st event.GatewayState
				if err := json.Unmarshal(p.Payload, &st); err != nil {
					t.Fatal(err)
				}
				line += fmt.Sprintf(" online %v seq %v %s policy %d generation %d %s", st.Online, st.Seq, st.Epoch, st.Policy, st.Generation, st.TimeQuality)
			}
			got = append(got, line)
		}
		want := []string{
			"wardkeeper/v1/st-mary/gw1/state qos 1 retain true online true seq map[] e1 policy 3 generation 4 ntp",
			"wardkeeper/v1/st-mary/gw1/up/alert qos 1 retain false",
			"wardkeeper/v1/st-mary/gw1/state qos 1 retain true online false seq map[alert:1] e1 policy 3 generation 4 ntp",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	s.Close()
}

// Three days without a broker: attempts stay far apart, nothing is lost, one
// log line tells of it.
// Neither a broker that is away, for which the uplink waits minutes, nor one
// that gets nothing to do looks like a hang; and both tasks are watched.
func TestHeartbeat(t *testing.T) {
	s := openStore(t, dbPath(t))
	synctest.Test(t, func(t *testing.T) {
		b := &broker{down: true}
		began := time.Now()
		r := start(t, s, scripted(b))
		watch := health.Watch{Board: r.board}
		for look := range 3600 * time.Second / health.LookEvery {
			if look == 1800*time.Second/health.LookEvery {
				b.set(func(b *broker) { b.down = false })
			}
			time.Sleep(health.LookEvery)
			if hung := watch.Look(time.Since(began)); len(hung) > 0 {
				t.Fatalf("after %s: %v took for hung", look*health.LookEvery, hung)
			}
		}
		if !r.up.Status().Connected {
			t.Error("not connected")
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"outbox", "uplink"}, r.board.Silent(time.Since(began)+time.Hour, time.Minute)); diff != "" {
			t.Errorf("with a heartbeat (-want +got):\n%s", diff)
		}
	})
}

func TestOutageOf72Hours(t *testing.T) {
	s := openStore(t, dbPath(t))
	synctest.Test(t, func(t *testing.T) {
		b := &broker{down: true}
		r := start(t, s, scripted(b))
		for h := range 72 {
			r.emit(event.Ordinary, h)
			time.Sleep(time.Hour)
		}
		st := r.up.Status()
		if b.dials < 800 || b.dials > 4000 {
			t.Errorf("%d attempts in 72 h: 5 minutes with full jitter make about 1700", b.dials)
		}
		if len(r.board.Conditions()) != 1 || st.Connected || !strings.HasSuffix(st.LastError, "connection refused") {
			t.Errorf("%+v, %v", st, r.board.Conditions())
		}
		b.set(func(b *broker) { b.down = false })
		time.Sleep(10 * time.Minute)
		got := b.numbers(t)
		if len(got) != 72 {
			t.Errorf("%d of 72 events arrived", len(got))
		}
		for _, p := range b.got {
			if p.Retain {
				continue
			}
			for _, e := range envelopes(t, p.Payload) {
				if !e.Historical {
					t.Errorf("seq %d is older than its session, but not marked", e.Seq)
				}
			}
		}
		if st := r.up.Status(); !st.Connected || st.Acked != 72 || len(r.board.Conditions()) != 0 {
			t.Errorf("%+v", st)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		if up, down := r.log.count("uplink is up"), r.log.count("uplink is down"); up != 1 || down != 1 {
			t.Errorf("%d lines up, %d lines down, want one each", up, down)
		}
		if p := r.box.Stats().Pending["event"]; p != 0 {
			t.Errorf("%d pending", p)
		}
	})
	s.Close()
}

// unacked is the invariant behind everything else: what the outbox no longer
// has was acknowledged on the wire.
func unacked(t testing.TB, b *broker, r *rig, emitted int) (lost []int) {
	t.Helper()
	have := b.numbers(t)
	c := r.box.Cursor()
	for {
		batch, ok, err := r.box.Take(c)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		for _, e := range envelopes(t, batch.Lines) {
			var n int
			fmt.Sscanf(string(e.Body), `{"n":%d`, &n)
			have[n] = true
		}
	}
	for n := range emitted {
		if !have[n] {
			lost = append(lost, n)
		}
	}
	return lost
}

// naive is what most users of the library do: reconnect inside, and a token
// without error counts as delivered.
type naive struct {
	Broker
	clients *[]mqtt.Client // all that were made
}

func (n naive) Connect(ctx context.Context, will Message, _ func(Message)) (Session, error) {
	s := &pahoSession{lost: make(chan struct{})}
	o := mqtt.NewClientOptions().AddBroker(n.URL.String()).SetClientID("gw1").SetMaxReconnectInterval(time.Second).
		SetCustomOpenConnectionFn(mqtt.OpenConnectionFunc(func(_ *url.URL, _ mqtt.ClientOptions) (net.Conn, error) { return n.dial(ctx) }))
	s.client = mqtt.NewClient(o)
	*n.clients = append(*n.clients, s.client)
	t := s.client.Connect()
	<-t.Done()
	return naiveSession{s}, t.Error()
}

type naiveSession struct{ *pahoSession }

func (s naiveSession) Publish(m Message) Receipt {
	return naiveReceipt{s.client.Publish(m.Topic, 1, m.Retained, m.Payload)}
}

type naiveReceipt struct{ mqtt.Token }

func (r naiveReceipt) Err() error { return r.Error() }

// A broker that takes messages, acknowledges none and closes: nothing may be
// deleted. The naive client fails this test, which is what it is for.
func TestNilTokenIsNoAcknowledgement(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   func(Broker, *[]mqtt.Client) Dialer
		lose bool
	}{
		{"wardkeeper", func(b Broker, _ *[]mqtt.Client) Dialer { return b }, false},
		{"negative control: the token alone", func(b Broker, c *[]mqtt.Client) Dialer { return naive{b, c} }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openStore(t, dbPath(t))
			defer s.Close()
			synctest.Test(t, func(t *testing.T) {
				var clients []mqtt.Client
				b := &broker{noAck: true, cutAfter: 6}
				r := start(t, s, tt.of(scripted(b), &clients))
				for n := range 20 {
					r.emit(event.Alert, n)
					time.Sleep(100 * time.Millisecond)
				}
				time.Sleep(20 * time.Second)
				synctest.Wait()
				lost := unacked(t, b, r, 20)
				if (len(lost) > 0) != tt.lose {
					t.Errorf("deleted without a PUBACK: %v", lost)
				}
				b.set(func(b *broker) { b.noAck, b.cutAfter = false, 0 })
				if !tt.lose { // and once the broker behaves, all arrive
					time.Sleep(10 * time.Minute)
					if got := b.numbers(t); len(got) != 20 {
						t.Errorf("%d of 20 arrived", len(got))
					}
				}
				if err := r.stop(); err != nil {
					t.Fatal(err)
				}
				r.up.opt.Dialer = nil
				// A client that was reconnecting when it was closed can come back by
				// itself; in a bubble nothing may stay.
				time.Sleep(5 * time.Second)
				for _, c := range clients {
					c.Disconnect(0)
				}
				time.Sleep(5 * time.Second)
			})
		})
	}
}

// Peers that are there and yet not: each is noticed in time, told by its name,
// and left; the agent's other tasks never wait for it.
func TestBadPeers(t *testing.T) {
	tests := []struct {
		name   string
		set    func(*broker)
		within time.Duration
		want   string
	}{
		{"takes no data", func(b *broker) { b.deaf = true }, 10 * time.Second, "publish: "}, // the write's end or the connection's, whichever the library tells first
		{"takes no ping", func(b *broker) { b.deafAt = 3 }, 52 * time.Second, "broker takes no data"},
		{"never acknowledges", func(b *broker) { b.noAck = true }, 31 * time.Second, "broker did not acknowledge a message in time"},
		{"answers no ping", func(b *broker) { b.noPong = true }, 55 * time.Second, "connection lost: pingresp not received, disconnecting"},
		{"announces 256 MiB", func(b *broker) { b.flood = []byte{0x30, 0xff, 0xff, 0xff, 0x7f} }, 3*connectTimeout + 5*time.Second, // the library may hang in its handshake once
			"broker announced a packet that is too long: 2097151 bytes or more, at most 1048576"},
		{"sends what no one asked for", func(b *broker) { b.flood = bytes.Repeat([]byte{0x32, 6, 0, 1, 'x', 0, 9, '!'}, 500) }, 0, ""},
		{"is no broker", func(b *broker) { b.flood = []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }, time.Second, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := openStore(t, dbPath(t))
			defer s.Close()
			synctest.Test(t, func(t *testing.T) {
				b := &broker{}
				d := scripted(b)
				tt.set(b)
				r := start(t, s, d)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				synctest.Wait() // the first state message knows of no alert: a second follows
				r.emit(event.Alert, 1)
				time.Sleep(tt.within + time.Millisecond)
				synctest.Wait()
				runtime.ReadMemStats(&after)
				st := r.up.Status()
				if tt.want != "" && (st.LastError == "" || !strings.Contains(st.LastError, tt.want)) {
					t.Errorf("%q, want %q", st.LastError, tt.want)
				}
				if grown := int64(after.TotalAlloc) - int64(before.TotalAlloc); grown > 64<<20 {
					t.Errorf("%d MiB allocated", grown>>20)
				}
				b.set(func(b *broker) { b.deaf, b.deafAt, b.noAck, b.noPong, b.flood = false, 0, false, false, nil })
				time.Sleep(26 * time.Hour) // the deaf one sleeps for a day
				if got := b.numbers(t); !got[1] {
					t.Error("the alert never arrived")
				}
				if err := r.stop(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// A thousand sessions leave no goroutine behind.
func TestNoLeak(t *testing.T) {
	s := openStore(t, dbPath(t))
	defer s.Close()
	synctest.Test(t, func(t *testing.T) {
		b := &broker{cutAfter: 1}
		r := start(t, s, scripted(b))
		time.Sleep(time.Hour)
		synctest.Wait()
		before := runtime.NumGoroutine()
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if n := r.up.Status().Sessions; n < 500 {
			t.Errorf("%d sessions", n)
		}
		if after := runtime.NumGoroutine(); after > before+8 {
			t.Errorf("%d goroutines, %d before", after, before)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestBackoff(t *testing.T) {
	for n, limit := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300} {
		seen := time.Duration(0)
		for range 2000 {
			w := wait(n)
			if w < 50*time.Millisecond || w > limit*time.Second+50*time.Millisecond {
				t.Fatalf("attempt %d: %v", n, w)
			}
			seen = max(seen, w)
		}
		if seen < limit*time.Second*3/4 {
			t.Errorf("attempt %d: never above %v, want up to %v s", n, seen, limit)
		}
	}
	if w := wait(1 << 40); w > mostWait+time.Second {
		t.Error(w)
	}
}

func TestTopics(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{base("st-mary", "gw1") + "/" + upTopic(event.Alert, "deny"), "wardkeeper/v1/st-mary/gw1/up/alert"},
		{upTopic(event.Audit, "policy"), "up/audit"},
		{upTopic(event.Ordinary, "device"), "up/event"},
		{upTopic(event.Telemetry, "conversations"), "up/telemetry"},
		{upTopic(event.State, "inventory"), "up/inventory"},
		{upTopic(event.State, "health"), "up/health"},
		{base("a/b", "#+"), "wardkeeper/v1/a_b/__"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
}

func TestBrokerMessages(t *testing.T) {
	dir := t.TempDir()
	bad := dir + "/bad.pem"
	os.WriteFile(bad, []byte("no"), 0o600)
	b := &broker{}
	for _, tt := range []struct{ url, ca, cert, want string }{
		{"http://x", "", "", `scheme "http": want mqtt or mqtts`},
		{"mqtts://x", bad, "", "read CA " + bad + ": no certificate in it"},
		{"mqtts://x", dir + "/none", "", "read CA: open " + dir + "/none: no such file or directory"},
		{"mqtts://x", "", "none", "certificate of the gateway: none"},
	} {
		br := scripted(b)
		br.URL, _ = url.Parse(tt.url)
		if br.CA = tt.ca; tt.cert != "" {
			br.Certificate = func() (tls.Certificate, error) { return tls.Certificate{}, errors.New(tt.cert) }
		}
		if _, err := br.dial(t.Context()); err == nil || err.Error() != tt.want {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	u, _ := url.Parse("mqtt://user:secret@host:1883")
	if s := (Broker{URL: u}).String(); s != "mqtt://user:xxxxx@host:1883" {
		t.Error(s)
	}
}
