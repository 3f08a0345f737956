package dissect

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHL7Software(t *testing.T) {
	var m HL7
	b := mllp("MSH|^~\\&|A", "SFT|Maker AG^L^x|1.2|Product|B-7|info|20260102030405-0500", "SFT|||||x|y", "SFT|Other|2", "SFT|Third|3")
	if p := m.DecodeStream([]byte(b)); p != Done {
		t.Fatal(p)
	}
	want := [maxHL7Soft]HL7Software{
		{Vendor: TextOf("Maker AG"), Version: TextOf("1.2"), Product: TextOf("Product"), Binary: TextOf("B-7"), Installed: TextOf("20260102030405")},
		{Vendor: TextOf("Other"), Version: TextOf("2")},
	}
	if d := cmp.Diff(want, m.Software, exported); d != "" || m.SoftwareLen != 2 {
		t.Errorf("%d of software (-want +got)\n%s", m.SoftwareLen, d)
	}
}

func TestHL7States(t *testing.T) {
	type states struct {
		Ack       HL7Ack
		Equipment string
		Pump      HL7Pump
		Alarm     bool
		Devices   int
	}
	obx := func(what, value string) string { return "OBX|1|CWE|" + what + "|1.1.1.1|" + value }
	for in, want := range map[string]states{
		"MSA|AA|id":                   {Ack: HL7AckAA},
		"MSA|CR|id|text":              {Ack: HL7AckCR},
		"MSA|AEX|id":                  {},
		"MSA":                         {},
		"EQU|E1^x|20260101|OP^Normal": {Equipment: "OP", Devices: 1},
		"EQU|E1~E2|20260101|UNK":      {Equipment: "UNK", Devices: 2},
		"EQU|||ZZ":                    {},
		"EQU|||":                      {},
		obx("184519^X^MDC", "^pump-status-infusing"):                                                   {Pump: HL7PumpInfusing},
		obx("184519^X^MDC", "pump-status-paused~x"):                                                    {Pump: HL7PumpStopped},
		obx("184519^X^MDC", "pump-status-kvo"):                                                         {Pump: HL7PumpInfusing},
		obx("184519^X^MDC", "^pump-status-bolus"):                                                      {Pump: HL7PumpInfusing},
		obx("184519^X^MDC", "^pump-status-standby"):                                                    {Pump: HL7PumpStopped},
		obx("184519^X^MDC", "pump-status-alarm"):                                                       {},
		obx("184519^X^MDC", "pump-status-readyx"):                                                      {},
		obx("184519^X^MDC", "12 mg of a drug"):                                                         {},
		obx("184519^X^MDC", "pump-status-"):                                                            {},
		obx("184504^X^MDC", "pump-mode-continuous"):                                                    {Pump: HL7PumpInfusing},
		obx("184504^X^MDC", "pump-mod"):                                                                {},
		obx("68482^X^MDC", "active"):                                                                   {Alarm: true},
		obx("68482^X^MDC", "inactive"):                                                                 {},
		obx("0^MDC_ATTR_EVT_COND^MDC", "197288^S^MDC"):                                                 {Pump: HL7PumpInfusing},
		obx("0^MDC_EVT_OTHER^MDC", "197288^S^MDC"):                                                     {},
		obx("157784^MDC_FLOW^MDC", "197288^active^MDC"):                                                {},
		obx("0^MDC_ATTR_EVT_COND^MDC", "1^MDC_EVT_PUMP_DELIV_COMP^MDC"):                                {},
		obx("0^MDC_ATTR_EVT_COND^MDC", "1^MDC_EVT_PUMP_DELIV_STOP^MDC"):                                {Pump: HL7PumpStopped},
		obx("184519^X^MDC", "pump-status-paused") + "\r" + obx("184519^X^MDC", "pump-status-infusing"): {Pump: HL7PumpInfusing},
		obx("184519^X^MDC", "pump-status-infusing") + "\r" + obx("0^MDC_ATTR_EVT_COND^MDC", "1^MDC_EVT_PUMP_DELIV_COMP^M"): {Pump: HL7PumpInfusing},
	} {
		var m HL7
		if p := m.DecodeStream([]byte(mllp("MSH|^~\\&|A", in))); p != Done {
			t.Fatal(p)
		}
		got := states{m.Ack, m.Equipment.String(), m.Pump, m.Alarm, int(m.DevicesLen)}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got)\n%s", in, d)
		}
	}
}

// TestHL7PumpBehindTheWindow: of a message that was not read to its end nobody
// knows that none of its pumps infuses.
func TestHL7PumpBehindTheWindow(t *testing.T) {
	obx := func(value string) string { return "OBX|1|CWE|184519^X^MDC|1.1.1.1|pump-status-" + value }
	long := strings.Repeat("NTE|"+strings.Repeat("x", 96)+"\r", hl7Window/100)
	for name, c := range map[string]struct {
		message string
		want    HL7Pump
	}{
		"whole":          {mllp("MSH|^~\\&|A", obx("paused")), HL7PumpStopped},
		"long":           {mllp("MSH|^~\\&|A", obx("paused"), long+obx("infusing")), 0},
		"long, infusing": {mllp("MSH|^~\\&|A", obx("infusing"), long+obx("paused")), HL7PumpInfusing},
		"not ended":      {strings.TrimSuffix(mllp("MSH|^~\\&|A", obx("paused"), "ZZZ"), "\x1c\r"), 0},
		"bare":           {"MSH|^~\\&|A\r" + obx("paused") + "\r", 0},
		"bare, infusing": {"MSH|^~\\&|A\r" + obx("infusing") + "\r", HL7PumpInfusing},
	} {
		var m HL7
		if m.DecodeStream([]byte(c.message)) == No {
			m.DecodeBare([]byte(c.message))
		}
		if m.Pump != c.want {
			t.Errorf("%s: %q, want %q", name, m.Pump, c.want)
		}
	}
}

// TestHL7EquipmentOfOthers: commands and requests are about the equipment that
// they go to, which is not the sender.
func TestHL7EquipmentOfOthers(t *testing.T) {
	for kind, own := range map[string]bool{"ESU^U01": true, "SSU^U03": true, "EAR^U08": true, "ORU^R01": true, "": true,
		"ESR^U02": false, "SSR^U04": false, "INR^U06": false, "EAC^U07": false, "TCR^U11": false, "LSR^U13^LSR_U13": false, "RGV^O15^RGV_O15": false, "RGX^O15": true} {
		var m HL7
		m.DecodeStream([]byte(mllp("MSH|^~\\&|LAS||||||"+kind, "EQU|E1|20260101|OP",
			"OBX|1||69986^MDC_DEV_PUMP_INFUS_VMD^MDC|1.1.0.0|||||||X|||||||P1^^0003B10000000001^EUI-64", "PRT|1|||||||||D1")))
		want := [3]uint8{}
		if own {
			want = [3]uint8{2, 1, 0}
		}
		if kind == "ORU^R01" {
			want[2] = 1
		}
		if got := [3]uint8{m.DevicesLen, m.CodesLen, m.PartsLen}; got != want || (m.Equipment.String() == "OP") != own {
			t.Errorf("%q: %d devices, codes and parts, state %q", kind, got, m.Equipment)
		}
	}
}

// In a batch each message has its own type: what follows a report may be none.
func TestHL7BatchOfTypes(t *testing.T) {
	const report, other, order = `MSH|^~\&|A|B|||||ORU^R01`, `MSH|^~\&|A|B|||||ADT^A01`, `MSH|^~\&|A|B|||||RGV^O15`
	const part, pump = "PRT|1|||EQUIP||||||PACER", "OBX|1|ST|184519^MDC_PUMP_INFUSING_STATUS^MDC|1|pump-status-infusing"
	for _, tt := range []struct {
		segments []string
		parts    uint8
		state    HL7Pump
	}{
		{[]string{report, pump, other, part}, 0, HL7PumpInfusing},
		{[]string{other, part, report, part}, 1, 0},
		{[]string{report, order, pump}, 0, 0},
		{[]string{order, pump, report, part, pump}, 1, HL7PumpInfusing},
	} {
		var m HL7
		m.DecodeStream([]byte(mllp(append([]string{`BHS|^~\&`}, tt.segments...)...)))
		if m.PartsLen != tt.parts || m.Pump != tt.state {
			t.Errorf("%q: %d participations, %s", tt.segments, m.PartsLen, m.Pump)
		}
	}
}

// What takes part in the part of a report that is about the patient or the visit
// (HL7 2.8.2 §7.3.1) may be in the patient as well.
func TestHL7PartOfThePatient(t *testing.T) {
	const part = "PRT|1|||EQUIP||||||DEVICE"
	for segments, want := range map[string]uint8{
		"PID|1/PRT": 0, "PID|1/PD1|1/PRT/PV1|1/PRT/OBR|1/OBX|1": 0, "PID|1/ORC|1/PRT": 1, "PID|1/OBR|1/PRT": 1, "PID|1/OBX|1/PRT": 1, "OBX|1/PRT/PID|1/PRT": 1, "PRT": 1,
	} {
		var m HL7
		m.DecodeStream([]byte(mllp(append([]string{`MSH|^~\&|A|B|||||ORU^R01`}, strings.Split(strings.ReplaceAll(segments, "PRT", part), "/")...)...)))
		if m.PartsLen != want {
			t.Errorf("%s: %d participations, want %d", segments, m.PartsLen, want)
		}
	}
}

// A device in another message than a report may be one in the patient: only who
// reports is a device.
func TestHL7PartOfReportsAlone(t *testing.T) {
	for kind, want := range map[string]bool{"ORU^R01^ORU_R01": true, "ORU^R42": true, "ADT^A01^ADT_A01": false, "MDM^T02": false, "": false, "OR": false} {
		var m HL7
		m.DecodeStream([]byte(mllp(`MSH|^~\&|A|B|||||`+kind, "PRT|1|||EQUIP||||||PACER||||||00812345|||LOT7|SER9||PUMP")))
		if m.PartsLen > 0 != want {
			t.Errorf("%q: %d participations, want some %v", kind, m.PartsLen, want)
		}
	}
}

func TestHL7PCD(t *testing.T) {
	for in, want := range map[string]string{
		"ORU^R01^ORU_R01|IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO": "pcd-01",
		"RGV^O15|other~x^y^1.3.6.1.4.1.19376.1.6.1.3.1":                       "pcd-03",
		"ORU^R40|1.3.6.1.4.1.19376.1.6.1.1.1":                                 "pcd-04", // by the trigger, not the number
		"ORU^R42^x|^^1.3.6.1.4.1.19376.1.6.4.10":                              "pcd-10",
		"ACK|^^1.3.6.1.4.1.19376.1.6.4.10":                                    "other",
		"ORU^R01|IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.7.1^ISO":             "",
		"ORU^R01|": "",
	} {
		kind, profile, _ := strings.Cut(in, "|")
		var m HL7
		m.DecodeStream([]byte(mllp("MSH|^~\\&|||||||" + kind + "||P|2.6|||||||||" + profile)))
		if got := m.PCD.String(); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// TestHL7Samples reads the public sample messages of the corpus, which are no
// part of the project.
func TestHL7Samples(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		t.Skip("CORPUS is not set")
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, "data", "hl7", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, want := range map[string]string{
		"nist-ihe-pcd/PCD01_message.hl7": "ORU_R01_ORU_R01 2.6 pcd-01 codes 3",
		"nist-ihe-pcd/PCD03_message.hl7": "ORU_R40_ORU_R40 2.6 pcd-04 codes 2",
		"linuxforhealth/sample_unix.hl7": "ADT_A01 2.6  codes 0",
		"linuxforhealth/sample_win.hl7":  "ADT_A01 2.6  codes 0",
	} {
		text := read(name)
		for way, decode := range map[string]func(*HL7) Progress{
			"framed": func(m *HL7) Progress { return m.DecodeStream([]byte("\x0b" + text + "\r\x1c\r")) },
			"bare":   func(m *HL7) Progress { return m.DecodeBare([]byte(text)) },
		} {
			var m HL7
			if p := decode(&m); p != Done {
				t.Fatalf("%s, %s: %v", name, way, p)
			}
			got := fmt.Sprintf("%s %s %s codes %d", m.MessageType, m.Version, m.PCD, m.CodesLen)
			if got != want {
				t.Errorf("%s, %s: %s, want %s", name, way, got, want)
			}
		}
	}
}
