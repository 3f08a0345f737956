package dissect

import "unicode/utf8"

// fhirWindow is how much of a capability statement is looked at: what it says
// of the software stands in front of the list of what that can do.
const fhirWindow = 8 << 10

// FHIR is what a FHIR server says of itself: a CapabilityStatement, before
// FHIR 3 a Conformance (FHIR R4 §5.1).
//
// phi: never read: any other resource. Of this one only the type and the four
// fields below, by a scan that skips all else; the publisher may be a person.
type FHIR struct {
	Software    Text // software.name
	Version     Text // software.version
	FHIRVersion Text // fhirVersion
	Description Text // implementation.description

	statement bool // the resource's type was seen and is right
}

// fhirField is a member on the allow-list.
type fhirField uint8

const (
	_ fhirField = iota
	fhirType
	fhirSoftware       // an object
	fhirImplementation // an object
	fhirVersion
	fhirSoftwareName
	fhirSoftwareVersion
	fhirDescription
)

// fhirMember tells the field by its name and the object it stands in.
func fhirMember(in fhirField, name []byte) fhirField {
	switch in {
	case 0:
		switch string(name) {
		case "resourceType":
			return fhirType
		case "software":
			return fhirSoftware
		case "implementation":
			return fhirImplementation
		case "fhirVersion":
			return fhirVersion
		}
	case fhirSoftware:
		switch string(name) {
		case "name":
			return fhirSoftwareName
		case "version":
			return fhirSoftwareVersion
		}
	case fhirImplementation:
		if string(name) == "description" {
			return fhirDescription
		}
	}
	return 0
}

// DecodeStream reads a resource, in JSON or XML, at the start of b. What it
// holds before it is Done is nothing, since it could be of another resource.
func (m *FHIR) DecodeStream(b []byte) Progress {
	*m = FHIR{}
	window := b[:min(len(b), fhirWindow)]
	p := m.read(window)
	if p == NeedMore && len(window) == fhirWindow {
		p = Done
	}
	if p == Done && !m.statement {
		p = No
	}
	if p != Done {
		*m = FHIR{}
	}
	return p
}

// Statement reads what is there of a resource that will not be complete.
func (m *FHIR) Statement(b []byte) bool {
	*m = FHIR{}
	if p := m.read(b[:min(len(b), fhirWindow)]); p == No || !m.statement {
		*m = FHIR{}
		return false
	}
	return true
}

// read tells the two forms apart.
func (m *FHIR) read(b []byte) Progress {
	const mark = "\xef\xbb\xbf" // some servers put it in front
	if n := min(len(b), len(mark)); string(b[:n]) == mark[:n] {
		b = b[n:]
	}
	if b = trim(b); len(b) == 0 {
		return NeedMore
	}
	if b[0] == '<' {
		return m.scanXML(b)
	}
	return m.scanJSON(b)
}

// scanXML does as scanJSON does. The values are attributes of elements.
func (m *FHIR) scanXML(b []byte) Progress {
	depth := 0
	var in fhirField // the element at depth 2
	for r := (xmlScanner{b: b}); ; {
		switch r.next() {
		case xmlStart:
			_, name := xmlName(r.name)
			depth++
			switch {
			case depth == 1 && !m.keep(fhirType, name, nil):
				return No
			case depth == 2:
				in = fhirMember(0, name)
				m.keepXML(in, &r)
			case depth == 3 && (in == fhirSoftware || in == fhirImplementation):
				m.keepXML(fhirMember(in, name), &r)
			}
		case xmlEnd:
			if depth--; depth <= 0 {
				return Done
			}
		case xmlText:
		default:
			return NeedMore
		}
	}
}

func (m *FHIR) keepXML(field fhirField, r *xmlScanner) {
	if field > fhirImplementation {
		m.keep(field, r.attribute("value"), (*Text).setXML)
	}
}

// scanJSON walks over the tokens of JSON (RFC 8259). It counts how deep it is and
// looks only at what stands at the top and right below.
func (m *FHIR) scanJSON(b []byte) Progress {
	depth := 0
	var in, field fhirField // the object at depth 2; the member whose value comes
	for i := 0; i < len(b); i++ {
		switch c := b[i]; c {
		case ' ', '\t', '\r', '\n', ':':
		case '{', '[':
			if depth == 0 && c == '[' {
				return No
			}
			if depth++; depth == 2 {
				in = 0
				if c == '{' && (field == fhirSoftware || field == fhirImplementation) {
					in = field
				}
			}
			field = 0
		case '}', ']':
			if depth--; depth <= 0 {
				return Done
			}
			field = 0
		case ',':
			field = 0
		case '"':
			n := jsonString(b[i+1:])
			if n < 0 {
				return NeedMore
			}
			s := b[i+1 : i+1+n]
			i += n + 1
			switch {
			case depth == 0:
				return No
			case depth > 2 || depth == 2 && in == 0:
			case isJSONName(b[i+1:]):
				at := in
				if depth == 1 {
					at = 0
				}
				field = fhirMember(at, s)
			case !m.keep(field, s, (*Text).setJSON):
				return No
			default:
				field = 0
			}
		default:
			if depth == 0 {
				return No
			}
		}
	}
	return NeedMore
}

// keep takes the value of a field, the first time that it comes, by set, which
// knows how characters are escaped. It reports false where the value makes it
// another resource.
func (m *FHIR) keep(field fhirField, v []byte, set func(*Text, []byte)) bool {
	var to *Text
	switch field {
	case fhirType:
		m.statement = string(v) == "CapabilityStatement" || string(v) == "Conformance"
		return m.statement
	case fhirVersion:
		to = &m.FHIRVersion
	case fhirSoftwareName:
		to = &m.Software
	case fhirSoftwareVersion:
		to = &m.Version
	case fhirDescription:
		to = &m.Description
	}
	if to != nil && to.IsZero() {
		set(to, v)
	}
	return true
}

// setJSON sets t to a string in which characters are escaped (RFC 8259 §7). What
// is no character of its own, such as half of a pair, becomes one that is not
// allowed in a text.
func (t *Text) setJSON(src []byte) {
	var buf [2 * textSize]byte
	out := buf[:0]
	for len(src) > 0 && len(out)+utf8.UTFMax <= len(buf) {
		if src[0] != '\\' || len(src) == 1 {
			out, src = append(out, src[0]), src[1:]
			continue
		}
		c := src[1]
		switch src = src[2:]; c {
		case 'n', 'r', 't', 'b', 'f':
			out = append(out, ' ')
		case 'u':
			code, n := rune(0), min(4, len(src))
			for _, d := range src[:n] {
				code = code<<4 | rune(hexDigit(d)&15)
			}
			out, src = utf8.AppendRune(out, code), src[n:]
		default:
			out = append(out, c)
		}
	}
	t.set(out)
}

// jsonString returns the length of a string whose opening quote stands in
// front of b, or -1 where its end is not there.
func jsonString(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// isJSONName reports whether the string in front of b is the name of a member.
func isJSONName(b []byte) bool {
	for _, c := range b {
		if c == ':' {
			return true
		}
		if c > ' ' {
			return false
		}
	}
	return false
}
