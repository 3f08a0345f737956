package signed

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is an envelope, and what only looks like one.
func TestParse(t *testing.T) {
	e := sign(t, statement(t, Policy{TOML: "?>?>~~"}), "anna") // its base64 has letters of which there are two sets
	std := base64.StdEncoding.EncodeToString
	payload, sig, id := std(e.Payload), std(e.Signatures[0].Sig), e.Signatures[0].KeyID
	if !strings.ContainsAny(payload, "+/") {
		t.Fatal("the payload does not tell the alphabets apart")
	}
	text := func(payload, sigs string) string {
		return fmt.Sprintf(`{"payload":%q,"payloadType":%q,"signatures":%s}`, payload, e.PayloadType, sigs)
	}
	one := fmt.Sprintf(`{"keyid":%q,"sig":%q}`, id, sig)
	url := func(s string) string { return strings.NewReplacer("+", "-", "/", "_").Replace(s) }
	many := "[" + strings.Repeat(one+",", 16) + one + "]"
	good := text(payload, "["+one+"]")
	for _, c := range []struct {
		name, text string
		want       Reason
	}{
		{"as we write it", good, ""},
		{"another order, and spaces", fmt.Sprintf("\n{\"signatures\" : [ {\"sig\":%q, \"keyid\":%q} ],\t\"payloadType\":%q,\"payload\":%q}\n", sig, id, e.PayloadType, payload), ""},
		{"URL alphabet", text(url(payload), "["+strings.Replace(one, sig, url(sig), 1)+"]"), ""},
		{"both alphabets in one", text("+-_/", "["+one+"]"), ReasonMalformed},
		{"no padding", text("QQ", "["+one+"]"), ReasonMalformed},
		{"no padding of a signature", text(payload, "["+strings.Replace(one, "==", "", 1)+"]"), ReasonMalformed},
		{"another spelling of the last letter", text("QR==", "["+one+"]"), ReasonMalformed},
		{"a line break in base64", fmt.Sprintf(`{"payload":"%s\n%s","payloadType":%q,"signatures":[%s]}`, payload[:4], payload[4:], e.PayloadType, one), ReasonMalformed},
		{"a space in base64", text(payload[:4]+" "+payload[4:], "["+one+"]"), ReasonMalformed},
		{"no payload", text("", "["+one+"]"), ReasonMalformed},
		{"payload null", strings.Replace(good, `"`+payload+`"`, "null", 1), ReasonMalformed},
		{"payload an object", strings.Replace(good, `"`+payload+`"`, "{}", 1), ReasonMalformed},
		{"nothing signed it", text(payload, "[]"), ""}, // refused by Verify as unsigned
		{"signatures null", text(payload, "null"), ""},
		{"signatures an object", text(payload, one), ReasonMalformed},
		{"no signatures", fmt.Sprintf(`{"payload":%q,"payloadType":%q}`, payload, e.PayloadType), ReasonMalformed},
		{"17 signatures", text(payload, many), ReasonMalformed},
		{"another key", strings.Replace(good, `{"payload"`, `{"x":1,"payload"`, 1), ReasonMalformed},
		{"another key of a signature", strings.Replace(good, `{"keyid"`, `{"cert":"","keyid"`, 1), ReasonMalformed},
		{"a key twice", strings.Replace(good, `{"payload"`, `{"payload":"QQ==","payload"`, 1), ReasonMalformed},
		{"a key twice, in another case", strings.Replace(good, `{"payload"`, `{"Payload":"QQ==","payload"`, 1), ReasonMalformed},
		{"a key twice, one escaped", strings.Replace(good, `{"payload"`, `{"\u0070ayload":"QQ==","payload"`, 1), ReasonMalformed},
		{"a key of a signature twice", strings.Replace(good, `{"keyid"`, `{"sig":"QQ==","keyid"`, 1), ReasonMalformed},
		{"only in another case", strings.Replace(good, `"payload"`, `"PAYLOAD"`, 1), ReasonMalformed},
		{"a short signature", strings.Replace(good, sig, "QQ==", 1), ReasonMalformed},
		{"no key named", strings.Replace(good, id, "", 1), ReasonMalformed},
		{"a key id in capitals", strings.Replace(good, id, strings.ToUpper(id), 1), ReasonMalformed},
		{"trailing data", good + "{}", ReasonMalformed},
		{"trailing zero", good + "\x00", ReasonMalformed},
		{"a byte order mark", "\ufeff" + good, ReasonMalformed},
		{"not UTF-8", strings.Replace(good, payload[:1], "\xff", 1), ReasonMalformed},
		{"nested deeply", strings.Repeat("[", 20000), ReasonMalformed},
		{"an array", "[" + good + "]", ReasonMalformed},
		{"null", "null", ReasonMalformed},
		{"empty", "", ReasonMalformed},
		{"too big", good + strings.Repeat(" ", MaxEnvelope), ReasonOversize},
		{"as big as may be", good + strings.Repeat(" ", MaxEnvelope-len(good)), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse([]byte(c.text))
			if reason(err) != c.want {
				t.Fatalf("refused for %q (%v), want %q", reason(err), err, c.want)
			}
			if err == nil && len(got.Signatures) > 0 {
				if diff := cmp.Diff(e, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestCosign(t *testing.T) {
	one := sign(t, statement(t, Ping{}), "anna")
	two, err := one.Cosign(key("berta"))
	if err != nil || len(two.Signatures) != 2 || len(one.Signatures) != 1 {
		t.Fatalf("%d signatures, and of the first %d: %v", len(two.Signatures), len(one.Signatures), err)
	}
	if _, err := two.Cosign(key("anna")); err == nil {
		t.Error("the same key signed twice")
	}
}

// What is too big is refused where it is made.
func TestSignOversize(t *testing.T) {
	big := statement(t, Policy{TOML: strings.Repeat("#", MaxEnvelope*3/4)})
	if _, err := Sign(big, key("anna")); reason(err) != ReasonOversize {
		t.Errorf("%v", err)
	}
}
