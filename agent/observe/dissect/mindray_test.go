package dissect

import "testing"

const mindrayIndication = "MSH|^~\\&|MINDRAY_A7^00A037FFFF000001^EUI-64|WARD|||||ADT^A01|101|P|2.3.1|\rPID|1||CANARY\rPV1||I|^^CANARY\r"

func TestMindray(t *testing.T) {
	want := Mindray{App: TextOf("MINDRAY_A7^00A037FFFF000001^EUI-64"), Facility: TextOf("WARD"), MessageType: TextOf("ADT^A01"), Version: TextOf("2.3.1")}
	decode := (*Mindray).Decode
	recognised(t, decode, []byte(mindrayIndication), want)
	recognised(t, decode, []byte("\x0b\x00"+mindrayIndication), want)
	for _, s := range []string{"", "MSH|", "a very long beginning MSH|^~\\&|A||||||ADT\r", "MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2", "MSHx^~\\&|\r", "MSH|^~\\&|\r"} {
		if new(Mindray).Decode([]byte(s)) {
			t.Errorf("%q: recognised", s)
		}
	}
}

func TestMindrayClass(t *testing.T) {
	const head = `MSH|^~\&|||||||ORU^R01|`
	for s, want := range map[string]string{
		"\x0b" + head + "106|P|2.3.1|\x1c\r":                   "heartbeat",
		head + "204|P|2.3.1|\rOBX||NM|101^HR|2101|60||||||F\r": "values",
		"\r\n\x0b" + head + "503|P|2.3.1|":                     "pressure",
		head + "157|P|2.3.1":                                   "waves",
		head + "158|P|2.3.1":                                   "", head + "204": "", head + "2041|P|2.3.1": "", head + "204|P|2.4": "", "": "", head: "",
		`MSH|^~\&|LAB||||20261128||ORU^R01|204|P|2.3.1|`: "", `MSH|^~\&|||||||ORU^R01|MRN204|P|2.3.1|`: "",
		`MSH|^~\&|||||||ADT^A01|106|P|2.3.1|`: "",
	} {
		if got := MindrayClassOf([]byte(s)).String(); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func FuzzMindray(f *testing.F) {
	f.Add([]byte(mindrayIndication))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Mindray
		m.Decode(b)
		checkMessage(t, &m)
		_ = MindrayClassOf(b).String()
	})
}
