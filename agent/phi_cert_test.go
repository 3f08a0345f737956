package agent

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"time"
)

// certificate has a person in each of its names.
func (k *traffic) certificate() string {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	name := func() pkix.Name {
		return pkix.Name{CommonName: k.next(), Organization: []string{k.next()}, OrganizationalUnit: []string{k.next()}, Locality: []string{k.next()}, StreetAddress: []string{k.next()}, SerialNumber: k.next()}
	}
	c := x509.Certificate{SerialNumber: big.NewInt(1), Subject: name(), NotAfter: time.Unix(2e9, 0), DNSNames: []string{k.next() + "s-macbook.clinic.example"}, EmailAddresses: []string{k.next() + "@clinic.example"},
		URIs: []*url.URL{{Scheme: "urn", Opaque: k.next()}}}
	der, err := x509.CreateCertificate(nil, &c, &x509.Certificate{Subject: name()}, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return string(der)
}
