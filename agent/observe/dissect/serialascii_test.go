package dissect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asena writes a line.
func asena(text string) string { return fmt.Sprintf("!%s|%04X\r", text, crc16([]byte(text))) }

const (
	pb840Line  = "MISCA,706,97,\x02,09:45 ,840 3510012345    ,JAN 01 2026 ,INVASIVE ,A/C   ,"
	masimoText = "01/02/26 03:04:05 SN=0000012345 SPO2=098% BPM=097 PI=03.60%\r\n"
)

func TestSerialASCII(t *testing.T) {
	tests := []struct {
		name, b string
		want    SerialASCII
		need    int // bytes that are needed to know it
	}{
		// The commands of the published driver, with their checksums.
		{"Asena, serial number asked", "!INST_SERIALNO|457D\r", SerialASCII{Line: AsenaCommand, Next: 20}, 20},
		{"Asena, protocol asked", "!COMMS_PROTOCOL|E8DA\r", SerialASCII{Line: AsenaCommand, Next: 21}, 21},
		{"Asena, infusion asked", "!INF|4961\r", SerialASCII{Line: AsenaCommand, Next: 10}, 10},
		{"Asena, serial number", asena("INST_SERIALNO^8002-1"), SerialASCII{Line: AsenaIdentity, Serial: TextOf("8002-1"), Next: 27}, 27},
		{"Asena, protocol", asena("COMMS_PROTOCOL^Asena Rev 2.1.5"), SerialASCII{Line: AsenaProtocol, Version: TextOf("Asena Rev 2.1.5"), Next: 37}, 37},
		{"Asena, infusion", asena("INF^INFUSING^25.0^ml/h"), SerialASCII{Line: AsenaCommand, Next: 29}, 29},
		{"AS50, device asked", "[DEV?]1234", SerialASCII{Line: AS50Command, Next: 6}, 6},
		{"AS50, state asked", "[STATUS?]", SerialASCII{Line: AS50Command, Next: 9}, 9},
		{"AS50, answer", "[ACK]", SerialASCII{Line: AS50Ack, Next: 5}, 5},
		{"PB840", pb840Line, SerialASCII{Line: PB840Report, Serial: TextOf("840 3510012345"), Next: 41}, 41},
		{"PB840, long", strings.Replace(pb840Line, "MISCA,706", "MISCF,1225", 1), SerialASCII{Line: PB840Report, Serial: TextOf("840 3510012345"), Next: 42}, 42},
		{"Masimo", masimoText, SerialASCII{Line: MasimoReport, Serial: TextOf("0000012345"), Next: 32}, 37},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := SerialASCII{Serial: TextOf("left over")}
			if p := m.DecodeStream([]byte(tt.b)); p != Done {
				t.Fatal(p)
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			for i := range tt.need {
				if p := m.DecodeStream([]byte(tt.b[:i])); p != NeedMore || m != (SerialASCII{}) {
					t.Fatalf("%d bytes: %v", i, p)
				}
			}
		})
	}
}

func TestSerialASCIIRefuses(t *testing.T) {
	for _, b := range []string{
		"!INF|4962\r", "!INF|496\r", "!INF4961\r", "!|FFFF\r", "!\r", "!inf|4961\r", "!INF|49x1\r", "!INF\x01", "!A" + strings.Repeat("A", serialWindow),
		"[DEV!]", "[NAK]", "[", "MISCA,x,", "MISCA,706,97,x,", "MISCA,706,97,\x02,09:45,84/0,", "MISCA,706,97,\x02,09:45,," /* no number */, "MISCA,706,97,\x02,09:45," + strings.Repeat("1", 19) + ",",
		"MISCB,", "01/02/26 03:04:05 SN=12a4 SPO2=", "01/02/26 03:04:05 SN=1234 HR=098", "01/02/2026 ", "01-02", "220 ready\r\n", "01/02/26 03:04:05 SN=" + strings.Repeat("1", 20), "x",
	} {
		m := SerialASCII{}
		if p := m.DecodeStream([]byte(b)); p != No && b != "[" || m != (SerialASCII{}) {
			t.Errorf("%q: %v", b, p)
		}
	}
}

func TestSerialASCIIAllocs(t *testing.T) {
	m := new(SerialASCII)
	lines := [][]byte{[]byte("!INF|4961\r"), []byte(pb840Line), []byte(masimoText), []byte("[ACK]")}
	noAllocs(t, func() {
		for _, b := range lines {
			m.DecodeStream(b)
		}
	})
}

func FuzzSerialASCII(f *testing.F) {
	for _, s := range []string{asena("INST_SERIALNO^1"), "[DEV?]", pb840Line, masimoText} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m SerialASCII
		if m.DecodeStream(b) == Done && (m.Next <= 0 || m.Next > len(b)) {
			t.Fatalf("next %d of %d", m.Next, len(b))
		}
		checkMessage(t, &m)
	})
}
