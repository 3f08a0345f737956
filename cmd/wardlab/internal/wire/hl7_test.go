package wire

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func report() PumpReport {
	return PumpReport{App: "APP", Facility: "FAC", EUI: [8]byte{0, 0x12, 0x21, 0xff, 0xfe, 1, 2, 3}, Receiver: "RCV", Control: "42",
		Time: "20240102030405+0000", Model: "Model", Serial: "S1", UDI: "0404", Lot: "L1", Made: "20190101", Expires: "20290101",
		Family: "Fam", Given: "Giv", PatientID: "P1", Drug: "Drug", Rate: 3.5}
}

// field is SEG-n of the first segment with that name.
func field(t *testing.T, msg []byte, seg string, n int) string {
	t.Helper()
	for s := range strings.SplitSeq(string(msg), "\r") {
		if f := strings.Split(s, "|"); f[0] == seg {
			if seg == "MSH" {
				n-- // MSH-1 is the separator
			}
			if n < len(f) {
				return f[n]
			}
			return ""
		}
	}
	t.Fatalf("no %s segment", seg)
	return ""
}

func TestORUFields(t *testing.T) {
	msg := report().ORU()
	for _, tt := range []struct {
		seg  string
		n    int
		want string
	}{
		{"MSH", 2, `^~\&`},
		{"MSH", 3, "APP^001221FFFE010203^EUI-64"},
		{"MSH", 4, "FAC"},
		{"MSH", 5, "RCV"},
		{"MSH", 9, "ORU^R01^ORU_R01"},
		{"MSH", 10, "42"},
		{"MSH", 12, "2.6"},
		{"MSH", 21, "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"},
		{"PID", 5, "Fam^Giv^^^^^L"},
		{"OBX", 3, "69985^MDC_DEV_PUMP_INFUS_MDS^MDC"},
		{"OBX", 4, "1.0.0.0"},
		{"OBX", 11, "X"},
		{"OBX", 14, "20240102030405+0000"},
		{"OBX", 18, "Model^^001221FFFE010203^EUI-64"},
		{"PRT", 4, "EQUIP^Equipment^HL70912"},
		{"PRT", 10, "Model^^001221FFFE010203^EUI-64"},
		{"PRT", 16, "0404^^2.51.1.1^ISO"},
		{"PRT", 17, "20190101"},
		{"PRT", 18, "20290101"},
		{"PRT", 19, "L1"},
		{"PRT", 20, "S1"},
		{"PRT", 22, "69985^MDC_DEV_PUMP_INFUS_MDS^MDC"},
	} {
		if got := field(t, msg, tt.seg, tt.n); got != tt.want {
			t.Errorf("%s-%d = %q, want %q", tt.seg, tt.n, got, tt.want)
		}
	}
}

func TestORUPadding(t *testing.T) {
	r := report()
	short := len(r.ORU())
	r.Padding = 2200
	if got := len(r.ORU()) - short; got != 2200+len("NTE|1|L|\r") {
		t.Errorf("padding added %d octets", got)
	}
}

func TestAck(t *testing.T) {
	ack, err := Ack(report().ORU(), "20240102030406+0000")
	if err != nil {
		t.Fatal(err)
	}
	want := "MSH|^~\\&|RCV||APP^001221FFFE010203^EUI-64|FAC|20240102030406+0000||ACK^R01^ACK|42|P|2.6\rMSA|AA|42\r"
	if diff := cmp.Diff(want, string(ack)); diff != "" {
		t.Errorf("ack (-want +got):\n%s", diff)
	}
	if control, accepted := AckedControl(ack); control != "42" || !accepted {
		t.Errorf("acknowledged %q, accepted %v", control, accepted)
	}
	if _, err := Ack([]byte("PID|1\r"), ""); err == nil || err.Error() != "message without msh segment" {
		t.Errorf("ack of no message: %v", err)
	}
	if _, accepted := AckedControl([]byte("MSA|AE|1\r")); accepted {
		t.Error("AE counts as accepted")
	}
}

func TestCutMLLP(t *testing.T) {
	one, two := []byte("MSH|1\r"), []byte("MSH|2\r")
	stream := append(MLLP(one), MLLP(two)...)
	for cut := range stream {
		msg, rest, ok, err := CutMLLP(stream[:cut])
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if want := cut >= len(MLLP(one)); ok != want {
			t.Fatalf("cut at %d: whole %v, want %v", cut, ok, want)
		}
		if ok && (string(msg) != string(one) || len(rest) != cut-len(MLLP(one))) {
			t.Fatalf("cut at %d: message %q, rest of %d", cut, msg, len(rest))
		}
	}
	if _, _, _, err := CutMLLP([]byte("MSH")); err == nil || err.Error() != "stream does not begin with an mllp block" {
		t.Errorf("bare message: %v", err)
	}
}

func FuzzHL7(f *testing.F) {
	f.Add(MLLP(report().ORU()))
	f.Fuzz(func(_ *testing.T, b []byte) {
		msg, _, ok, err := CutMLLP(b)
		if ok && err == nil {
			AckedControl(msg)
			if ack, err := Ack(msg, "t"); err == nil {
				AckedControl(ack)
			}
		}
	})
}
