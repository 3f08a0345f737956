package enrol

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const year = 365 * 24 * time.Hour

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func keyPEM(t testing.TB, k crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// selfSigned is a certificate in PEM of the template, by its own key.
func selfSigned(t testing.TB, tmpl x509.Certificate, key crypto.Signer) []byte {
	t.Helper()
	tmpl.SerialNumber = big.NewInt(1)
	der, err := x509.CreateCertificate(rand.Reader, &tmpl, &tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: certificateType, Bytes: der})
}

// site is a CA of ten years with its certificate in PEM.
func site(t testing.TB, from time.Time) (Authority, []byte) {
	t.Helper()
	key := newKey(t)
	cert := selfSigned(t, x509.Certificate{Subject: pkix.Name{CommonName: "st-mary CA"}, NotBefore: from, NotAfter: from.Add(10 * year),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, key)
	a, err := ReadAuthority(cert, keyPEM(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return a, cert
}

func request(t testing.TB, gateway string, key crypto.Signer) Request {
	t.Helper()
	text, err := newRequest(gateway, key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRequest(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestApprove(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	ca, caPEM := site(t, now.Add(-year))
	key := newKey(t)
	cert, until, err := ca.Approve(request(t, "st-mary-7b", key), now, 3*year)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := Check(cert, caPEM, "st-mary-7b", key.Public())
	if err != nil {
		t.Fatal(err)
	}
	type shape struct {
		CN          string
		DNS         []string
		From, Until time.Time
		CA          bool
		Usage       x509.KeyUsage
		Ext         []x509.ExtKeyUsage
	}
	c := chain[0]
	want := shape{"st-mary-7b", []string{"st-mary-7b"}, now.Add(-time.Hour), now.Add(3 * year), false, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if diff := cmp.Diff(want, shape{c.Subject.CommonName, c.DNSNames, c.NotBefore, c.NotAfter, c.IsCA, c.KeyUsage, c.ExtKeyUsage}); diff != "" || !until.Equal(want.Until) {
		t.Errorf("certificate, until %v (-want +got):\n%s", until, diff)
	}
	again, _, err := ca.Approve(request(t, "st-mary-7b", key), now, 3*year)
	if err != nil {
		t.Fatal(err)
	}
	if c2, err := certificates(again); err != nil || c2[0].SerialNumber.Cmp(c.SerialNumber) == 0 || c.SerialNumber.BitLen() < 64 {
		t.Errorf("serial numbers %v and %v, %v: want random ones", c.SerialNumber, c2[0].SerialNumber, err)
	}
	if _, until, err := ca.Approve(request(t, "x", key), now, 30*year); err != nil || !until.Equal(now.Add(9*year)) {
		t.Errorf("longer than the CA: until %v, %v", until, err)
	}
	for _, at := range []time.Time{now.Add(-2 * year), now.Add(10 * year)} {
		if _, _, err := ca.Approve(request(t, "x", key), at, year); err == nil || !strings.Contains(err.Error(), "is good from 2025-03-01 to 2035-02-27") {
			t.Errorf("at %v: %v", at, err)
		}
	}
}

func TestReadAuthorityRefuses(t *testing.T) {
	now := time.Now()
	_, cert := site(t, now)
	key := newKey(t)
	tmpl := x509.Certificate{Subject: pkix.Name{CommonName: "gw1"}, NotBefore: now, NotAfter: now.Add(year)}
	weak := tmpl
	weak.IsCA, weak.BasicConstraintsValid, weak.KeyUsage = true, true, x509.KeyUsageDigitalSignature
	sealed := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	for _, tt := range []struct {
		name      string
		cert, key []byte
		want      string
	}{
		{"another's key", cert, keyPEM(t, key), `the key is not that of the certificate of "st-mary CA"`},
		{"no CA", selfSigned(t, tmpl, key), keyPEM(t, key), `"gw1" may not sign certificates`},
		{"no signer of certificates", selfSigned(t, weak, key), keyPEM(t, key), `"gw1" may not sign certificates`},
		{"swapped", keyPEM(t, key), cert, "no certificate in it"},
		{"certificate for a key", cert, cert, "no private key in it"},
		{"encrypted", cert, sealed, "openssl pkey"},
	} {
		if _, err := ReadAuthority(tt.cert, tt.key); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

// A request is often what a terminal has recorded of the serial line.
func TestParseRequestFromTerminal(t *testing.T) {
	key := newKey(t)
	text, err := newRequest("gw-1", key)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if len(line) > 79 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	noisy := "gw-1> show request\r\n" + strings.ReplaceAll(string(text), "\n", "\r\n") + "gw-1> "
	r, err := ParseRequest([]byte(noisy))
	if err != nil {
		t.Fatal(err)
	}
	fp, err := Fingerprint(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if r.Gateway != "gw-1" || r.Fingerprint != fp || len(fp) != 79 {
		t.Errorf("%q, %q; want gw-1, %q", r.Gateway, r.Fingerprint, fp)
	}
	if typed := strings.ToUpper(strings.ReplaceAll(fp, " ", ":")); !SameFingerprint(typed, fp) || SameFingerprint(fp[1:], fp) || SameFingerprint("", fp) {
		t.Errorf("comparing %q with %q", typed, fp)
	}
}

func TestParseRequestRefuses(t *testing.T) {
	key := newKey(t)
	of := func(tmpl x509.CertificateRequest, key crypto.Signer) []byte {
		der, err := x509.CreateCertificateRequest(rand.Reader, &tmpl, key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: requestType, Bytes: der})
	}
	named := func(cn string) x509.CertificateRequest {
		return x509.CertificateRequest{Subject: pkix.Name{CommonName: cn}}
	}
	more := named("gw1")
	more.DNSNames = []string{"gw1", "gw2"}
	address := named("gw1")
	address.IPAddresses = []net.IP{{10, 0, 0, 1}}
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// another's key under the signature: the last bytes of the key are in the
	// middle of the request
	forged, _ := pem.Decode(of(named("gw1"), key))
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.MarshalPKIXPublicKey(newKey(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	forged.Bytes = bytes.Replace(forged.Bytes, pub, other, 1)
	for _, tt := range []struct {
		name string
		text []byte
		want string
	}{
		{"nothing", nil, "no BEGIN CERTIFICATE REQUEST in it"},
		{"a key", keyPEM(t, key), "no BEGIN CERTIFICATE REQUEST in it"},
		{"garbage", pem.EncodeToMemory(&pem.Block{Type: requestType, Bytes: []byte("x")}), "asn1"},
		{"another's key", pem.EncodeToMemory(forged), "its signature is not of its key"},
		{"no name", of(named(""), key), `name "": want 1 to 64`},
		{"two levels of a topic", of(named("a/b"), key), `name "a/b": want`},
		{"wildcard", of(named("+"), key), `name "+": want`},
		{"a user of the broker", of(named("user:collector"), key), `name "user:collector": want`},
		{"too long", of(named(strings.Repeat("x", 65)), key), "want 1 to 64"},
		{"another's name besides", of(more, key), "gw1 asks for more names than its own"},
		{"an address", of(address, key), "gw1 asks for more names than its own"},
		{"a small RSA key", of(named("gw1"), small), "RSA key of 2048 bits: want 3072 or more"},
		{"a small curve", of(named("gw1"), p224), "ECDSA key of 224 bits: want P-256 or more"},
	} {
		if _, err := ParseRequest(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

// FuzzParseRequest: whatever is read can be signed, and only for its name.
func FuzzParseRequest(f *testing.F) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	ca, _ := site(f, now)
	text, err := newRequest("gw1", newKey(f))
	if err != nil {
		f.Fatal(err)
	}
	block, _ := pem.Decode(text)
	f.Add(block.Bytes)
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := ParseRequest(pem.EncodeToMemory(&pem.Block{Type: requestType, Bytes: der}))
		if err != nil {
			return
		}
		cert, _, err := ca.Approve(r, now, year)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := certificates(cert); err != nil || c[0].Subject.CommonName != r.Gateway || !name.MatchString(r.Gateway) {
			t.Errorf("%v for %q, %v", c, r.Gateway, err)
		}
	})
}
