package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// readHTTP states the names of clients and servers, and what medical records
// they exchange. A header that ends early still gives what stood in it.
func (x *Extractor) readHTTP(c *flows.Conn, b []byte, final bool) dissect.Progress {
	m := &x.decoders.http
	p := m.DecodeStream(b)
	if p == dissect.No || p == dissect.NeedMore && !final {
		return p
	}
	if x.content(c, b, final) == dissect.NeedMore {
		return dissect.NeedMore
	}
	w := sender(c)
	switch m.Kind {
	case dissect.HTTPRequest:
		x.say(w, fact.HTTPUserAgent, &m.UserAgent)
		x.asks(c, m)
	case dissect.HTTPResponse:
		x.say(w, fact.HTTPServer, &m.Server)
		switch {
		case m.Media.FHIR():
			x.yes(w, fact.FHIRServer)
		case m.Media == dissect.MediaDICOM:
			x.yes(w, fact.DICOMWebServer)
		}
	}
	switch m.Media {
	case dissect.MediaHL7:
		x.word(w, fact.HL7HTTP, "er7")
	case dissect.MediaHL7XML:
		x.word(w, fact.HL7HTTP, "xml")
	}
	return dissect.Done
}

// asks states which class of records a client asks for.
func (x *Extractor) asks(c *flows.Conn, m *dissect.HTTP) {
	if m.Metadata && m.Method == dissect.MethodGet {
		x.decoders.metadata.add(c.ID)
	}
	kind := fact.FHIRClient
	switch {
	case m.Media.FHIR() || m.Accept.FHIR():
	case m.Media == dissect.MediaDICOM || m.Accept == dissect.MediaDICOM:
		kind = fact.DICOMWebClient
	default:
		return
	}
	x.text = append(append(append(x.text[:0], m.Method.String()...), ' '), m.Class.String()...)
	x.state(sender(c), kind, x.text)
}

// content reads the kinds of content that may be read: HL7, what a device says of
// itself by SOAP, and what a FHIR server says of itself when it was asked.
func (x *Extractor) content(c *flows.Conn, b []byte, final bool) dissect.Progress {
	m := &x.decoders.http
	body, whole := m.Content(b)
	whole = whole || final
	switch {
	case m.Body == 0:
	case m.Media == dissect.MediaHL7:
		hl7 := &x.decoders.hl7
		// The segments behind the header are wanted too.
		p := hl7.DecodeBare(body)
		if p != dissect.No && !whole && len(body) < hl7Content && (p == dissect.NeedMore || m.Length > 0 || m.Chunked) {
			return dissect.NeedMore
		}
		if p == dissect.Done {
			x.message(sender(c), receiver(c), !c.FromServer && c.Answered, hl7)
		}
	case m.Media == dissect.MediaSOAP:
		if !whole && len(body) < soapContent {
			return dissect.NeedMore
		}
		if x.decoders.sdc.DecodeXML(body) {
			x.metadata(sender(c), m.Kind)
		}
	case m.Kind == dissect.HTTPResponse && !m.Encoded && x.decoders.metadata.has(c.ID):
		fhir := &x.decoders.fhir
		p := fhir.DecodeStream(body)
		if p == dissect.NeedMore && !whole {
			return p
		}
		x.decoders.metadata.remove(c.ID)
		if p == dissect.Done || p == dissect.NeedMore && fhir.Statement(body) {
			x.capabilities(sender(c), fhir)
		}
	}
	return dissect.Done
}

// How much of HL7 and of SOAP in HTTP is waited for, bytes.
const (
	hl7Content  = 4 << 10
	soapContent = 8 << 10
)

// capabilities states what a FHIR server says of itself.
func (x *Extractor) capabilities(w who, m *dissect.FHIR) {
	x.yes(w, fact.FHIRServer)
	x.say(w, fact.FHIRSoftware, &m.Software)
	x.say(w, fact.FHIRSoftwareVer, &m.Version)
	x.say(w, fact.FHIRVersion, &m.FHIRVersion)
	x.say(w, fact.FHIRDescription, &m.Description)
}

// recent64 are the last 64 of a kind by their numbers, connections by flows.Conn.ID.
type recent64 struct {
	ids  [64]uint64
	next uint8
}

func (r *recent64) add(id uint64) {
	if r.has(id) {
		return
	}
	r.ids[r.next] = id
	r.next = (r.next + 1) % uint8(len(r.ids))
}

func (r *recent64) has(id uint64) bool {
	for _, have := range r.ids {
		if have == id {
			return true
		}
	}
	return false
}

func (r *recent64) remove(id uint64) {
	for i, have := range r.ids {
		if have == id {
			r.ids[i] = 0
		}
	}
}
