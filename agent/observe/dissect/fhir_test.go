package dissect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// statementJSON and statementXML are synthetic capability statements. Words that
// the scan must pass over stand where they look like what it wants.
const statementJSON = "\xef\xbb\xbf" + `{ "resourceType" : "CapabilityStatement", "id":"software", "version":"no", "name":"no", "text":{"div":"<b>\"software\":{\"name\":\"no\"}</b>"},
"contact":[{"name":"no","telecom":[{"value":"no"}]}], "publisher":"no","kind":"instance",
"software":{"extension":[{"name":"no","version":"no"}],"name":"Engine","version":"7.2","releaseDate":"2026-01-01"},
"implementation":{"custodian":{"description":"no"},"description":"Test server","url":"http://no"},
"fhirVersion":"4.0.1","format":["json","software"],"rest":[{"mode":"server","software":{"name":"no"}}]}`

const statementXML = `<?xml version="1.0"?><!-- no --><CapabilityStatement xmlns="http://hl7.org/fhir"><id value="no"/><version value="no"/>
<text><div><software><name value="no"/></software></div></text><publisher value="no"/><contact><name value="no"/></contact>
<software><name value="Engine"/><version value="7.2"/></software><implementation><description value="Test server"/></implementation>
<fhirVersion value="4.0.1"/></CapabilityStatement>`

func statement() FHIR {
	return FHIR{Software: TextOf("Engine"), Version: TextOf("7.2"), FHIRVersion: TextOf("4.0.1"), Description: TextOf("Test server"), statement: true}
}

func TestFHIR(t *testing.T) {
	old := strings.Replace(statementJSON, "CapabilityStatement", "Conformance", 1)
	for name, b := range map[string]string{"JSON": statementJSON, "old": old, "XML": statementXML} {
		m := FHIR{Version: TextOf("left over")}
		if p := m.DecodeStream([]byte(b)); p != Done {
			t.Fatalf("%s: %v", name, p)
		}
		if d := cmp.Diff(statement(), m, exported); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
		for i := range len(b) - 1 {
			if p := m.DecodeStream([]byte(b[:i])); p != NeedMore || m != (FHIR{}) {
				t.Fatalf("%s, %d bytes: %v", name, i, p)
			}
			if m.Statement([]byte(b[:i])) && m.Software.String() != "" && m.Software.String() != "Engine" {
				t.Fatalf("%s, %d bytes: %q", name, i, m.Software)
			}
		}
	}
}

func TestFHIRWindow(t *testing.T) {
	long := statementJSON[:len(statementJSON)-2] + strings.Repeat(`,{"mode":"x"}`, 2000)
	var m FHIR
	if p := m.DecodeStream([]byte(long)); p != Done || m.Software.String() != "Engine" {
		t.Errorf("%v, %q", p, m.Software)
	}
	if p := m.DecodeStream([]byte(`{"x":[` + strings.Repeat(`{"mode":"x"},`, 2000))); p != No {
		t.Errorf("without a type: %v", p)
	}
}

// What a mail address hides behind in JSON and XML is gone before anybody tests
// for one.
func TestFHIREscapes(t *testing.T) {
	for doc, want := range map[string]string{
		`{"resourceType":"CapabilityStatement","software":{"name":"jane\u0040clinic.example"}}`:                        "jane@clinic.example",
		`{"resourceType":"CapabilityStatement","software":{"name":"a\/b\tc\u00e9\ud83d\ude00\u12"}}`:                   "a/b c___",
		`<CapabilityStatement><software><name value="jane&#64;clinic&#x2e;example"/></software></CapabilityStatement>`: "jane@clinic.example",
	} {
		var m FHIR
		if p := m.DecodeStream([]byte(doc)); p != Done || m.Software.String() != want {
			t.Errorf("%s: %v %q, want %q", doc, p, m.Software, want)
		}
	}
}

func TestFHIRRefuses(t *testing.T) {
	for _, b := range []string{
		`{"software":{"name":"x"},"resourceType":"Patient"}`, `{"resourceType":"Device","publisher":"x"}`, `[{"resourceType":"CapabilityStatement"}]`,
		`"CapabilityStatement"`, `resourceType`, `{}`, `{"software":{"name":"x"}}`, `<Patient><publisher value="x"/></Patient>`, "true",
		`{"a":{"resourceType":"CapabilityStatement"},"publisher":"x"}`, `{"resourceType":["CapabilityStatement"],"publisher":"x"}`,
	} {
		var m FHIR
		if p := m.DecodeStream([]byte(b)); p != No || m != (FHIR{}) {
			t.Errorf("%s: %v %q", b, p, m.Software)
		}
		if m.Statement([]byte(b)) {
			t.Errorf("%s: a statement", b)
		}
	}
}

func TestFHIRAllocs(t *testing.T) {
	b, x, m := []byte(statementJSON), []byte(statementXML), new(FHIR)
	noAllocs(t, func() { m.DecodeStream(b); m.DecodeStream(x); m.Statement(b) })
}

func FuzzFHIR(f *testing.F) {
	f.Add([]byte(statementJSON))
	f.Add([]byte(statementXML))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m FHIR
		m.DecodeStream(b)
		checkMessage(t, &m)
		m.Statement(b)
		checkMessage(t, &m)
	})
}
