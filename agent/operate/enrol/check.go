package enrol

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Check reads a gateway's certificate, with those of intermediate CAs behind
// it, and says why the gateway could not use it. key is the gateway's, nil where
// it is not known; ca is in PEM, nil where the system's are used, which are for
// brokers and say nothing of gateways. The time does not matter: a box without a
// clock must not lose its certificate by that.
func Check(cert, ca []byte, gateway string, key crypto.PublicKey) ([]*x509.Certificate, error) {
	chain, err := certificates(cert)
	if err != nil {
		return nil, err
	}
	own := chain[0]
	if own.Subject.CommonName != gateway {
		return nil, fmt.Errorf("it is for %q, this gateway is %q", own.Subject.CommonName, gateway)
	}
	if key != nil {
		if pub, ok := own.PublicKey.(public); !ok || !pub.Equal(key) {
			return nil, errors.New("it is for another key: sign this gateway's own request")
		}
	}
	if ca == nil {
		return chain, nil
	}
	cas, err := certificates(ca)
	if err != nil {
		return nil, errors.New("the CA to compare with has no certificate in it")
	}
	if err := ofCA(chain, cas); err != nil {
		return nil, fmt.Errorf("it is not of this site's CA for clients: %w", err)
	}
	return chain, nil
}

// ofCA checks the signatures up to one of the CAs, at any time at which all of
// them hold: a CA that was renewed with its key is younger than what it signed.
func ofCA(chain, cas []*x509.Certificate) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range cas {
		roots.AddCert(c)
	}
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	var first error
	for _, c := range slices.Concat(chain, cas) {
		_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: c.NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// certificates reads all of a PEM text, of which there is at least one.
func certificates(text []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != certificateType {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of it: %w", len(out)+1, err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("no certificate in it")
	}
	return out, nil
}

// readOptional is a file's content, nil without a name.
func readOptional(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	return os.ReadFile(file)
}
