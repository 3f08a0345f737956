package enrol

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// name is what a gateway may be called, as in its configuration: the broker
// grants topics by it, so that it must neither be two levels of a topic, nor a
// wildcard, nor one of the broker's own users, whose names hold a colon.
var name = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestType and certificateType are what stands behind BEGIN in PEM.
const (
	requestType     = "CERTIFICATE REQUEST"
	certificateType = "CERTIFICATE"
)

// Request is a certificate request whose signature is good: whoever made it has
// the key.
type Request struct {
	Gateway     string // the name that is asked for
	Fingerprint string // of the key
	key         crypto.PublicKey
}

// newRequest asks for a certificate (PKCS #10, in PEM).
func newRequest(gateway string, key crypto.Signer) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: gateway}, DNSNames: []string{gateway}}, key)
	if err != nil {
		return nil, fmt.Errorf("make certificate request: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: requestType, Bytes: der}), nil
}

// ParseRequest reads a request and refuses what a gateway does not ask for. The
// text may be what a terminal has recorded, with other lines around it.
func ParseRequest(text []byte) (Request, error) {
	r, err := parseRequest(text)
	if err != nil {
		return Request{}, fmt.Errorf("read certificate request: %w", err)
	}
	return r, nil
}

func parseRequest(text []byte) (Request, error) {
	block := find(text, requestType)
	if block == nil {
		return Request{}, errors.New("no BEGIN " + requestType + " in it")
	}
	c, err := x509.ParseCertificateRequest(block)
	if err != nil {
		return Request{}, err
	}
	if err := c.CheckSignature(); err != nil {
		return Request{}, fmt.Errorf("its signature is not of its key: %w", err)
	}
	cn := c.Subject.CommonName
	if !name.MatchString(cn) {
		return Request{}, fmt.Errorf("name %q: want 1 to 64 of A-Z a-z 0-9 . _ -", cn)
	}
	if slices.ContainsFunc(c.DNSNames, func(n string) bool { return n != cn }) || len(c.IPAddresses)+len(c.EmailAddresses)+len(c.URIs) > 0 {
		return Request{}, fmt.Errorf("%s asks for more names than its own", cn)
	}
	if err := strong(c.PublicKey); err != nil {
		return Request{}, err
	}
	fp, err := Fingerprint(c.PublicKey)
	return Request{Gateway: cn, Fingerprint: fp, key: c.PublicKey}, err
}

// minRSA is the least size of an RSA key, in bits: 128 bits of security (NIST
// SP 800-57 part 1, table 2), for certificates that live for years.
const minRSA = 3072

func strong(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if bits := k.Curve.Params().BitSize; bits < 256 {
			return fmt.Errorf("ECDSA key of %d bits: want P-256 or more", bits)
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSA {
			return fmt.Errorf("RSA key of %d bits: want %d or more", bits, minRSA)
		}
	default:
		return fmt.Errorf("a key of type %T: want ECDSA, Ed25519 or RSA", key)
	}
	return nil
}

// find is the first block of that type.
func find(text []byte, kind string) []byte {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == kind {
			return block.Bytes
		}
	}
	return nil
}
