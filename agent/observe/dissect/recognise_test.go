package dissect

import (
	"slices"
	"testing"
)

// candidates are all that the table says of a stream's first bytes.
func candidates(b []byte) (all []Protocol) {
	for p, next := RecogniseStream(b, 0); p != 0; p, next = RecogniseStream(b, next) {
		all = append(all, p)
	}
	return all
}

func TestRecogniseStream(t *testing.T) {
	tests := []struct {
		b    string
		want []Protocol
	}{
		{"\x16\x03\x01\x02", []Protocol{ProtocolTLS}},
		{"\x15\x03\x03\x00", []Protocol{ProtocolTLS}},
		{"\x16", []Protocol{ProtocolTLS}},
		{"\x16\x02", nil},
		{"\x0bMSH|", []Protocol{ProtocolHL7}},
		{"\r\x0bMSH|", []Protocol{ProtocolHL7}},
		{"MSH|^~", []Protocol{ProtocolHL7Bare, ProtocolHTTP}},
		{"MSH-2.0-x", []Protocol{ProtocolHTTP}}, // SSH with one bit changed
		{"MSH||A", []Protocol{ProtocolHL7Bare, ProtocolHTTP}},
		{"FHS|^~\\&\rBHS|^~\\&\rMSH|", []Protocol{ProtocolHL7Bare, ProtocolHTTP}}, // what may be empty is left out
		{"M", []Protocol{ProtocolHL7Bare, ProtocolSerialASCII, ProtocolHTTP}},
		{"MISCA,706", []Protocol{ProtocolSerialASCII, ProtocolHTTP}},
		{"\x0100031\x02", []Protocol{ProtocolBCC, ProtocolMedibus}},
		{"\x06\x0100031\x02", []Protocol{ProtocolBCC}},
		{"\x01R53\r", []Protocol{ProtocolMedibus}},
		{"\x1bQ6C\r", []Protocol{ProtocolMedibus}},
		{"\x1b[1m", nil},
		{"\x021H|", []Protocol{ProtocolASTM}},
		{"\x05\x021H|", []Protocol{ProtocolASTM}},
		{"<HEL.R01>", []Protocol{ProtocolPOCT1A}},
		{"<html>", nil},
		{"!INF|4961\r", []Protocol{ProtocolSerialASCII}},
		{"01/02/26 03:04:05 SN=1", []Protocol{ProtocolSerialASCII}},
		{"M-SEARCH *", []Protocol{ProtocolHTTP}},
		{"GET / HTTP/1.1", []Protocol{ProtocolHTTP}},
		{"Get / HTTP/1.1", nil},
		{"\x01\x00\x00\x00", []Protocol{ProtocolDICOM}},
		{"\x05\x00", nil},
		{"\x00\x01", nil},
	}
	for _, tt := range tests {
		if got := candidates([]byte(tt.b)); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %v, want %v", tt.b, got, tt.want)
		}
	}
}

func TestRecogniseDatagram(t *testing.T) {
	session := "\x0d" + string(block8([]byte("\x05\x08"+acse)))
	tests := []struct {
		name     string
		src, dst uint16
		b        string
		want     []Protocol
	}{
		{"DHCP by its port", 68, 67, "\x01\x01\x06\x00", []Protocol{ProtocolDHCPv4, ProtocolDHCPv4}},
		{"mDNS", 5353, 5353, "\x00\x00", []Protocol{ProtocolMDNS}},
		{"DNS", 53, 40000, "\x12\x34", []Protocol{ProtocolDNS}},
		{"connect indication on another port", 9, 9, string(connect()), []Protocol{ProtocolIntelliVue}},
		{"association on another port", 9, 9, session, []Protocol{ProtocolIntelliVue}},
		{"release on another port", 9, 9, "\x09\x04\xc1\x02\x61\x80", nil},
		{"release", 9, 24105, "\x09\x04\xc1\x02\x61\x80", []Protocol{ProtocolIntelliVue}},
		{"a lead that is cut", 9, 9, "\xe1\x00\x00", nil},
		{"nothing", 9, 9, "", nil},
	}
	for _, tt := range tests {
		v := &View{SrcPort: tt.src, DstPort: tt.dst, Payload: []byte(tt.b)}
		var got []Protocol
		for p, next := RecogniseDatagram(v, 0); p != 0; p, next = RecogniseDatagram(v, next) {
			got = append(got, p)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestProtocolsAreNamed: each row of the tables has a protocol with a name.
func TestProtocolsAreNamed(t *testing.T) {
	for _, o := range slices.Concat(streamOpenings, datagramOpenings) {
		if o.protocol.String() == Protocol(0).String() {
			t.Errorf("protocol %d of %q has no name", o.protocol, o.lead)
		}
	}
	for _, o := range streamOpenings {
		if o.port != 0 {
			t.Errorf("%v over TCP asks for port %d, which is not looked at", o.protocol, o.port)
		}
	}
}

func TestRecogniseAllocs(t *testing.T) {
	v := &View{SrcPort: 53, DstPort: 53, Payload: []byte("some datagram of no protocol")}
	noAllocs(t, func() {
		candidatesNone := func(next int) { RecogniseStream(v.Payload, next); RecogniseDatagram(v, next) }
		candidatesNone(0)
	})
}

// FuzzRecognise: whatever comes, both tables end, and a place to go on at is
// within the bytes.
func FuzzRecognise(f *testing.F) {
	for _, o := range Openings() {
		f.Add([]byte(o.Lead), o.Port)
	}
	f.Add([]byte("x\x7e\x7e(\x00\x01\x08"), uint16(7000))
	f.Fuzz(func(t *testing.T, b []byte, port uint16) {
		v := &View{SrcPort: port, DstPort: port, Payload: b}
		for p, next := RecogniseDatagram(v, 0); p != 0; p, next = RecogniseDatagram(v, next) {
			if p.Window() < 0 || p.String() == "none" {
				t.Errorf("protocol %d", p)
			}
		}
		candidates(b)
		if at := Resync(b); at < 0 || at > 0 && at >= len(b) {
			t.Errorf("go on at %d of %d", at, len(b))
		}
	})
}
