package radius

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The vectors were made with layeh.com/radius v0.0.0-20231213012653 from the
// same values, another implementation by other people; it took the request for
// authentic, and its answers as well.
const (
	secret      = "ward secret"
	request     = "2807004cfb6bd173f545f0b048cc6fb6b41f86301f1330302d30392d46422d31322d33342d3536200773772d376204060a14070237066b0ae7c05012a1ac4620c68a293e4c18445f31a1394c"
	ack         = "2907001401a76f7be1251b8023382ab975a3381f"
	nak503      = "2a07001ac12fab8d5fb341e311f1748e50f46a736506000001f7"
	nak503keyed = "2a07002c4e3138d3c4204688baf9af49c80119946506000001f75012482de7bc0682723eb71587fb42226650"
)

func disconnect() Disconnect {
	return Disconnect{Identifier: 7, Station: "00-09-FB-12-34-56", NASIdentifier: "sw-7b", NASAddress: netip.MustParseAddr("10.20.7.2"), Time: 1795876800}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEncode(t *testing.T) {
	got, err := disconnect().Encode([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(request, hex.EncodeToString(got)); diff != "" {
		t.Errorf("request (-vector +got):\n%s", diff)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, change := range map[string]func(*Disconnect){
		"no station":             func(d *Disconnect) { d.Station = "" },
		"a station too long":     func(d *Disconnect) { d.Station = strings.Repeat("0", 254) },
		"an identifier too long": func(d *Disconnect) { d.NASIdentifier = strings.Repeat("0", 254) },
	} {
		d := disconnect()
		change(&d)
		if _, err := d.Encode([]byte(secret)); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
	if _, err := disconnect().Encode(nil); err == nil {
		t.Error("encoded without a secret: everybody knows that one")
	}
}

func TestVerify(t *testing.T) {
	req := unhex(t, request)
	for _, tt := range []struct {
		packet string
		want   Answer
		text   string
	}{
		{ack, Answer{ACK: true}, "Disconnect-ACK"},
		{nak503, Answer{Cause: 503}, "Disconnect-NAK 503 Session-Context-Not-Found"},
		{nak503keyed, Answer{Cause: 503}, "Disconnect-NAK 503 Session-Context-Not-Found"},
		{ack + "0000", Answer{ACK: true}, "Disconnect-ACK"}, // padding
	} {
		got, err := Verify(unhex(t, tt.packet), req, []byte(secret))
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
		if got.String() != tt.text {
			t.Errorf("reads %q, want %q", got, tt.text)
		}
	}
}

// Whoever does not know the secret can neither make an answer nor change one.
func TestVerifyRefuses(t *testing.T) {
	req := unhex(t, request)
	for _, good := range []string{ack, nak503, nak503keyed} {
		p := unhex(t, good)
		for bit := range 8 * len(p) {
			bad := bytes.Clone(p)
			bad[bit/8] ^= 1 << (bit % 8)
			if a, err := Verify(bad, req, []byte(secret)); !errors.Is(err, ErrForeign) {
				t.Errorf("%s with bit %d turned: %v, %v", good, bit, a, err)
			}
		}
		for n := range p {
			if a, err := Verify(p[:n], req, []byte(secret)); !errors.Is(err, ErrForeign) {
				t.Errorf("%s cut to %d bytes: %v, %v", good, n, a, err)
			}
		}
		if _, err := Verify(p, req, []byte("another")); !errors.Is(err, ErrForeign) {
			t.Errorf("%s under another secret: %v", good, err)
		}
		other := disconnect()
		other.Time++
		foreign, err := other.Encode([]byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(p, foreign, []byte(secret)); !errors.Is(err, ErrForeign) {
			t.Errorf("%s to another request of the same identifier: %v", good, err)
		}
	}
	// Who knows the secret may still write nonsense.
	for name, attributes := range map[string][]byte{
		"one byte of an attribute":            {errorCause},
		"an attribute of length 0":            {errorCause, 0},
		"an attribute longer than the packet": {errorCause, 6, 0},
		"a Message-Authenticator of zeros":    append([]byte{messageAuthenticator, 18}, make([]byte, 16)...),
		"a short Message-Authenticator":       {messageAuthenticator, 3, 0},
	} {
		p := append(append([]byte{disconnectNAK, 7, 0, byte(headerLen + len(attributes))}, req[authAt:headerLen]...), attributes...)
		copy(p[authAt:headerLen], sum(p, []byte(secret)))
		if a, err := Verify(p, req, []byte(secret)); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	for _, s := range []string{ack, nak503, nak503keyed} {
		f.Add(unhex(f, s))
	}
	req := unhex(f, request)
	f.Fuzz(func(t *testing.T, p []byte) {
		before := bytes.Clone(p)
		_, _ = Verify(p, req, []byte(secret))
		if !bytes.Equal(before, p) {
			t.Error("the packet was changed")
		}
	})
}
