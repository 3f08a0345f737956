package dissect

import (
	"testing"
)

// hostile tries what a hostile sender would send instead of b.
func hostile[T any](t *testing.T, name string, decode func(*T, []byte) Progress, b string) {
	t.Helper()
	hostileMessage(t, name, done(decode), b)
}

// hostileMessage is hostile for what comes whole.
func hostileMessage[T any](t *testing.T, name string, decode func(*T, []byte) bool, b string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		var want T
		decode(&want, []byte(b))
		recognised(t, decode, []byte(b), want)
	})
}

func TestHostileStreams(t *testing.T) {
	hostile(t, "BCC", (*BCC).DecodeStream, bccAnswer())
	hostile(t, "BCC request", (*BCC).DecodeStream, "\x06"+bccFrame("1/1/1", "ADMIN:VERSION"))
	hostile(t, "MEDIBUS", (*Medibus).DecodeStream, string(unhex(t, medibusVector)))
	hostile(t, "MEDIBUS texts", (*Medibus).DecodeStream, medibus(1, MedibusTexts, "1E3xyz\x030A1\x03"))
	hostile(t, "ASTM", (*ASTM).DecodeStream, string(unhex(t, astmVector)))
	hostile(t, "POCT1-A", (*POCT1A).DecodeStream, poctHello)
	hostile(t, "Asena", (*SerialASCII).DecodeStream, asena("INST_SERIALNO^8002-1"))
	hostile(t, "PB840", (*SerialASCII).DecodeStream, pb840Line)
	hostile(t, "Masimo", (*SerialASCII).DecodeStream, masimoText)
	hostile(t, "FHIR", (*FHIR).DecodeStream, statementJSON)
	hostile(t, "FHIR in XML", (*FHIR).DecodeStream, statementXML)
	hostile(t, "DICOM", (*DICOM).DecodeStream, string(unhex(t, dicomVector)))
	hostile(t, "HL7", (*HL7).DecodeStream, pumpMessage())
	hostile(t, "HTTP request", (*HTTP).DecodeStream, "POST /fhir/Patient/1 HTTP/1.1\r\nHost: x\r\nUser-Agent: probe/1.0\r\nContent-Type: application/fhir+json\r\nContent-Length: 4\r\n\r\nbody")
	hostile(t, "HTTP response", (*HTTP).DecodeStream, "HTTP/1.1 200 OK\r\nServer: httpd\r\n part/2\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody")
	small := modern()
	small.exts = small.exts[:11]
	hostile(t, "TLS client", (*ClientHello).DecodeStream, string(records(small.message(), 120)))
	hostile(t, "TLS server", (*ServerHello).DecodeStream, string(records(hello{server: true, version: 0x0303, ciphers: []uint16{4}, exts: [][]byte{extProtocols("h2"), ext(43, u16s(0x0304))}}.message(), 40)))
}

func TestHostileMessages(t *testing.T) {
	hostileMessage(t, "WS-Discovery", (*WSDiscovery).Decode, string(sdcHello()))
	hostileMessage(t, "SDC metadata", (*SDC).DecodeXML, sdcMetadata)
	hostileMessage(t, "SDC description", (*SDC).DecodeXML, sdcMDIB)
	hostileMessage(t, "IntelliVue", (*IntelliVue).Decode, string(unhex(t, intelliVueVector)))
	hostileMessage(t, "LLDP", (*LLDP).Decode, string(unhex(t, lldpMEDVector)[14:]))
	hostileMessage(t, "DHCPv4", (*DHCPv4).Decode, string(dhcpMessage(1, opt(53, "\x01"), opt(12, "pump"), opt(60, "class"), opt(55, "\x01"), opt(61, "\x01abcdef"))))
	type answers struct {
		DNS     DNS
		Records [4]DNSRecord
	}
	decode := func(m *answers, b []byte) bool {
		*m = answers{}
		known := m.DNS.Decode(b)
		for i := range m.Records {
			if !m.DNS.Next(b, &m.Records[i]) {
				m.Records[i] = DNSRecord{}
			}
		}
		return known
	}
	hostileMessage(t, "DNS", decode, string(dnsMessage(0x8400, [4]uint16{0, 2, 0, 0}, rr(wire("_ipp._tcp.local"), DNSTypePTR, 1, "\x01x\xc0\x0c"), rr("\xc0\x0c", DNSTypeTXT, 1, "\x04md=x"))))
}

// TestStreamVectors reads the synthetic messages of protocols.md.
func TestStreamVectors(t *testing.T) {
	var m Medibus
	for name, want := range map[string]Medibus{
		"medibus_nop": {Code: MedibusNOP, Next: 5}, "medibus_icc": {Code: MedibusInitialise, Next: 5}, "medibus_devid_req": {Code: MedibusIdentity, Next: 5},
		"medibus_devid_resp": {Code: MedibusIdentity, Answer: true, ID: TextOf("8020"), Model: TextOf("TestVent"), Version: TextOf("01.00"), Next: 30},
	} {
		if p := m.DecodeStream(vector(t, name)); p != Done || m != want {
			t.Errorf("%s: %v %+v", name, p, m.Model)
		}
	}
	var a ASTM
	if p := a.DecodeStream(vector(t, "astm_header_frame")); p != Done || a.Sender.String() != "ACME" || a.Serial.String() != "SN1" {
		t.Errorf("astm_header_frame: %v, %q", p, a.Sender)
	}
	var d DICOM
	if p := d.DecodeStream(vector(t, "dicom_a_associate_rq")); p != Done || d.CallingAE.String() != "CT_TEST" || d.ContextsLen != 2 {
		t.Errorf("dicom_a_associate_rq: %v, %q", p, d.CallingAE)
	}
	var h HL7
	if p := h.DecodeStream(vector(t, "hl7_ack")); p != Done || h.Ack != HL7AckAA {
		t.Errorf("hl7_ack: %v, %d", p, h.Ack)
	}
}
