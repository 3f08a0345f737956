package signed

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Bounds of an envelope. It travels in one MQTT message, whose guard is 300 KiB.
const (
	MaxEnvelope   = 256 << 10 // bytes, encoded
	maxSignatures = 16
)

// Envelope is a signed payload. What is in it is not to be believed before
// Root.Verify has.
type Envelope struct {
	PayloadType string
	Payload     []byte
	Signatures  []Signature
}

// Signature is one person's.
type Signature struct {
	KeyID string // see KeyID
	Sig   []byte // Ed25519, of the pre-authentication encoding
}

// Parse reads an envelope. It is stricter than DSSE asks: keys that are unknown,
// repeated or in another case, and signatures that name no key, are refused.
// Order and spaces are free, and both alphabets of base64 are taken.
func Parse(text []byte) (Envelope, error) {
	if len(text) > MaxEnvelope {
		return Envelope{}, refuse(ReasonOversize, "read envelope: %d bytes: want at most %d", len(text), MaxEnvelope)
	}
	o, err := object(text, "payload", "payloadType", "signatures")
	if err != nil {
		return Envelope{}, refuse(ReasonMalformed, "read envelope: %v", err)
	}
	var e Envelope
	var payload string
	var signatures []json.RawMessage
	if err := errors.Join(json.Unmarshal(o["payload"], &payload), json.Unmarshal(o["payloadType"], &e.PayloadType), json.Unmarshal(o["signatures"], &signatures)); err != nil {
		return Envelope{}, refuse(ReasonMalformed, "read envelope: %v", err)
	}
	if e.Payload, err = debase64(payload); err != nil || len(e.Payload) == 0 {
		return Envelope{}, refuse(ReasonMalformed, "read envelope: its payload is not base64 of anything")
	}
	if len(signatures) > maxSignatures {
		return Envelope{}, refuse(ReasonMalformed, "read envelope: %d signatures: want at most %d", len(signatures), maxSignatures)
	}
	for i, text := range signatures {
		s, err := parseSignature(text)
		if err != nil {
			return Envelope{}, refuse(ReasonMalformed, "read envelope: signature %d: %v", i+1, err)
		}
		e.Signatures = append(e.Signatures, s)
	}
	return e, nil
}

func parseSignature(text []byte) (Signature, error) {
	o, err := object(text, "keyid", "sig")
	if err != nil {
		return Signature{}, err
	}
	var s Signature
	var sig string
	if err := errors.Join(json.Unmarshal(o["keyid"], &s.KeyID), json.Unmarshal(o["sig"], &sig)); err != nil {
		return Signature{}, err
	}
	if !keyID.MatchString(s.KeyID) {
		return Signature{}, fmt.Errorf("%.80q is no key id: want 64 hex digits", s.KeyID)
	}
	if s.Sig, err = debase64(sig); err != nil || len(s.Sig) != ed25519.SignatureSize {
		return Signature{}, fmt.Errorf("not base64 of %d bytes", ed25519.SignatureSize)
	}
	return s, nil
}

// object takes apart a JSON object that has exactly these keys. The package json
// would take them in another case as well, and of one that is repeated the last.
func object(text []byte, keys ...string) (map[string]json.RawMessage, error) {
	var o map[string]json.RawMessage
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, err
	}
	for _, k := range keys {
		if _, ok := o[k]; !ok {
			return nil, fmt.Errorf("%q is missing", k)
		}
	}
	if len(o) != len(keys) {
		return nil, fmt.Errorf("it has keys other than %q", keys)
	}
	// Without spaces both have the same parts, unless a key came twice or in
	// another spelling.
	var whole bytes.Buffer
	if err := json.Compact(&whole, text); err != nil {
		return nil, err
	}
	once, err := encode(o)
	if err != nil {
		return nil, err
	}
	if whole.Len() != len(once) {
		return nil, errors.New("a key is repeated")
	}
	return o, nil
}

// debase64 takes either alphabet of RFC 4648, padded, in its one spelling.
func debase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("a line break in base64")
	}
	if strings.ContainsAny(s, "-_") {
		return base64.URLEncoding.Strict().DecodeString(s)
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}

// Encode writes the envelope as it travels.
func (e Envelope) Encode() ([]byte, error) {
	type signature struct {
		KeyID string `json:"keyid"`
		Sig   []byte `json:"sig"`
	}
	w := struct {
		Payload     []byte      `json:"payload"`
		PayloadType string      `json:"payloadType"`
		Signatures  []signature `json:"signatures"`
	}{e.Payload, e.PayloadType, []signature{}}
	for _, s := range e.Signatures {
		w.Signatures = append(w.Signatures, signature(s))
	}
	text, err := encode(w)
	if err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	if len(text) > MaxEnvelope {
		return nil, refuse(ReasonOversize, "encode envelope: %d bytes: want at most %d", len(text), MaxEnvelope)
	}
	return text, nil
}

// Cosign returns the envelope with one more signature.
func (e Envelope) Cosign(key ed25519.PrivateKey) (Envelope, error) {
	id := KeyID(key.Public().(ed25519.PublicKey))
	if slices.ContainsFunc(e.Signatures, func(s Signature) bool { return s.KeyID == id }) {
		return e, fmt.Errorf("sign: key %s has signed already", id)
	}
	if len(e.Signatures) == maxSignatures {
		return e, fmt.Errorf("sign: %d signatures already", maxSignatures)
	}
	e.Signatures = append(slices.Clip(e.Signatures), Signature{KeyID: id, Sig: ed25519.Sign(key, e.pae())})
	return e, nil
}

// pae is DSSE's pre-authentication encoding: what is signed.
func (e Envelope) pae() []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(e.PayloadType), e.PayloadType, len(e.Payload), e.Payload)
}
