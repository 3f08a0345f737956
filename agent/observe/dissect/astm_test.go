package dissect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// astmVector is the synthetic header frame of protocols.md.
const astmVector = "0231487c5c5e267c7c7c41434d455e312e305e534e317c7c7c7c7c7c7c507c4c4953322d41327c32303230303130313030303030300d0339380d0a"

// astmFrame writes a frame that ends in ETX or ETB.
func astmFrame(text string, end byte) string {
	text += string([]byte{end})
	sum := byte(0)
	for _, c := range []byte(text) {
		sum += c
	}
	return fmt.Sprintf("\x02%s%02X\r\n", text, sum)
}

func TestASTM(t *testing.T) {
	header := ASTM{Record: 'H', Sender: TextOf("ACME"), Version: TextOf("1.0"), Serial: TextOf("SN1"), Standard: TextOf("LIS2-A2"), Next: 59}
	long := "\x021H|\\^&|||A^1\rP|1||" + strings.Repeat("secret", 200)
	tests := []struct {
		name, b string
		want    ASTM
	}{
		{"vector", string(unhex(t, astmVector)), header},
		{"behind the request for the line", "\x05" + string(unhex(t, astmVector)), func() ASTM { h := header; h.Next++; return h }()},
		{"other delimiters", astmFrame("1H|@!\\|||AC^ME!2@x|a|b|c\r", 3), ASTM{Record: 'H', Sender: TextOf("AC_ME"), Version: TextOf("2@x"), Next: 31}},
		{"records behind the header", astmFrame("1H|\\^&|||A^1\rP|1||secret\rL|1\r", 3), ASTM{Record: 'H', Sender: TextOf("A"), Version: TextOf("1"), Next: 35}},
		{"a header that goes on in the next frame", astmFrame("1H|\\^&|||A^1|x||||||P|LI", 0x17), ASTM{Record: 'H', Sender: TextOf("A"), Version: TextOf("1"), Next: 30}},
		{"a result", astmFrame("3R|1|^^^GLU|5.5|mmol/L\r", 3), ASTM{Record: 'R', Next: 29}},
		{"a header in one long frame", long, ASTM{Record: 'H', Sender: TextOf("A"), Version: TextOf("1"), Next: astmWindow}},
		// A frame may end anywhere in a record, so that the next one may begin like a header.
		{"the rest of a patient's name", astmFrame("2H||19500101|M||||||||Ward\r", 3), ASTM{Record: 'H', Next: 33}},
		{"the rest of a comment", astmFrame("2H|of|Jane|x|Doe^CANARY\r", 0x17), ASTM{Record: 'H', Next: 30}},
		{"a header without fields", astmFrame("1H|\r", 3), ASTM{Record: 'H', Next: 10}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := ASTM{Sender: TextOf("left over")}
			if p := m.DecodeStream([]byte(tt.b + "\x04")); p != Done {
				t.Fatal(p)
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			for i := range min(len(tt.b), astmWindow) {
				if p := m.DecodeStream([]byte(tt.b[:i])); p != NeedMore || m != (ASTM{}) {
					t.Fatalf("%d bytes: %v", i, p)
				}
			}
		})
	}
}

func TestASTMRefuses(t *testing.T) {
	vector := string(unhex(t, astmVector))
	for name, b := range map[string]string{
		"checksum": strings.Replace(vector, "SN1", "SN2", 1), "no line end": vector[:57] + "x\n", "number": "\x028H|", "record": "\x021X|", "delimiter": "\x021H^", "another begins": "\x021H|a\x02",
		"too short": "\x02\x03" + "03\r\n", "two requests": "\x05\x05", "window": "\x021H|" + strings.Repeat("x", astmWindow), "SOCKS": "\x05\x01\x00", "nothing like it": "\x01\x02",
		"DICOM": "\x02\x00",
	} {
		m := ASTM{}
		if p := m.DecodeStream([]byte(b)); p != No || m != (ASTM{}) {
			t.Errorf("%s: %v", name, p)
		}
	}
}

func TestASTMAllocs(t *testing.T) {
	b, m := unhex(t, astmVector), new(ASTM)
	noAllocs(t, func() { m.DecodeStream(b) })
}

func FuzzASTM(f *testing.F) {
	f.Add(unhex(f, astmVector))
	f.Add([]byte("\x05" + astmFrame("3R|1|x\r", 3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m ASTM
		if m.DecodeStream(b) == Done && (m.Next <= 0 || m.Next > len(b) || !isASTMRecord(m.Record)) {
			t.Fatalf("next %d of %d, record %q", m.Next, len(b), m.Record)
		}
		checkMessage(t, &m)
	})
}
