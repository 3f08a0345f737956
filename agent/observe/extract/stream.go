package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// reader is the Extractor as the flow table's reader of streams.
type reader Extractor

var _ flows.Reader = (*reader)(nil)

// First bytes of the protocols that are read from streams.
const (
	tlsChangeCipher = 0x14
	tlsHandshake    = 0x16
	tlsAlert        = 0x15 // may stand in front of a server's hello
	mllpStart       = 0x0b
)

// Begins tests the first bytes. What it lets through is read by a dissector
// that looks closer.
func (x *reader) Begins(b []byte) bool {
	second := byte(0) // what is not there yet may still fit
	if len(b) > 1 {
		second = b[1]
	}
	switch c := b[0]; {
	case c == tlsHandshake || c == tlsChangeCipher || c == tlsAlert:
		return len(b) < 2 || second == 3
	case c == mllpStart, c == '\r', c == '\n':
		return true
	case c == byte(dissect.DICOMAssociateRQ), c == byte(dissect.DICOMAssociateAC), c == byte(dissect.DICOMData):
		return second == 0
	case upper(c):
		return len(b) < 3 || (upper(second) || second == '-') && upper(b[2]) // M-SEARCH
	}
	return false
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

// Read hands the bytes to the dissector of their shape.
func (x *reader) Read(c *flows.Conn, b []byte, final bool) (used int, p dissect.Progress) {
	e := (*Extractor)(x)
	switch first := b[0]; {
	case first == tlsHandshake || first == tlsChangeCipher || first == tlsAlert:
		return 0, e.readTLS(c, b)
	case first == mllpStart || first == '\r' || first == '\n':
		return e.readHL7(c, b, final)
	case first < mllpStart:
		return e.readDICOM(c, b)
	case first == 'M':
		if p := e.readBareHL7(c, b); p != dissect.No {
			return 0, p
		}
	}
	return 0, e.readHTTP(c, b, final)
}

// sender and receiver of a stream's bytes.
func sender(c *flows.Conn) who   { return whoOf(c, &c.From) }
func receiver(c *flows.Conn) who { return whoOf(c, &c.To) }

func whoOf(c *flows.Conn, e *flows.End) who {
	return who{mac: e.MAC, ip: unicast(e.IP), vlan: c.VLAN, ours: e.Device, time: c.Time}
}

// readTLS states what a client shows in its hello, and which protocol a server
// chose.
func (x *Extractor) readTLS(c *flows.Conn, b []byte) dissect.Progress {
	m := &x.decoders.hello
	p := m.DecodeStream(b)
	if p == dissect.No {
		answer := &x.decoders.answer
		if p = answer.DecodeStream(b); p == dissect.Done {
			x.say(sender(c), fact.TLSALPN, &answer.ALPN)
		}
		return p
	}
	if p != dissect.Done || !c.From.Device {
		return p
	}
	w := sender(c)
	if !m.SNI.IsZero() {
		x.text = m.SNI.AppendTo(x.text[:0])
		x.state(w, fact.TLSSNI, x.text)
	}
	for i := range m.ALPN[:m.ALPNLen] {
		x.say(w, fact.TLSALPN, &m.ALPN[i])
	}
	ja3, ja4 := m.JA3(), m.JA4()
	x.say(w, fact.TLSJA3, &ja3)
	x.say(w, fact.TLSJA4, &ja4)
	return p
}

// readHTTP states the names of clients and servers. A header that ends early
// still gives what stood in it.
func (x *Extractor) readHTTP(c *flows.Conn, b []byte, final bool) dissect.Progress {
	m := &x.decoders.http
	p := m.DecodeStream(b)
	if p == dissect.No || p == dissect.NeedMore && !final {
		return p
	}
	switch m.Kind {
	case dissect.HTTPRequest:
		x.say(sender(c), fact.HTTPUserAgent, &m.UserAgent)
	case dissect.HTTPResponse:
		x.say(sender(c), fact.HTTPServer, &m.Server)
	}
	return dissect.Done
}
