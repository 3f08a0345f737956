package signed

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
)

// keyID is how a key is named.
var keyID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Blocks of key files.
const (
	privateBlock = "PRIVATE KEY" // PKCS #8
	publicBlock  = "PUBLIC KEY"  // PKIX
)

// KeyID names a public key: the SHA-256 of its 32 bytes in hex.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:])
}

// EncodeKey writes a private key as a PEM file, as openssl does.
func EncodeKey(key ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der}), nil
}

// ParseKey reads the PEM file of a private key.
func ParseKey(text []byte) (ed25519.PrivateKey, error) {
	b, _ := pem.Decode(text)
	if b == nil || b.Type != privateBlock {
		return nil, fmt.Errorf("read key: no BEGIN %s in it", privateBlock)
	}
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	key, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("read key: want an Ed25519 key")
	}
	return key, nil
}

// EncodePublic writes a public key as a PEM file.
func EncodePublic(public ed25519.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: der}), nil
}

// ParsePublic reads the PEM file of a public key, or of a private one.
func ParsePublic(text []byte) (ed25519.PublicKey, error) {
	b, _ := pem.Decode(text)
	if b == nil || b.Type != publicBlock {
		key, err := ParseKey(text)
		if err != nil {
			return nil, err
		}
		return key.Public().(ed25519.PublicKey), nil
	}
	k, err := x509.ParsePKIXPublicKey(b.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	public, ok := k.(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("read public key: want an Ed25519 key")
	}
	return public, nil
}
