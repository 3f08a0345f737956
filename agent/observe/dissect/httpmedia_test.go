package dissect

import (
	"strings"
	"testing"
)

func TestHTTPMedia(t *testing.T) {
	for in, want := range map[string]HTTPMedia{
		"application/fhir+json": MediaFHIR, "application/fhir+json; fhirVersion=4.0;charset=utf-8": MediaFHIR, "Application/JSON+FHIR": MediaFHIR,
		"text/html, application/fhir+xml;q=0.9": MediaFHIRXML, "x-application/hl7-v2+er7": MediaHL7, "x-application/hl7-v2+er7; charset=utf-8": MediaHL7,
		"application/hl7-v2+xml": MediaHL7XML, "application/soap+xml; charset=utf-8; action=\"x\"": MediaSOAP, "application/dicom+json": MediaDICOM,
		`multipart/related; type="application/dicom"; transfer-syntax=*`: MediaDICOM, `multipart/related;type=application/dicom+xml`: MediaDICOM,
		"application/json": 0, "text/xml": 0, "": 0, ";,": 0, "application/fhir+jsonx": 0, `type="`: 0,
	} {
		var m HTTPMedia
		if m.read([]byte(in)); m != want {
			t.Errorf("%q: %d, want %d", in, m, want)
		}
	}
}

func TestWebClass(t *testing.T) {
	type answer struct {
		class    string
		metadata bool
	}
	for in, want := range map[string]answer{
		"GET /fhir/R4/Patient/12345?x=Device HTTP/1.1\r\nAccept: application/fhir+json":                     {"Patient", false},
		"GET /Patient HTTP/1.1\r\nAccept: application/fhir+json":                                            {"Patient", false},
		"POST /fhir/ HTTP/1.1\r\nContent-Type: application/fhir+json":                                       {"", false},
		"GET /a/patient/Doe HTTP/1.1\r\nAccept: application/fhir+json":                                      {"", false},
		"GET /Patient/1 HTTP/1.1\r\nAccept: */*":                                                            {"", false},
		"GET /fhir/metadata HTTP/1.1\r\nAccept: */*":                                                        {"", true},
		"GET /fhir/metadata?_format=json HTTP/1.1\r\nAccept: application/fhir+json":                         {"metadata", true},
		"GET /studies/1.2.3/series/4 HTTP/1.1\r\nAccept: application/dicom+json":                            {"studies", false},
		"GET /studies/1.2.3/series/4 HTTP/1.1\r\nAccept: application/fhir+json":                             {"", false},
		"GET " + strings.Repeat("/a", maxWebParts-2) + "/Patient HTTP/1.1\r\nAccept: application/fhir+json": {"Patient", false},
		"GET " + strings.Repeat("/a", maxWebParts) + "/Patient HTTP/1.1\r\nAccept: application/fhir+json":   {"", false},
		"GET /VisionPrescription HTTP/1.1\r\nAccept: application/fhir+json":                                 {"VisionPrescription", false},
	} {
		var m HTTP
		if p := m.DecodeStream([]byte(in + "\r\n\r\n")); p != Done {
			t.Fatalf("%s: %v", in, p)
		}
		if got := (answer{m.Class.String(), m.Metadata}); got != want {
			t.Errorf("%s: %+v, want %+v", in, got, want)
		}
	}
	if s := WebClass(0).String() + WebClass(250).String(); s != "" {
		t.Errorf("no class has the name %q", s)
	}
}

func TestHTTPContent(t *testing.T) {
	for in, want := range map[string]string{
		"Content-Length: 4\r\n\r\nbodyPOST":         "body",
		"Content-Length: 40\r\n\r\nbody":            "body",
		"Content-Length: 4x\r\n\r\nbody":            "body", // as if it were not there
		"Content-Length: 4294967295999\r\n\r\nbody": "body",
		"X: y\n\nbody": "body",
		"Transfer-Encoding: chunked\r\n\r\n4;x=y\r\nbody\r\n0\r\n\r\n": "body",
		"Transfer-Encoding: chunked\r\n\r\nA\r\nbody":                  "body",
		"Transfer-Encoding: chunked\r\n\r\n4":                          "",
		"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\nbody":          "",
		"Transfer-Encoding: chunked\r\n\r\nzz\r\nbody":                 "",
		"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbody":      "",
		"Content-Encoding: identity\r\nContent-Length: 4\r\n\r\nbody":  "body",
		"Content-Length: 4\r\n":                                        "",
	} {
		b := []byte("HTTP/1.1 200 OK\r\n" + in)
		var m HTTP
		m.DecodeStream(b)
		content, whole := m.Content(b)
		if got := string(content); got != want || whole && got != "body" {
			t.Errorf("%q: %q, whole %v, want %q", in, got, whole, want)
		}
	}
}
