package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// reader is the Extractor as the flow table's reader of streams.
type reader Extractor

var _ flows.Reader = (*reader)(nil)

// Begins tests the first bytes. What it lets through is read by a dissector
// that looks closer.
func (x *reader) Begins(b []byte) bool {
	p, _ := dissect.RecogniseStream(b, 0)
	return p != 0 || dissect.Resync(b) > 0
}

// Read hands the bytes to the dissectors that their first bytes call for, until
// one knows them.
func (x *reader) Read(c *flows.Conn, b []byte, final bool) (used int, p dissect.Progress) {
	if used, p = x.read(c, b, final); p != dissect.No {
		return used, p
	}
	if at := dissect.Resync(b); at > 0 {
		used, p = x.read(c, b[at:], final)
		return at + used, p
	}
	return 0, dissect.No
}

// read reads bytes that begin a message.
func (x *reader) read(c *flows.Conn, b []byte, final bool) (used int, p dissect.Progress) {
	for proto, next := dissect.RecogniseStream(b, 0); proto != 0; proto, next = dissect.RecogniseStream(b, next) {
		window, last := b, final
		if n := proto.Window(); n > 0 && len(b) >= n {
			window, last = b[:n], true
		}
		if used, p = (*Extractor)(x).stream(proto, c, window, last); p != dissect.No {
			return used, p
		}
	}
	return 0, dissect.No
}

// stream reads bytes of a protocol.
func (x *Extractor) stream(proto dissect.Protocol, c *flows.Conn, b []byte, final bool) (used int, p dissect.Progress) {
	switch proto {
	case dissect.ProtocolTLS:
		return 0, x.readTLS(c, b)
	case dissect.ProtocolHL7:
		return x.readHL7(c, b, final)
	case dissect.ProtocolHL7Bare:
		return 0, x.readBareHL7(c, b)
	case dissect.ProtocolDICOM:
		return x.readDICOM(c, b, final)
	case dissect.ProtocolBCC:
		return x.readBCC(c, b)
	case dissect.ProtocolMedibus:
		return x.readMedibus(c, b)
	case dissect.ProtocolASTM:
		return x.readASTM(c, b)
	case dissect.ProtocolPOCT1A:
		return 0, x.readPOCT1A(c, b, final)
	case dissect.ProtocolSerialASCII:
		return x.readSerial(c, b)
	case dissect.ProtocolPHD:
		return x.readPHD(c, b)
	case dissect.ProtocolDRI:
		return x.readDRI(c, b)
	case dissect.ProtocolHTTP:
		return 0, x.readHTTP(c, b, final)
	}
	return 0, dissect.No
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
