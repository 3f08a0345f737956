package dissect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mllp puts segments into a frame.
func mllp(segments ...string) string {
	return "\x0b" + strings.Join(segments, "\r") + "\r\x1c\r"
}

// hl7AckVector is the synthetic acknowledgement of protocols.md.
const hl7AckVector = "0b4d53487c5e7e5c267c524543567c4641437c53454e447c464143327c32303230303130313030303030307c7c41434b5e5230315e41434b7c317c507c322e36" +
	"0d4d53417c41417c34320d1c0d"

const pumpMSH = `MSH|^~\&|PUMP^0009FBFFFF010203^EUI-64|WARD|GW|HOSP|20260101||ORU^R01^ORU_R01|id|P|2.6^x|||NE|AL|||||PROF^IHE^1.3.6^ISO~SECOND`

// pumpMessage is a synthetic report of a pump.
func pumpMessage() string {
	return mllp(pumpMSH,
		"PID|||patient",
		"OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X",
		"OBX|2||69986^MDC_DEV_PUMP_INFUS_VMD^MDC|1.1.0.0|||||||X|||||||sn-9^maker^001221FFFE0A0B0C^EUI-64~sn-8",
		"OBX|3|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.1.1|12|||||R|||||||sn-9^maker^001221FFFE0A0B0C^EUI-64",
		"PRT|1|AD||EQUIP^Equipment||||||SN-9^x^001221FFFE0A0B0C^EUI-64||||||00812345|20200101|20300101|LOT7|SER9||PUMP^Infusion pump")
}

func TestHL7(t *testing.T) {
	pump := HL7{
		SendingApp: TextOf("PUMP_0009FBFFFF010203_EUI-64"), SendingFacility: TextOf("WARD"),
		MessageType: TextOf("ORU_R01_ORU_R01"), Version: TextOf("2.6"), Profile: TextOf("PROF_IHE_1.3.6_ISO"),
		Codes:      [maxHL7Codes]HL7Code{{69985, 1}, {69986, 2}},
		CodesLen:   2,
		Devices:    [maxHL7Devices]Text{TextOf("sn-9_maker_001221FFFE0A0B0C_EUI-64"), TextOf("sn-8")},
		DevicesLen: 2,
		Parts: [maxHL7Parts]HL7Participation{{
			Device: TextOf("SN-9_x_001221FFFE0A0B0C_EUI-64"),
			UDI:    TextOf("00812345"), Lot: TextOf("LOT7"), Serial: TextOf("SER9"), DeviceType: TextOf("PUMP_Infusion pump"),
		}},
		PartsLen: 1,
		Next:     len(pumpMessage()),
	}
	ack := HL7{SendingApp: TextOf("RECV"), SendingFacility: TextOf("FAC"),
		MessageType: TextOf("ACK_R01_ACK"), Version: TextOf("2.6"), Ack: HL7AckAA, Next: 77}
	small := HL7{SendingApp: TextOf("A"), SendingFacility: TextOf("B")}
	next := func(m HL7, n int) HL7 { m.Next = n; return m }
	batch := HL7{Batch: true, SendingApp: TextOf("A"), SendingFacility: TextOf("B"), Codes: [maxHL7Codes]HL7Code{{69985, 0}}, CodesLen: 1}
	tests := []struct {
		name string
		b    string
		want HL7
	}{
		{"pump", pumpMessage(), pump},
		{"pump with LF", strings.ReplaceAll(pumpMessage(), "\r", "\n"), next(pump, len(pumpMessage())-1)},
		{"pump with CRLF", strings.ReplaceAll(pumpMessage(), "\r", "\r\n"), next(pump, len(strings.ReplaceAll(pumpMessage(), "\r", "\r\n"))-1)},
		{"vector", string(unhex(t, hl7AckVector)), ack},
		{"empty", "\x0b\x1c\r", HL7{Empty: true, Next: 3}},
		{"no line end before the end", "\x0bMSH|^~\\&|A|B\x1c\r", next(small, 15)},
		{"no line end behind the end", "\x0bMSH|^~\\&|A|B\x1c\x0bMSH", next(small, 14)},
		{"line end of the frame before", "\r\n\x0bMSH|^~\\&|A|B\x1c\r", next(small, 17)},
		{"other separators", "\x0bMSH#:;!@#A#B\r\x1c\r", next(small, 16)},
		{"a batch", "\x0bFHS|^~\\&|F\rBHS|^~\\&|G\rMSH|^~\\&|A|B\rMSH|^~\\&|C|D\rOBX|1||69985^x^MDC\r\x1c\r", next(batch, 70)},
		{"a second header that no batch announced", "\x0bMSH|^~\\&|A|B\rMSH|^~\\&|C|D\rOBX|1||69985^x^MDC\r\x1c\r", next(small, 48)},
		{"segments before the header", "\x0bFHS|^~\\&|F\rOBX|1||69985^x^MDC\rPRT||||||||||x\r\x1c\r", HL7{Batch: true, Next: 48}},
		{"another separator in a segment", "\x0bMSH|^~\\&|A|B\rOBX#1##69985^x^MDC\rPRT#1\r\x1c\r", next(small, 41)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := HL7{Version: TextOf("left over")}
			if p := m.DecodeStream([]byte(tt.b)); p != Done {
				t.Fatal(p)
			}
			if d := cmp.Diff(tt.want, m, exported); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestHL7CutAnywhere(t *testing.T) {
	b := []byte(pumpMessage())
	for i := range len(b) - 2 { // the last two end the frame
		var m HL7
		if p := m.DecodeStream(b[:i]); p != NeedMore {
			t.Fatalf("%d bytes: %v", i, p)
		}
		// What is there early is there in full.
		if s := m.SendingFacility.String(); s != "" && s != "WARD" {
			t.Fatalf("%d bytes: facility %q", i, s)
		}
		if m.PartsLen != 0 {
			t.Fatalf("%d bytes: a PRT segment without its end was read", i)
		}
	}
}

func TestHL7Frames(t *testing.T) {
	stream := []byte(mllp("MSH|^~\\&|ONE|") + mllp("MSH|^~\\&|TWO|") + "\x0b\x1c\r" + mllp("MSH|^~\\&|THREE|")[:14])
	var got []string
	var m HL7
	p := Done
	for p == Done {
		if p = m.DecodeStream(stream); p == Done {
			got = append(got, m.SendingApp.String())
			stream = stream[m.Next:]
		}
	}
	if d := cmp.Diff([]string{"ONE", "TWO", ""}, got); d != "" || p != NeedMore {
		t.Errorf("ended with %v (-want +got)\n%s", p, d)
	}
}

func TestHL7Window(t *testing.T) {
	filler := strings.Repeat("NTE|1||"+strings.Repeat("x", 90)+"\r", 50)
	long := "\x0bMSH|^~\\&|A|B\r" + filler + "OBX|1||69985^x^MDC|1.0.0.0\r"
	var m HL7
	if p := m.DecodeStream([]byte(long)); p != Done || m.SendingApp.String() != "A" || m.CodesLen != 0 || m.Next != len(long) {
		t.Errorf("without an end: %v, %q, %d codes, next %d of %d", p, m.SendingApp, m.CodesLen, m.Next, len(long))
	}
	if p := m.DecodeStream([]byte(long + "\x1c\r\x0b")); p != Done || m.CodesLen != 0 || m.Next != len(long)+2 {
		t.Errorf("with an end: %v, next %d of %d", p, m.Next, len(long))
	}
	if p := m.DecodeStream([]byte("\x0bMSH|^~\\&|" + strings.Repeat("x", hl7Window))); p != Done || !m.SendingApp.IsZero() {
		t.Errorf("a header longer than the window: %v, %q", p, m.SendingApp)
	}
}

func TestHL7Bounds(t *testing.T) {
	segs := []string{"MSH|^~\\&|A|B|||||ORU"}
	for i := range 30 {
		n := string(rune('A' + i))
		segs = append(segs, "OBX|1||"+[]string{"69985", "69986", "70001"}[i%3]+"^x^MDC|"+strings.Repeat("1.", i%5)+"0||||||||||||||"+n, "PRT||||||||||"+n)
	}
	var m HL7
	if p := m.DecodeStream([]byte(mllp(segs...))); p != Done || m.DevicesLen != maxHL7Devices || m.PartsLen != maxHL7Parts || m.CodesLen != 15 {
		t.Errorf("%v: %d devices, %d parts, %d codes", p, m.DevicesLen, m.PartsLen, m.CodesLen)
	}
}

func TestHL7DeviceCode(t *testing.T) {
	sep := hl7Separators{field: '|', component: '^', repetition: '~'}
	for in, want := range map[string]uint32{
		"69985^MDC_DEV^MDC": 69985, "126977^X^mdc^a^b": 126977, "69632^^MDC": 69632, "69631^^MDC": 0, "73727^^MDC": 73727, "73728^^MDC": 0,
		"126975^^MDC": 0, "131072^^MDC": 0, "65535^^MDC": 0, "4421^^MDC": 0,
		"69985^x^LN": 0, "69985": 0, "69985^x": 0, "6998A^x^MDC": 0, "^x^MDC": 0, "0069985^x^MDC": 0, "": 0,
	} {
		if got := mdcDeviceCode([]byte(in), sep); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
	for in, want := range map[string]uint8{"": 0, "1": 1, "1.0.0.0": 1, "1.2.0.0": 2, "1.1.3.0": 3, "1.1.1.99": 4, "1.1.1.1.5": 4, "0.1": 0, "1.x": 0, "1.": 1, "bed": 0} {
		if got := containmentDepth([]byte(in)); got != want {
			t.Errorf("depth of %q: %d, want %d", in, got, want)
		}
	}
}

func TestHL7Bare(t *testing.T) {
	tests := []struct {
		b    string
		p    Progress
		want string
	}{
		{"MSH|^~\\&|A|B\rPID|x", Done, "A"},
		{"MSH|^~\\&|A|B\x1c", Done, "A"},
		{"MSH|^~\\&|A|B", NeedMore, ""},
		{"MS", NeedMore, ""},
		{"", NeedMore, ""},
		{"MSHx^~\\&|A|B\r", No, ""},
		{"BHS|^~\\&|A|B\r", NeedMore, ""},
		{"FHS|^~\\&|F\r\nBHS|^~\\&|G\r\nMSH|^~\\&|A|B\r", Done, "A"},
		{"FHS|^~\\&|F\rNTE|1\r", No, ""},
		{"FHS|^~\\&|F\rMSH|^~\\&|A", NeedMore, ""},
		{"MSH|\x0bMSH|", No, ""},
		{"MSH|" + strings.Repeat("x", hl7Window), No, ""},
	}
	for _, tt := range tests {
		var m HL7
		if p := m.DecodeBare([]byte(tt.b)); p != tt.p || m.SendingApp.String() != tt.want {
			t.Errorf("%.20q: %v, %q", tt.b, p, m.SendingApp)
		}
	}
}

func TestResyncHL7(t *testing.T) {
	for in, want := range map[string]int{
		"MSH|": 0, "\x0bMSH|": 0, "x\x0bMSH|": 0, "x\x1c\r\x0bMSH": 0, "x\x1c\r\x0bMSH|": 3, "x\x1c\x0bMSH#": 2, "\r\x0bMSH ": 0,
		"\x0bMSH|\x0bMSH|\x1c\r\x0bMSH|a\x1c\r\x0bMSH|": 12, "": 0,
	} {
		if got := resyncHL7([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestHL7Refuses(t *testing.T) {
	for _, b := range []string{"MSH|^~\\&|", "\x0bMSG|", "\x0bMSHa", "\x0bMSH ", "\x0bX", "\r\r\r\x0bMSH|", "\x16\x03"} {
		if p := new(HL7).DecodeStream([]byte(b)); p != No {
			t.Errorf("%q: %v, want no", b, p)
		}
	}
}

func TestHL7Allocs(t *testing.T) {
	b, m := []byte(pumpMessage()), new(HL7)
	noAllocs(t, func() { m.DecodeStream(b); m.DecodeBare(b[1:]); resyncHL7(b[1:]) })
}

func FuzzHL7(f *testing.F) {
	f.Add([]byte(pumpMessage()))
	f.Add([]byte(mllp(strings.Replace(pumpMSH, "PROF^IHE^1.3.6", "X^Y^1.3.6.1.4.1.19376.1.6.1.1.1", 1), "SFT|a|b|c|d||2020", "EQU|e||OP", "MSA|AR|x",
		"OBX|1||184519^x^MDC||^pump-status-infusing", "OBX|1||0^MDC_ATTR_EVT_COND^MDC||197288")))
	f.Add([]byte("\x0bFHS|^~\\&|F\rMSH#:;!@#A#B\nOBX#1##69985:x:MDC#1.0\x1c"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m HL7
		if m.DecodeStream(b) == Done && (m.Next <= 0 || m.Next > len(b)) {
			t.Fatalf("next %d of %d", m.Next, len(b))
		}
		_, _, _, _ = m.PCD.String(), m.Pump.String(), m.Equipment.String(), m.Ack.Refused()
		checkMessage(t, &m)
		m.DecodeBare(b)
		checkMessage(t, &m)
	})
}
