package enrol

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// Authority is the site's CA, with its key: it is where a person works, never
// on a gateway.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// public is what keys of the standard library have.
type public interface{ Equal(crypto.PublicKey) bool }

// ReadAuthority reads a CA's certificate and private key, both PEM.
func ReadAuthority(cert, key []byte) (Authority, error) {
	block := find(cert, certificateType)
	if block == nil {
		return Authority{}, errors.New("read CA: no certificate in it")
	}
	c, err := x509.ParseCertificate(block)
	if err != nil {
		return Authority{}, fmt.Errorf("read CA: %w", err)
	}
	k, err := parseKey(key)
	if err != nil {
		return Authority{}, fmt.Errorf("read the CA's key: %w", err)
	}
	pub, ok := c.PublicKey.(public)
	switch {
	case !ok || !pub.Equal(k.Public()):
		return Authority{}, fmt.Errorf("read CA: the key is not that of the certificate of %q", c.Subject.CommonName)
	case !c.BasicConstraintsValid || !c.IsCA || c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return Authority{}, fmt.Errorf("read CA: %q may not sign certificates", c.Subject.CommonName)
	}
	return Authority{c, k}, nil
}

// backdate is how far a certificate reaches back, for a broker whose clock is
// behind.
const backdate = time.Hour

// Approve signs a request: for a client of TLS, under the one name, from now on
// for so long, but no longer than the CA itself is good for. It returns the
// certificate in PEM and when it ends.
func (a Authority) Approve(r Request, now time.Time, life time.Duration) ([]byte, time.Time, error) {
	if now.Before(a.cert.NotBefore) || now.After(a.cert.NotAfter) {
		return nil, time.Time{}, fmt.Errorf("sign for %s: the CA's own certificate is good from %s to %s", r.Gateway, a.cert.NotBefore.Format(time.DateOnly), a.cert.NotAfter.Format(time.DateOnly))
	}
	from, until := now.Add(-backdate).UTC(), now.Add(life).UTC()
	if from.Before(a.cert.NotBefore) {
		from = a.cert.NotBefore
	}
	if until.After(a.cert.NotAfter) {
		until = a.cert.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{ // without a serial number it takes a random one
		Subject: pkix.Name{CommonName: r.Gateway}, DNSNames: []string{r.Gateway}, NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}, a.cert, r.key, a.key)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("sign for %s: %w", r.Gateway, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: certificateType, Bytes: der}), until, nil
}
