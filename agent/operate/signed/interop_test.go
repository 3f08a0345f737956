package signed

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func interop(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "interop", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The vectors of the DSSE specification.
func TestPreAuthenticationEncoding(t *testing.T) {
	for _, c := range []struct{ typ, payload, want string }{
		{"", "", "DSSEv1 0  0 "},
		{"http://example.com/HelloWorld", "hello world", "DSSEv1 29 http://example.com/HelloWorld 11 hello world"},
		{"http://example.com/HelloWorld", "ಠ", "DSSEv1 29 http://example.com/HelloWorld 3 ಠ"},
	} {
		if got := string(Envelope{PayloadType: c.typ, Payload: []byte(c.payload)}.pae()); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// What other implementations of JSON, DSSE, Ed25519 and PEM made of one
// statement is what is made here, to the byte. Ed25519 has one signature for a
// key and a text, so this shows both ways.
func TestInterop(t *testing.T) {
	private, err := ParseKey(interop(t, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if pem, err := EncodeKey(private); err != nil || string(pem) != string(interop(t, "key.pem")) {
		t.Errorf("key: %s, %v", pem, err)
	}
	public, err := ParsePublic(interop(t, "public.pem"))
	if err != nil || !public.Equal(private.Public()) {
		t.Errorf("public key: %x, %v", public, err)
	}
	if pem, err := EncodePublic(public); err != nil || string(pem) != string(interop(t, "public.pem")) {
		t.Errorf("public key: %s, %v", pem, err)
	}
	theirs, err := Parse(interop(t, "securesystemslib.dsse"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseStatement(interop(t, "payload.json"))
	if err != nil {
		t.Fatal(err)
	}
	ours, err := Sign(s, private)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("envelope (-securesystemslib +ours):\n%s", diff)
	}
	if got := base64.StdEncoding.EncodeToString(ours.Signatures[0].Sig); got != string(interop(t, "openssl.sig")) {
		t.Errorf("signature %s, openssl made %s", got, interop(t, "openssl.sig"))
	}
}
