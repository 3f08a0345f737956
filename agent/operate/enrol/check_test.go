package enrol

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// TestRenewedCA: the CA's new certificate, of the same key, is younger than the
// gateway's, which stays good; one of another key is not the site's.
func TestRenewedCA(t *testing.T) {
	then := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	made := func(tmpl, parent *x509.Certificate, pub, by *ecdsa.PrivateKey) []byte {
		der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &pub.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: certificateType, Bytes: der})
	}
	ca := func(from time.Time) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(from.Unix()), Subject: pkix.Name{CommonName: "site CA"}, NotBefore: from, NotAfter: from.AddDate(10, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	}
	caKey, other, gwKey := key(), key(), key()
	old, renewed := ca(then.AddDate(-1, 0, 0)), ca(then.AddDate(1, 0, 0))
	cert := made(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "gw1"}, NotBefore: then, NotAfter: then.AddDate(3, 0, 0),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, old, gwKey, caKey)
	for _, c := range []struct {
		name string
		ca   []byte
		good bool
	}{
		{"its own", made(old, old, caKey, caKey), true},
		{"renewed", made(renewed, renewed, caKey, caKey), true},
		{"of another key", made(renewed, renewed, other, other), false},
		{"begins after the gateway's ends", made(ca(then.AddDate(4, 0, 0)), ca(then.AddDate(4, 0, 0)), caKey, caKey), false},
	} {
		if _, err := Check(cert, c.ca, "gw1", &gwKey.PublicKey); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
