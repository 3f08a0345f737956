package dissect

// HTTPMedia is a media type that tells what a medical exchange is about. Others
// are not told apart, so it can hold no text.
type HTTPMedia uint8

// The media types. The zero value is any other.
const (
	_            HTTPMedia = iota
	MediaSOAP              // application/soap+xml: DPWS and SDC
	MediaHL7               // HL7 v2 in its own encoding (ER7)
	MediaHL7XML            // HL7 v2 in XML
	MediaFHIR              // FHIR in JSON
	MediaFHIRXML           // FHIR in XML
	MediaDICOM             // DICOM objects, or their metadata
)

// httpMedia are the spellings. Those of HL7 are in use, none is registered.
var httpMedia = []struct {
	name  string
	media HTTPMedia
}{
	{"application/soap+xml", MediaSOAP},
	{"x-application/hl7-v2+er7", MediaHL7},
	{"application/hl7-v2+er7", MediaHL7},
	{"x-application/hl7-v2", MediaHL7},
	{"application/hl7-v2", MediaHL7},
	{"x-application/hl7-v2+xml", MediaHL7XML},
	{"application/hl7-v2+xml", MediaHL7XML},
	{"application/fhir+json", MediaFHIR},
	{"application/json+fhir", MediaFHIR}, // before FHIR 3
	{"application/fhir+xml", MediaFHIRXML},
	{"application/xml+fhir", MediaFHIRXML},
	{"application/dicom", MediaDICOM},
	{"application/dicom+json", MediaDICOM},
	{"application/dicom+xml", MediaDICOM},
}

// FHIR reports a media type of FHIR.
func (m HTTPMedia) FHIR() bool { return m == MediaFHIR || m == MediaFHIRXML }

// read finds the first type of the table in a Content-Type or Accept field.
// The type of the parts of a multipart is a parameter of it.
func (m *HTTPMedia) read(v []byte) {
	for len(v) > 0 {
		n := 0
		for n < len(v) && v[n] != ',' && v[n] != ';' {
			n++
		}
		word := trim(v[:n])
		v = v[min(n+1, len(v)):]
		const parts = "type="
		if len(word) > len(parts) && foldEqual(word[:len(parts)], parts) {
			word = word[len(parts):]
		}
		for len(word) > 1 && word[0] == '"' && word[len(word)-1] == '"' {
			word = word[1 : len(word)-1]
		}
		for _, row := range httpMedia {
			if foldEqual(word, row.name) {
				*m = row.media
				return
			}
		}
	}
}

// httpPath returns the path of a request line, without its query.
func httpPath(line []byte) []byte {
	_, target, _ := cutByte(line, ' ')
	target = firstPart(target, ' ')
	return firstPart(firstPart(target, '?'), '#')
}

// lastSegment returns the last part of a path.
func lastSegment(path []byte) []byte {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return path
}
