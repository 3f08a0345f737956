package uplink

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

// collector is a subscriber with a session that the broker keeps.
type collector struct {
	client mqtt.Client
	mu     sync.Mutex
	seqs   map[string]map[uint64]int // class → seq → times
	topics map[string]int
	states []string
	bad    []error
}

func collect(t *testing.T, addr string, tlsCfg *tls.Config) *collector {
	t.Helper()
	c := &collector{seqs: make(map[string]map[uint64]int), topics: make(map[string]int)}
	scheme := "tcp"
	if tlsCfg != nil {
		scheme = "ssl"
	}
	o := mqtt.NewClientOptions().AddBroker(scheme + "://" + addr).SetClientID("collector").SetCleanSession(false).SetProtocolVersion(4).
		SetResumeSubs(true).SetMaxReconnectInterval(200 * time.Millisecond).SetConnectRetry(true).SetConnectRetryInterval(50 * time.Millisecond).SetTLSConfig(tlsCfg)
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { c.take(t, m) })
	c.client = mqtt.NewClient(o)
	if tk := c.client.Connect(); !tk.WaitTimeout(5*time.Second) || tk.Error() != nil {
		t.Fatal("collector: ", tk.Error())
	}
	if tk := c.client.Subscribe("wardkeeper/v1/#", 1, nil); !tk.WaitTimeout(5*time.Second) || tk.Error() != nil {
		t.Fatal("collector: ", tk.Error())
	}
	t.Cleanup(func() { c.client.Disconnect(100) })
	return c
}

func (c *collector) take(t *testing.T, m mqtt.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.topics[m.Topic()]++
	if strings.Contains(m.Topic(), "/down/") || strings.Contains(m.Topic(), "/up/cmd/") {
		return
	}
	if strings.HasSuffix(m.Topic(), "/state") {
		c.states = append(c.states, string(m.Payload()))
		return
	}
	if len(m.Payload()) > 64<<10 {
		c.bad = append(c.bad, fmt.Errorf("payload of %d bytes", len(m.Payload())))
	}
	for _, e := range envelopes(t, m.Payload()) {
		if c.seqs[e.Class] == nil {
			c.seqs[e.Class] = make(map[uint64]int)
		}
		c.seqs[e.Class][e.Seq]++
	}
}

// missing lists the numbers 1…n of a class that never came, and how many came
// twice.
func (c *collector) missing(class string, n uint64) (missing []uint64, twice int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for seq := uint64(1); seq <= n; seq++ {
		switch c.seqs[class][seq] {
		case 0:
			missing = append(missing, seq)
		case 1:
		default:
			twice++
		}
	}
	return missing, twice
}

// until waits for a condition of the world outside.
func until(t *testing.T, what string, limit time.Duration, f func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("after %v not yet: %s", limit, what)
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func at(addr string) Broker {
	return Broker{URL: &url.URL{Scheme: "mqtt", Host: addr}, ClientID: "gw1", Now: time.Now}
}

func ignore(Message) {}

// allow lets everyone in; mochi's own such hook would bring a YAML library.
type allow struct{ mochi.HookBase }

func (allow) ID() string                                               { return "allow" }
func (allow) Provides(b byte) bool                                     { return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck }
func (allow) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (allow) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

func startMochi(t *testing.T, addr string, tlsCfg *tls.Config) *mochi.Server {
	t.Helper()
	srv := mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := srv.AddHook(new(allow), nil); err != nil {
		t.Fatal(err)
	}
	if err := srv.AddListener(listeners.NewTCP(listeners.Config{ID: "t", Address: addr, TLSConfig: tlsCfg})); err != nil {
		t.Fatal(err)
	}
	if err := srv.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { go srv.Close() }) // mochi 2.7.9 may wait for itself for ever
	return srv
}

// Every event of every class arrives at a broker of another make, batched,
// compressed, below its topic; then the gateway says goodbye.
func TestAtMochi(t *testing.T) {
	addr := freeAddr(t)
	startMochi(t, addr, nil)
	c := collect(t, addr, nil)
	s := openStore(t, dbPath(t))
	defer s.Close()
	r := start(t, s, at(addr))
	for n := range 400 {
		r.emit(event.Alert, n)
		r.emit(event.Ordinary, n)
		r.emit(event.Telemetry, n)
	}
	r.queue.Emit(event.Event{Class: event.State, Key: "health", Body: event.Health{}})
	until(t, "all alerts", 20*time.Second, func() bool {
		for _, class := range []string{"alert", "event", "telemetry"} {
			if m, _ := c.missing(class, 400); len(m) > 0 {
				return false
			}
		}
		return true
	})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	until(t, "goodbye", 5*time.Second, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.states) > 0 && strings.Contains(c.states[len(c.states)-1], `"online":false`)
	})
	last := c.states[len(c.states)-1]
	if !strings.Contains(last, `"seq":{"alert":400,"event":400,"state":1,"telemetry":400}`) {
		t.Errorf("goodbye %s", last)
	}
	for _, topic := range []string{"up/alert", "up/event", "up/telemetry", "up/health", "state"} {
		if c.topics["wardkeeper/v1/st-mary/gw1/"+topic] == 0 {
			t.Errorf("nothing on %s: %v", topic, c.topics)
		}
	}
	if len(c.bad) > 0 {
		t.Error(c.bad)
	}
	if p := r.box.Stats().Pending; len(p) != 0 {
		t.Errorf("pending %v", p)
	}
}

// certs makes a CA with a server's and a client's certificate.
func certs(t *testing.T, dir string, notBefore time.Time) (server *tls.Config) {
	t.Helper()
	write := func(name, kind string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	caKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: notBefore, NotAfter: notBefore.AddDate(3, 0, 0)}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	write("ca.pem", "CERTIFICATE", caDER)
	for i, name := range []string{"server", "gw1"} {
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		tmpl := &x509.Certificate{SerialNumber: big.NewInt(int64(2 + i)), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			NotBefore: notBefore, NotAfter: notBefore.AddDate(3, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, ca, &key.PublicKey, caKey)
		if err != nil {
			t.Fatal(err)
		}
		write(name+".pem", "CERTIFICATE", der)
		k, _ := x509.MarshalPKCS8PrivateKey(key)
		write(name+".key", "PRIVATE KEY", k)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	caPEM, _ := os.ReadFile(filepath.Join(dir, "ca.pem"))
	pool.AppendCertsFromPEM(caPEM)
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
}

// With certificates of both sides; a box that believes in 1970 connects all the
// same, by the floor of its clock, and one without a certificate does not.
func TestMutualTLS(t *testing.T) {
	dir := t.TempDir()
	cfg := certs(t, dir, time.Now().Add(-time.Hour))
	addr := freeAddr(t)
	startMochi(t, addr, cfg)
	tests := []struct {
		name string
		set  func(*Broker)
		want string // part of the error
	}{
		{"good", func(*Broker) {}, ""},
		{"the floor", func(b *Broker) { b.Now = func() time.Time { return time.Now().Add(-time.Minute) } }, ""},
		{"1970", func(b *Broker) { b.Now = func() time.Time { return time.Unix(0, 0) } }, "certificate has expired or is not yet valid"},
		{"no client certificate", func(b *Broker) { b.Certificate = nil }, "certificate required"},
		{"another CA", func(b *Broker) { b.CA = "" }, "certificate signed by unknown authority"},
		{"another name", func(b *Broker) { b.URL.Host = strings.Replace(b.URL.Host, "127.0.0.1", "localhost", 1) }, "certificate is not valid for any names"},
	}
	for _, tt := range tests {
		b := at(addr)
		b.URL.Scheme = "mqtts"
		b.CA = filepath.Join(dir, "ca.pem")
		b.Certificate = func() (tls.Certificate, error) {
			return tls.LoadX509KeyPair(filepath.Join(dir, "gw1.pem"), filepath.Join(dir, "gw1.key"))
		}
		tt.set(&b)
		s, err := b.Connect(t.Context(), Message{Topic: "wardkeeper/v1/st-mary/gw1/state", Payload: []byte("{}")}, ignore)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want == "":
			r := s.Publish(Message{Topic: "x", Payload: []byte("y")})
			select {
			case <-r.Done():
			case <-time.After(5 * time.Second):
				t.Fatalf("%s: no end", tt.name)
			}
			if err := r.Err(); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			s.Close(true)
		case err == nil || !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A cancelled connect returns at once, whatever the peer does.
func TestConnectIsCancelled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // accepts in the kernel, answers nothing
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := at(l.Addr().String()).Connect(ctx, Message{Topic: "t"}, ignore); err != context.DeadlineExceeded {
		t.Error(err)
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Error(d)
	}
}

func TestPack(t *testing.T) {
	p, err := newPacker()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	short, long := bytes.Repeat([]byte("x"), packAbove), bytes.Repeat([]byte(`{"v":1}`+"\n"), 1000)
	noise := make([]byte, 4096)
	rand.Read(noise)
	for _, in := range [][]byte{short, noise} {
		if got := pack(p, in); !bytes.Equal(got, in) {
			t.Errorf("%d bytes were packed to %d", len(in), len(got))
		}
	}
	z := pack(p, long)
	if len(z) > len(long)/10 || z[0] != 0x28 || len(envelopes(t, z)) != 1000 {
		t.Errorf("%d bytes of %d", len(z), len(long))
	}
}

// hears checks at a real broker that what it has retained comes at each
// connect, commands come once, and answers go out.
func hears(t *testing.T, addr string) {
	c := collect(t, addr, nil) // it would reconnect; here it publishes
	publish := func(topic, payload string, retain bool) {
		t.Helper()
		if tk := c.client.Publish(topic, 1, retain, payload); !tk.WaitTimeout(5*time.Second) || tk.Error() != nil {
			t.Fatal(tk.Error())
		}
	}
	publish("wardkeeper/v1/st-mary/all/down/desired/root", "root", true)
	publish("wardkeeper/v1/st-mary/grp/icu/down/desired/policy", "policy", true)
	publish("wardkeeper/v1/st-mary/grp/er/down/desired/policy", "another's", true)
	publish(down1+"cmd/before", "nobody hears it", false)
	for range 2 {
		s := openStore(t, dbPath(t))
		e := &ear{}
		r := start(t, s, at(addr), e.hear)
		until(t, "what is retained", 5*time.Second, func() bool { return len(e.all()) == 2 })
		until(t, "all filters are granted", 5*time.Second, func() bool { return r.up.Status().Connected && len(r.up.Status().Deaf) == 0 })
		publish(down1+"cmd/c1", "one", false)
		publish("wardkeeper/v1/st-mary/all/down/cmd/c2", "two", false)
		publish("wardkeeper/v1/st-mary/gw2/down/cmd/c3", "three", false)
		publish(down1+"cmd/c4", "four", false)
		until(t, "the commands", 5*time.Second, func() bool { return len(e.all()) == 5 })
		got := e.all()
		slices.Sort(got[:2]) // of two filters
		if diff := cmp.Diff([]string{"desired/policy policy retained", "desired/root root retained", "cmd/c1 one", "cmd/c2 two", "cmd/c4 four"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		r.up.Answer("c1", []byte(`{"v":1}`))
		until(t, "the answer", 5*time.Second, func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.topics["wardkeeper/v1/st-mary/gw1/up/cmd/c1"] > 0
		})
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}

func TestHearsAtMochi(t *testing.T) {
	addr := freeAddr(t)
	startMochi(t, addr, nil)
	hears(t, addr)
}

// deny refuses every subscription but the collector's.
type deny struct{ mochi.HookBase }

func (deny) ID() string           { return "deny" }
func (deny) Provides(b byte) bool { return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck }
func (deny) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool {
	return true
}
func (deny) OnACLCheck(_ *mochi.Client, _ string, write bool) bool { return write }

// A real broker's refusal is seen as one.
func TestRefusedByMochi(t *testing.T) {
	addr := freeAddr(t)
	srv := mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := srv.AddHook(new(deny), nil); err != nil {
		t.Fatal(err)
	}
	if err := srv.AddListener(listeners.NewTCP(listeners.Config{ID: "t", Address: addr})); err != nil {
		t.Fatal(err)
	}
	if err := srv.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { go srv.Close() }) // mochi 2.7.9 may wait for itself for ever
	s := openStore(t, dbPath(t))
	defer s.Close()
	e := &ear{}
	r := start(t, s, at(addr), e.hear)
	until(t, "four refusals", 5*time.Second, func() bool { return len(r.up.Status().Deaf) == 4 })
	r.emit(event.Alert, 1)
	until(t, "the alert is acknowledged", 5*time.Second, func() bool { return r.up.Status().Acked == 1 })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
}
