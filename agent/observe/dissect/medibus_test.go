package dissect

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// medibus writes a frame: its checksum is that of all in front of it.
func medibus(start, code byte, arguments string) string {
	b := string([]byte{start, code}) + arguments
	sum := byte(0)
	for _, c := range []byte(b) {
		sum += c
	}
	return fmt.Sprintf("%s%02X\r", b, sum)
}

// medibusVector is the synthetic identity of protocols.md.
const medibusVector = "015238303230275465737456656e742730312e30303a30342e303043330d"

func TestMedibus(t *testing.T) {
	identity := Medibus{Code: MedibusIdentity, Answer: true, ID: TextOf("8020"), Model: TextOf("TestVent"), Version: TextOf("01.00"), Next: 30}
	next := func(m Medibus, n int) Medibus { m.Next = n; return m }
	realtime := string(unhex(t, medibusVector))
	realtime = "\x01\xd0\x80" + realtime[1:9] + "\xff\xc0" + realtime[9:] + "\xd1\x82"
	tests := []struct {
		name, b string
		want    Medibus
	}{
		{"nothing to do", "\x1b\x30\x34\x42\r", Medibus{Code: MedibusNOP, Next: 5}},
		{"initialise", "\x1bQ6C\r", Medibus{Code: MedibusInitialise, Next: 5}},
		{"identity asked", "\x1bR6D\r", Medibus{Code: MedibusIdentity, Next: 5}},
		{"values asked", "\x1b\x243F\r", Medibus{Code: MedibusValues, Next: 5}},
		{"identity", string(unhex(t, medibusVector)), identity},
		{"an identity that is empty", "\x01R53\r", Medibus{Code: MedibusIdentity, Answer: true, Next: 5}},
		{"identity with data in real time", realtime, next(identity, len(realtime))},
		{"refused", medibus(1, 0x15, ""), Medibus{Code: MedibusNAK, Answer: true, Next: 5}},
		{"texts", medibus(1, '*', "0A3abc\x031E3xyz\x03"), Medibus{Code: MedibusTexts, Answer: true, HasData: true, Texts: true, Standby: true, Next: 19}},
		{"other texts", medibus(1, '*', "0A31E\x03Z54\x03"), Medibus{Code: MedibusTexts, Answer: true, HasData: true, Texts: true, Next: 15}},
		{"no texts", medibus(1, '*', ""), Medibus{Code: MedibusTexts, Answer: true, Next: 5}},
		{"time", medibus(1, '(', "12:30:0028-NOV-26"), Medibus{Code: MedibusTime, Answer: true, Next: 22}}, // which a collector has too
		{"values", medibus(1, '$', "05 123 06 456"), Medibus{Code: MedibusValues, Answer: true, HasData: true, Next: 18}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, behind := range []string{"", "\x1bQ6C\r"} {
				m := Medibus{Model: TextOf("left over")}
				if p := m.DecodeStream([]byte(tt.b + behind)); p != Done {
					t.Fatal(p)
				}
				if d := cmp.Diff(tt.want, m, exported); d != "" {
					t.Errorf("(-want +got)\n%s", d)
				}
			}
			b := []byte(strings.TrimRight(tt.b, "\xd1\x82"))
			for i := range b {
				m := Medibus{Model: TextOf("left over")}
				if p := m.DecodeStream(b[:i]); p != NeedMore || i > 0 && m != (Medibus{}) {
					t.Fatalf("%d bytes: %v", i, p)
				}
			}
		})
	}
}

func TestMedibusIdentityOfAnotherForm(t *testing.T) {
	for _, in := range []string{"80 0TestVent01.00:04.00", "80 0''01.00:04.00", "80 0'x'01.00:04.0", "80 0'x'01.00:04.00x", "80 0'x'ab.00:04.00", "80 0'" + strings.Repeat("x", 33) + "'01.00:04.00", "80 0'x01.00:04.00", "'x'"} {
		var m Medibus
		if p := m.DecodeStream([]byte(medibus(1, 'R', in))); p != Done || !m.Model.IsZero() || !m.ID.IsZero() {
			t.Errorf("%q: %v, %q", in, p, m.Model)
		}
	}
}

func TestMedibusCollects(t *testing.T) {
	for b, want := range map[string]bool{"\x1b\x243F\r": true, "\x1bQ6C\r": false, medibus(0x1b, 0x53, ""): true, medibus(0x1b, 0x28, ""): false, medibus(0x1b, 0x54, "1"): false, medibus(1, 0x24, ""): false} {
		var m Medibus
		if m.DecodeStream([]byte(b)); m.Collects() != want {
			t.Errorf("%q: %v", b, !want)
		}
	}
}

func TestMedibusRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"checksum": "\x1bQ6D\r", "lower case": "\x1bQ6c\r", "another code": "\x1b[1m\r", "no code": "\x1b\r", "too short": "\x1bQ\r", "a digit of it": "\x1bQC\r",
		"control characters": "\x01$\x00\x01\x02", "window": "\x01$" + strings.Repeat("1", medibusWindow), "real time alone": "\x1b" + strings.Repeat("\x80", medibusWindow), "BCC": "\x0100031\x02",
		"a question with arguments": medibus(0x1b, '-', "|"), "nothing like it": "GET / HTTP/1.1\r\n",
	} {
		if p := new(Medibus).DecodeStream([]byte(b)); p != No {
			t.Errorf("%s: %v", name, p)
		}
	}
}

func TestMedibusAllocs(t *testing.T) {
	b, m := unhex(t, medibusVector), new(Medibus)
	noAllocs(t, func() { m.DecodeStream(b) })
}

func FuzzMedibus(f *testing.F) {
	f.Add(unhex(f, medibusVector))
	f.Add([]byte(medibus(1, '*', "1E3xyz\x03")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Medibus
		if m.DecodeStream(b) == Done && (m.Next <= 0 || m.Next > len(b)) {
			t.Fatalf("next %d of %d", m.Next, len(b))
		}
		m.Collects()
		checkMessage(t, &m)
		if bytes.HasPrefix(b, []byte("\x00")) && m != (Medibus{}) {
			t.Fatal("read from nothing")
		}
	})
}
