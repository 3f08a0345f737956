package enrol

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/atomicfile"
)

// Fingerprint names a public key for people who compare it by eye: SHA-256 of
// its SubjectPublicKeyInfo in groups of four digits, "3f2a 91bc …".
func Fingerprint(key crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("fingerprint of a key: %w", err)
	}
	sum := sha256.Sum256(der)
	digits := hex.EncodeToString(sum[:])
	var groups []string
	for ; digits != ""; digits = digits[4:] {
		groups = append(groups, digits[:4])
	}
	return strings.Join(groups, " "), nil
}

// SameFingerprint compares what a person typed, however they grouped it.
func SameFingerprint(a, b string) bool {
	bare := strings.NewReplacer(" ", "", ":", "", "-", "")
	return strings.EqualFold(bare.Replace(a), bare.Replace(b))
}

// errDamaged marks a file that is there and holds no key.
var errDamaged = errors.New("no private key in it")

// readKey reads a private key in PEM: PKCS #8, or the older forms of EC and RSA.
func readKey(file string) (crypto.Signer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", file, err)
	}
	return key, nil
}

func parseKey(text []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("it is encrypted: decrypt it first, with openssl pkey -in FILE -out FILE2")
		default: // EC PARAMETERS stand before a key
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errDamaged, err)
		}
		if s, ok := key.(crypto.Signer); ok {
			return s, nil
		}
		return nil, fmt.Errorf("%w that can sign, but a %T", errDamaged, key)
	}
	return nil, errDamaged
}

// makeKey makes the key of a gateway, ECDSA P-256, and returns once it is on
// disk.
func makeKey(file string) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	if err := atomicfile.Write(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return nil, fmt.Errorf("make key %s: %w", file, err)
	}
	return key, nil
}
