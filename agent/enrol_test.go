package agent

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/operate/enrol"
)

// TestUnprovisioned: a box out of its carton, with the image's configuration,
// learns who is on the ward and stands in nobody's way, whatever it is told to
// do later.
func TestUnprovisioned(t *testing.T) {
	inGateway(t, "", func(g *gateway) {
		// as cmd/wardimage writes it
		g.write(filepath.Join(g.dir, "wardkeeper.toml"), fmt.Sprintf("[ports]\nuplink = \"up0\"\nward = [\"w1\", \"w2\"]\n[console]\ndevice = \"/dev/ttyS0\"\nbaud = 115200\n[state]\ndir = %q\n", g.state()))
		g.line = g.host.Serial.Add("/dev/ttyS0")
		for range 2 { // and after a power cut
			g.start()
			g.replay("w1", "w1.pcap", pumpMAC())
			g.shows("show devices", "infusion-pump-lvp")
			g.shows("show status", "works; nothing is wrong", "no device is fenced in")
			g.shows("show uplink", "none configured")
			g.shows("show request", "no request")
			if !g.reachesPump() {
				t.Error("an unprovisioned box does not let traffic pass")
			}
			if got := g.conditions(); len(got) > 0 {
				t.Errorf("conditions %v", got)
			}
			g.stop()
		}
		if g.broker.dials > 0 {
			t.Errorf("dialled %d times without a broker", g.broker.dials)
		}
	})
}

// TestEnrolment: a box that was provisioned without a certificate observes and
// lets pass; once a person has signed what its console shows, it talks to the
// broker, without a new start.
func TestEnrolment(t *testing.T) {
	inGateway(t, "", func(g *gateway) {
		ca, caPEM, server := siteCA(t)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(caPEM)
		g.broker.tls = &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
		pki := filepath.Join(g.dir, "etc")
		if err := os.Mkdir(pki, 0o700); err != nil {
			t.Fatal(err)
		}
		g.write(filepath.Join(pki, "ca.pem"), string(caPEM))
		plain := `url = "mqtt://127.0.0.1:1883"`
		text, err := os.ReadFile(filepath.Join(g.dir, "wardkeeper.toml"))
		if err != nil || !strings.Contains(string(text), plain) {
			t.Fatal(err)
		}
		g.write(filepath.Join(g.dir, "wardkeeper.toml"), strings.Replace(string(text), plain, fmt.Sprintf("url = \"mqtts://mqtt.hospital.example\"\nca = %q\ncert = %q\nkey = %q",
			filepath.Join(pki, "ca.pem"), filepath.Join(pki, "gateway.pem"), filepath.Join(g.dir, "pki/gateway.key")), 1))

		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		g.shows("show devices", "infusion-pump-lvp")
		if !g.reachesPump() {
			t.Error("a box without a certificate does not let traffic pass")
		}
		if diff := cmp.Diff([]string{"enrol.waiting", "uplink.down"}, g.conditions()); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
		g.shows("show uplink", "certificate of the gateway: waiting for its")
		shown := g.show("show request")
		r, err := enrol.ParseRequest([]byte(shown))
		if err != nil {
			t.Fatalf("%v\n%s", err, shown)
		}
		if r.Gateway != "gw1" || !strings.Contains(strings.Join(strings.Fields(shown), " "), r.Fingerprint) {
			t.Errorf("request of %s with key %s, the console shows\n%s", r.Gateway, r.Fingerprint, shown)
		}
		if got := g.log.lines(r.Fingerprint); len(got) != 1 {
			t.Errorf("log lines with the fingerprint: %q, want 1", got)
		}

		cert, _, err := ca.Approve(r, time.Now(), 3*365*24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		g.write(filepath.Join(pki, "gateway.pem"), string(cert))
		g.wait(10 * time.Minute) // the longest pause between two attempts
		if got := g.conditions(); len(got) > 0 {
			t.Errorf("conditions %v\n%s", got, g.show("show uplink"))
		}
		g.shows("show uplink", "connected since", "identity  enrolled until 2002-12-31")
		g.complete()
	})
}

// siteCA is a site's CA, its certificate, and the broker's.
func siteCA(t *testing.T) (enrol.Authority, []byte, tls.Certificate) {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	caKey, serverKey := key(), key()
	caTmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "s1 CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	sign := func(tmpl *x509.Certificate, pub crypto.PublicKey) []byte {
		der, err := x509.CreateCertificate(rand.Reader, tmpl, caTmpl, pub, caKey)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	caPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sign(caTmpl, caKey.Public())})
	keyDER, err := x509.MarshalPKCS8PrivateKey(caKey)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := enrol.ReadAuthority(caPEM, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	if err != nil {
		t.Fatal(err)
	}
	server := sign(&x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"mqtt.hospital.example"}, NotBefore: caTmpl.NotBefore, NotAfter: caTmpl.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, serverKey.Public())
	return ca, caPEM, tls.Certificate{Certificate: [][]byte{server}, PrivateKey: serverKey}
}
