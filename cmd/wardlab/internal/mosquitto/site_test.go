package mosquitto

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/operate/enrol"
	"github.com/wardkeeper/wardkeeper/agent/report/uplink"
)

// site is a hospital's CA and its broker, set up as scripts/mosquitto says.
type site struct {
	t      *testing.T
	dir    string // as /etc/mosquitto/wardkeeper
	ca     enrol.Authority
	caCert *x509.Certificate
	caKey  *ecdsa.PrivateKey
	port   int
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func encode(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// scripts is where the broker's files are.
const scripts = "../../../../scripts/mosquitto"

// newSite makes the CA, and starts the broker, with some lines added to its ACL.
func newSite(t *testing.T, lines ...string) *site {
	t.Helper()
	program, err := Find()
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	s := &site{t: t, dir: t.TempDir(), caKey: newKey(t)}
	s.caCert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "st-mary CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	ca := s.sign(s.caCert, s.caKey.Public())
	if s.ca, err = enrol.ReadAuthority(ca, encode(t, s.caKey)); err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	// 10.0.2.2 is this machine as a guest of QEMU sees it
	cert := s.sign(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "broker"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 2, 2)},
		NotBefore: s.caCert.NotBefore, NotAfter: s.caCert.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, key.Public())
	s.write("ca.pem", ca)
	s.write("broker.pem", cert)
	s.write("broker.key", encode(t, key))
	acl, err := os.ReadFile(filepath.Join(scripts, "acl"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("acl", []byte(string(acl)+"\n"+strings.Join(lines, "\n")))
	conf, err := os.ReadFile(filepath.Join(scripts, "mosquitto.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if s.port, err = freePort(); err != nil {
		t.Fatal(err)
	}
	text := string(conf)
	for from, to := range map[string]string{"\nlistener 8883\n": fmt.Sprintf("\nlistener %d 127.0.0.1\n", s.port), "/etc/mosquitto/wardkeeper/": s.dir + "/", "/var/lib/mosquitto/": s.dir + "/"} {
		if !strings.Contains(text, from) {
			t.Fatalf("scripts/mosquitto/mosquitto.conf has no %q", from)
		}
		text = strings.ReplaceAll(text, from, to)
	}
	b, err := launch(program, s.dir, s.port, text)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *site) write(name string, text []byte) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// sign issues a certificate as the CA's own tools would.
func (s *site) sign(tmpl *x509.Certificate, key crypto.PublicKey) []byte {
	s.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tmpl, s.caCert, key, s.caKey)
	if err != nil {
		s.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// enrolled is the certificate of a gateway whose request was approved.
func (s *site) enrolled(gateway string) tls.Certificate {
	s.t.Helper()
	key := newKey(s.t)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: gateway}}, key)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := enrol.ParseRequest(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	if err != nil {
		s.t.Fatal(err)
	}
	cert, _, err := s.ca.Approve(r, time.Now(), 24*time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.pair(cert, key)
}

func (s *site) pair(cert []byte, key *ecdsa.PrivateKey) tls.Certificate {
	s.t.Helper()
	pair, err := tls.X509KeyPair(cert, encode(s.t, key))
	if err != nil {
		s.t.Fatal(err)
	}
	return pair
}

// collector is the certificate of the one who reads everything.
func (s *site) collector() tls.Certificate { return s.person("ward:collector") }

// person is a certificate that the CA's own tools made.
func (s *site) person(name string) tls.Certificate {
	key := newKey(s.t)
	return s.pair(s.sign(&x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name}, NotBefore: s.caCert.NotBefore, NotAfter: s.caCert.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, key.Public()), key)
}

// client is somebody with a certificate, and with any program.
func (s *site) client(id string, pair tls.Certificate, got *list) mqtt.Client {
	s.t.Helper()
	ca, err := os.ReadFile(filepath.Join(s.dir, "ca.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	opt := mqtt.NewClientOptions().AddBroker(fmt.Sprintf("ssl://127.0.0.1:%d", s.port)).SetClientID(id).SetAutoReconnect(false).SetProtocolVersion(4).
		SetTLSConfig(&tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots}).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { got.add(m.Topic() + " " + string(m.Payload())) })
	c := mqtt.NewClient(opt)
	if err := await(c.Connect()); err != nil {
		s.t.Fatalf("client %s: %v", id, err)
	}
	s.t.Cleanup(func() { c.Disconnect(0) })
	return c
}

// gateway opens a session as the agent does.
func (s *site) gateway(name string, certificate func() (tls.Certificate, error)) (uplink.Session, error) {
	return s.hearing(name, certificate, func(uplink.Message) {})
}

// hearing is a gateway that takes what comes.
func (s *site) hearing(name string, certificate func() (tls.Certificate, error), take func(uplink.Message)) (uplink.Session, error) {
	b := uplink.Broker{URL: &url.URL{Scheme: "mqtts", Host: fmt.Sprintf("127.0.0.1:%d", s.port)}, CA: filepath.Join(s.dir, "ca.pem"), ClientID: name, Certificate: certificate, Now: time.Now}
	return b.Connect(s.t.Context(), uplink.Message{Topic: "wardkeeper/v1/st-mary/" + name + "/state", Payload: []byte("gone"), Retained: true}, take)
}

// TestEachGatewayItsOwn: at a broker that is set up as scripts/mosquitto says, a
// gateway writes its own topics and no others, hears nothing but what is meant
// for it, and can take nobody's place; the collector reads everything.
func TestEachGatewayItsOwn(t *testing.T) {
	s := newSite(t)
	var all, spied list
	collector := s.client("anything", s.collector(), &all)
	if err := await(collector.Subscribe("wardkeeper/v1/#", 1, nil)); err != nil {
		t.Fatal(err)
	}
	certA, certB := s.enrolled("gw-a"), s.enrolled("gw-b")
	open := func(name string, cert tls.Certificate) uplink.Session {
		t.Helper()
		session, err := s.gateway(name, func() (tls.Certificate, error) { return cert, nil })
		if err != nil {
			t.Fatal(err)
		}
		return session
	}
	// send returns once the broker has said what it says; of a message that it
	// refuses it may end the session
	send := func(session uplink.Session, topic, text string) {
		t.Helper()
		r := session.Publish(uplink.Message{Topic: topic, Payload: []byte(text)})
		select {
		case <-r.Done():
		case <-session.Lost():
		case <-time.After(answerLimit):
			t.Fatalf("%s: no answer", topic)
		}
	}
	const base = "wardkeeper/v1/st-mary/"
	a, b := open("gw-a", certA), open("gw-b", certB)
	send(a, base+"gw-a/up/alert", "own")
	send(a, base+"gw-a/state", "own")
	send(b, base+"gw-b/up/telemetry", "own")

	// gw-b's certificate with another program, which claims to be gw-a: it is
	// gw-b all the same, whose session it takes
	thief := s.client("gw-a", certB, &spied)
	select {
	case <-b.Lost():
	case <-a.Lost():
		t.Error("gw-a lost its session to one who only called himself so")
	case <-time.After(answerLimit):
		t.Error("gw-b has two sessions")
	}
	if err := await(thief.Subscribe("#", 1, nil)); err != nil {
		t.Logf("a gateway subscribes: %v", err) // refused now, or given nothing later
	}
	send(a, base+"gw-a/up/event", "own")
	thief.Publish(base+"gw-a/up/alert", 1, false, "foreign").WaitTimeout(answerLimit)
	a.Close(true)
	for _, topic := range []string{base + "gw-b/up/alert", base + "gw-b/state", "wardkeeper/v1/elsewhere/gw-a/up/alert", base + "gw-a/down/cmd/1", base + "all/down/desired/policy", base + "gw-a", "other"} {
		a := open("gw-a", certA)
		send(a, topic, "foreign")
		a.Close(true)
	}
	a = open("gw-a", certA)
	send(a, base+"gw-a/up/event", "last")
	a.Close(true)

	until(t, "the last arrives", func() bool { return slices.Contains(all.all(), base+"gw-a/up/event last") })
	var got []string
	for _, m := range all.all() {
		if !strings.HasSuffix(m, "/state gone") { // the wills of sessions that were cut
			got = append(got, m)
		}
	}
	want := []string{base + "gw-a/up/alert own", base + "gw-a/state own", base + "gw-b/up/telemetry own", base + "gw-a/up/event own", base + "gw-a/up/event last"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("at the collector (-want +got):\n%s", diff)
	}
	if got := spied.all(); len(got) > 0 {
		t.Errorf("a gateway reads %q", got)
	}
}

// TestStrangers: without a certificate of the site's CA nobody gets a session.
func TestStrangers(t *testing.T) {
	s := newSite(t)
	key := newKey(t)
	own := &x509.Certificate{SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "gw-a"}, NotBefore: s.caCert.NotBefore, NotAfter: s.caCert.NotAfter}
	der, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	for name, certificate := range map[string]func() (tls.Certificate, error){
		"no certificate": nil,
		"signed by itself": func() (tls.Certificate, error) {
			return s.pair(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key), nil
		},
	} {
		if session, err := s.gateway("gw-a", certificate); err == nil {
			t.Errorf("%s: has a session", name)
			session.Close(false)
		}
	}
	session, err := s.gateway("gw-a", func() (tls.Certificate, error) { return s.enrolled("gw-a"), nil })
	if err != nil {
		t.Fatalf("enrolled: %v", err)
	}
	session.Close(true)
}
