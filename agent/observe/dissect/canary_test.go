package dissect

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// canary is a message of which every forbidden field holds the word CANARY
// and every allowed one the word Allowed.
type canary struct {
	name    string
	b       []byte
	allowed int // how often the word Allowed must come out
}

// leak is the word; leakBytes is it with a number, so that a finding says
// which field it came from.
const leak = "CANARY"

// marker counts the forbidden fields of a message.
type marker struct{ n int }

// next is the content of the next forbidden field.
func (k *marker) next() string { k.n++; return fmt.Sprintf("%s%02d", leak, k.n) }

// fields joins HL7 fields: position to value, canaries in all other places.
func (k *marker) fields(segment string, last int, allowed map[int]string) string {
	parts := []string{segment}
	for i := 1; i <= last; i++ {
		v, ok := allowed[i]
		if !ok {
			v = k.next() + "^" + k.next() + "~" + k.next()
		}
		parts = append(parts, v)
	}
	return strings.Join(parts, "|")
}

// raw is the memory of m. It holds all there is: no message has a pointer.
func raw[T any](m *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(m)), unsafe.Sizeof(*m))
}

// checkCanaries decodes every message and every beginning of it into the same
// m and searches m for canaries.
func checkCanaries[T any](t *testing.T, decode func(*T, []byte) bool, messages ...canary) {
	t.Helper()
	m := new(T)
	for _, c := range messages {
		if !bytes.Contains(c.b, []byte(leak)) {
			t.Fatalf("%s: holds no canary", c.name)
		}
		if !decode(m, c.b) {
			t.Fatalf("%s: not recognised", c.name)
		}
		shown := 0
		walkStrings(reflect.ValueOf(m), func(s string) { shown += strings.Count(s, "Allowed") })
		if shown != c.allowed {
			t.Errorf("%s: %d allowed fields came out, want %d", c.name, shown, c.allowed)
		}
		if s := fmt.Sprintf("%v %+v", *m, *m); strings.Contains(strings.ToUpper(s), leak) {
			t.Errorf("%s: formatting leaked", c.name)
		}
		for i := len(c.b); i >= 0; i-- {
			decode(m, c.b[:i])
			b := raw(m)
			if at := bytes.Index(b, []byte(leak)); at >= 0 {
				t.Fatalf("%s, %d of %d bytes: %q leaked", c.name, i, len(c.b), b[at:min(len(b), at+8)])
			}
		}
	}
}

func TestCanaryDHCPv4(t *testing.T) {
	var k marker
	b := dhcpMessage(1, opt(12, "Allowed"), opt(60, "Allowed"), opt(81, "\x00\x00\x00Allowed"), opt(161, "https://Allowed/x?"+k.next()+"#"+k.next()),
		opt(43, k.next()), opt(77, k.next()), opt(82, "\x01\x08"+k.next()), opt(97, "\x00"+k.next()), opt(124, "\x00\x00\x00\x01\x08"+k.next()),
		opt(125, "\x00\x00\x00\x01\x08"+k.next()), opt(61, "\x00"+k.next()), opt(15, k.next()), opt(56, k.next()), opt(66, k.next()), opt(90, k.next()))
	copy(b[dhcpSName:], k.next())
	copy(b[dhcpFile:], k.next())
	duid := dhcpMessage(1, opt(61, "\xffIAID\x00\x02\x00\x00"+k.next()), opt(61, "\xffIAID\x00\x04"+k.next()+k.next()))
	checkCanaries(t, (*DHCPv4).Decode, canary{"discover", b, 4}, canary{"client ids", duid, 0})
}

func TestCanaryDNS(t *testing.T) {
	var k marker
	type pair struct { // a message and all its records at once
		m DNS
		r [8]DNSRecord
	}
	decode := func(p *pair, b []byte) bool {
		*p = pair{}
		ok := p.m.Decode(b)
		for i := 0; i < len(p.r) && p.m.Next(b, &p.r[i]); i++ {
		}
		return ok
	}
	instance := string(block8([]byte(k.next()+"'s tablet."))) + wire("_Allowed._tcp.local")
	txt := ""
	for _, s := range []string{"ty=Allowed", "note=" + k.next(), "id=" + k.next(), "fn=" + k.next(), "ty" + k.next(), k.next(), "u=" + k.next(), "mdx=" + k.next(), "=" + k.next()} {
		txt += string(block8([]byte(s)))
	}
	b := dnsMessage(0x8400, [4]uint16{0, 6, 0, 0},
		rr(wire("_Allowed._tcp.local"), DNSTypePTR, 1, instance), rr(instance, DNSTypeSRV, 1, "\x00\x00\x00\x00\x02\x77"+wire("Allowed.local")),
		rr(instance, DNSTypeTXT, 1, txt), rr(instance, 47, 1, k.next()), rr("\x00", 13, 1, string(block8([]byte(k.next())))), rr("\x00", 41, 1, k.next()))
	checkCanaries(t, decode, canary{"announcement", b, 7})
}

func TestCanaryLLDP(t *testing.T) {
	var k marker
	b := tlv(1, "\x07"+k.next()) + tlv(2, "\x07"+k.next()) + tlv(4, k.next()) + tlv(5, "Allowed") + tlv(6, "Allowed") + tlv(8, "\x09"+k.next()) +
		tlv(127, "\x00\x12\xbb\x03"+k.next()) + tlv(127, "\x00\x12\xbb\x02"+k.next()) + tlv(127, "\x00\x12\xbb\x0aAllowed") + tlv(127, "\x00\x80\xc2\x03"+k.next()) +
		tlv(127, "\x00\x00\x5e\x02"+k.next()) + tlv(127, "\x00\x00\x5e\x01http://Allowed?"+k.next()) + tlv(100, k.next())
	checkCanaries(t, (*LLDP).Decode, canary{"frame", []byte(b), 4})
}

func TestCanaryTLS(t *testing.T) {
	var k marker
	c := hello{version: 0x0303, sessionID: []byte(k.next()), ciphers: []uint16{4}, exts: [][]byte{
		extSNI("Allowed.example"), extProtocols("Allowed"), ext(35, []byte(k.next())), ext(41, []byte(k.next())), ext(44, []byte(k.next())), ext(51, []byte(k.next())),
		ext(extServerName, block16(append([]byte{7}, block16([]byte(k.next()))...))), ext(9999, []byte(k.next())), ext(extSupportedGroups, append([]byte{0, 2, 0, 29}, k.next()...)),
	}}
	b := append(records(c.message(), 50), k.next()...)
	checkCanaries(t, func(m *ClientHello, b []byte) bool { return m.DecodeStream(b) == Done }, canary{"client", b, 2})

	s := hello{server: true, version: 0x0303, sessionID: []byte(k.next()), ciphers: []uint16{4}, exts: [][]byte{extProtocols("Allowed"), ext(51, []byte(k.next())), ext(44, []byte(k.next()))}}
	b = append(records(s.message(), 50), k.next()...)
	checkCanaries(t, func(m *ServerHello, b []byte) bool { return m.DecodeStream(b) == Done }, canary{"server", b, 1})
}

func TestCanaryHTTP(t *testing.T) {
	var k marker
	line := func(name string) string { return name + ": " + k.next() + "\r\n " + k.next() + "\r\n" }
	hidden := line("Host") + line("Cookie") + line("Authorization") + line("Referer") + line("X-Patient") + line("From") + line("Set-Cookie") + line("Location") + line("Via") + k.next() + "\r\n"
	request := "GET /" + k.next() + "?id=" + k.next() + " HTTP/1.1\r\n" + hidden + "User-Agent: Allowed\r\n\r\n" + k.next()
	response := "HTTP/1.1 200 " + k.next() + "\r\n" + hidden + "Server: Allowed\r\n\r\n" + k.next()
	checkCanaries(t, func(m *HTTP, b []byte) bool { return m.DecodeStream(b) == Done }, canary{"request", []byte(request), 1}, canary{"response", []byte(response), 1})
}

func TestCanaryWeb(t *testing.T) {
	var k marker
	for _, media := range []string{"application/fhir+json", "application/dicom+json", "application/hl7-v2+er7", "multipart/related; type=\"application/dicom\""} {
		b := "GET /" + k.next() + "/Patient/" + k.next() + "/studies/" + k.next() + "/metadata?patient=" + k.next() + "#" + k.next() + " HTTP/1.1\r\nUser-Agent: Allowed\r\nAccept: " + media + "; p=" + k.next() +
			"\r\nContent-Type: " + media + "; boundary=" + k.next() + "\r\nAuthorization: " + k.next() + "\r\nReferer: " + k.next() + "\r\nContent-Length: " + k.next() + "\r\nContent-Encoding: " + k.next() +
			"\r\nTransfer-Encoding: " + k.next() + "\r\nPrefer: " + k.next() + "\r\n\r\n" + k.next()
		checkCanaries(t, func(m *HTTP, b []byte) bool { return m.DecodeStream(b) == Done }, canary{media, []byte(b), 1})
	}
}

func TestCanaryFHIR(t *testing.T) {
	var k marker
	b := strings.ReplaceAll(strings.ReplaceAll(statementJSON, "Test server", "Allowed"), `"no"`, `"`+k.next()+`"`)
	x := strings.ReplaceAll(strings.ReplaceAll(statementXML, "Test server", "Allowed"), `"no"`, `"`+k.next()+`"`)
	decode := func(m *FHIR, b []byte) bool { return m.DecodeStream(b) == Done }
	checkCanaries(t, decode, canary{"JSON", []byte(b), 1}, canary{"XML", []byte(x), 1})
	checkCanaries(t, (*FHIR).Statement, canary{"what is there of it", []byte(b), 1})
	for _, b := range []string{`{"resourceType":"Device","software":{"name":"CANARY"},"publisher":"CANARY"}`, `{"publisher":"CANARY","resourceType":"Patient"}`} {
		var m FHIR
		if decode(&m, []byte(b)); bytes.Contains(raw(&m), []byte(leak)) {
			t.Errorf("%s leaked", b)
		}
	}
}

func TestCanaryHL7(t *testing.T) {
	var k marker
	msh := `MSH|^~\&|Allowed|Allowed|` + k.next() + "|" + k.next() + "|" + k.next() + "|" + k.next() + "|ORU^Allowed|" + k.next() + "|" + k.next() + "|Allowed^" + k.next() + "|" +
		strings.Repeat(k.next()+"|", 8) + "Allowed~" + k.next() + "|" + k.next()
	segments := []string{msh}
	// Every segment that may hold a person, a place or a result, and one of a site's own.
	for _, s := range strings.Fields("PID PD1 PV1 PV2 NK1 MRG GT1 IN1 IN2 IN3 AL1 IAM DG1 DRG PR1 ACC UB1 UB2 ORC OBR NTE TXA RXA RXE RXO RXR SPM SAC QRD QPD QRF STF PRA ROL EVN MSA ERR UAC ZMW ZZZ") {
		segments = append(segments, k.fields(s, 30, nil))
	}
	segments = append(segments,
		k.fields("OBX", 26, map[int]string{18: "Allowed"}),
		k.fields("OBX", 26, map[int]string{3: "69985^" + k.next() + "^MDC^" + k.next(), 4: "1.0.0.0", 18: "Allowed-2"}),
		k.fields("PRT", 26, map[int]string{10: "Allowed^~" + k.next(), 16: "Allowed", 19: "Allowed", 20: "Allowed", 22: "Allowed"}),
		k.fields("SFT", 8, map[int]string{1: "Allowed^" + k.next(), 2: "Allowed", 3: "Allowed", 4: "Allowed", 6: "2020" + k.next()}),
		k.fields("EQU", 8, map[int]string{1: "Allowed", 3: "OP^" + k.next()}),
		k.fields("MSA", 8, map[int]string{1: "AE"}),
		k.fields("OBX", 26, map[int]string{3: "184519^" + k.next() + "^MDC", 5: "^pump-status-infusing^" + k.next(), 18: "Allowed"}),
		// A person who takes part, and text of an observation that goes on in the next lines.
		k.fields("PRT", 9, nil),
		"OBX|9|TX|1^x^L||"+k.next(), k.next(), "  PRT|"+k.next(), "OBXX|"+k.next(), "PRT "+k.next(), "")
	// Segments are tried one at a time too, since the window ends after 4 KiB.
	var all []canary
	for i, s := range segments[1:] {
		want := 5
		switch {
		case strings.HasPrefix(s, "OBX|") && strings.Contains(s, "Allowed"):
			want++
		case strings.HasPrefix(s, "EQU|"):
			want++
		case strings.HasPrefix(s, "SFT|"):
			want += 4
		case strings.HasPrefix(s, "PRT|") && strings.Contains(s, "Allowed"):
			want += 5
		}
		all = append(all, canary{fmt.Sprintf("segment %d %.3s", i+1, s), []byte(mllp(msh, s)), want})
	}
	checkCanaries(t, func(m *HL7, b []byte) bool { return m.DecodeStream(b) == Done }, all...)
	checkCanaries(t, func(m *HL7, b []byte) bool { return m.DecodeBare(b) == Done }, canary{"bare", []byte(msh + "\r" + segments[1] + "\r"), 5})
	whole := []byte(mllp(segments...))
	var m HL7
	if m.DecodeStream(whole); bytes.Contains(raw(&m), []byte(leak)) {
		t.Error("the message as a whole leaked")
	}
}

func TestCanaryDICOM(t *testing.T) {
	var k marker
	called := "Allowed         Allowed         "
	b := association(1, item(0x20, "\x01\x00\x00\x00"+item(0x30, k.next())+item(0x40, k.next())), item(0x11, k.next()),
		item(0x50, item(0x58, "\x01\x01\x00\x08"+k.next()+"\x00\x08"+k.next())+item(0x59, k.next())+item(0x56, k.next())+item(0x57, k.next())+item(0x52, k.next())+item(0x55, "Allowed")))
	copy(b[dicomCalled:], called)
	copy(b[dicomCalling+16:], k.next())                          // reserved
	b = append(b, "\x04\x00\x00\x00\x00\x20"+k.next()+"\x01"...) // data behind it
	data := append([]byte{4, 0, 0, 0, 0x10, 0, 0, 0, 0x0f, 0xfc, 3, 3}, "\x08\x00\x50\x00"+k.next()+k.next()...)
	checkCanaries(t, func(m *DICOM, b []byte) bool { return m.DecodeStream(b) == Done }, canary{"association", b, 3}, canary{"data", data, 0})
}

func TestCanaryIntelliVue(t *testing.T) {
	var k marker
	label := func(s string) string { return string(block16([]byte(s))) }
	attributes := []string{"\x09\x28" + label("Allowed") + label("Allowed\x00"+k.next()),
		"\x09\x2d\x00\x02" + label("\x00\x01\x00\x08"+label("Allowed")+"\x00\x01\x00\x99"+label(k.next())+"\x00\x06\x00\x08"+label(k.next()))}
	for _, id := range []string{"\x09\x1e", "\x09\x56", "\x09\x57", "\x09\x58", "\x09\x5a", "\x09\x5c", "\x09\x5d", "\x09\x61", "\x09\x62", "\x09\xd8", "\x09\xdc", "\x09\xdf",
		"\xf0\x01", "\xf1\x29", "\xf1\x2a", "\x09\x50", "\x09\x4b", "\x09\x6e", "\x09\x67", "\xf1\x35", "\x09\x84", "\x09\x37"} {
		attributes = append(attributes, id+k.next())
	}
	data := append(u16s(0xe100, 2, 2, 12, 1, 7), k.next()...)
	request := []byte("\x0d" + string(block8([]byte(acse+k.next()))))
	checkCanaries(t, (*IntelliVue).Decode, canary{"connect indication", connect(attributes...), 3}, canary{"data", data, 0}, canary{"association", request, 0})
}

// A message that held a pointer could hold payload.
func TestMessagesAreClosed(t *testing.T) {
	var check func(t *testing.T, at string, v reflect.Type)
	check = func(t *testing.T, at string, v reflect.Type) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				check(t, at+"."+v.Field(i).Name, v.Field(i).Type)
			}
		case reflect.Array:
			if v.Elem().Kind() == reflect.Uint8 && v.Len() > 16 && v.Name() == "" && !strings.HasSuffix(at, ".b") && !strings.HasSuffix(at, ".PRL") && !strings.HasSuffix(at, ".Order") {
				t.Errorf("%s: %d bytes that are not a Text, a Name or a UID", at, v.Len())
			}
			check(t, at+"[]", v.Elem())
		case reflect.Bool, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Int:
		default:
			t.Errorf("%s: a %s", at, v.Kind())
		}
	}
	for _, v := range []any{DHCPv4{}, DNS{}, DNSRecord{}, LLDP{}, ClientHello{}, ServerHello{}, HTTP{}, FHIR{}, BCC{}, Medibus{}, ASTM{}, POCT1A{}, SerialASCII{}, HL7{}, DICOM{}, IntelliVue{}, WSDiscovery{}, SDC{}, Unity{}, DRI{}, Mindray{}, PHD{}, ADDP{}, Moxa{}, Lantronix{}, AeroScout{}} {
		check(t, reflect.TypeOf(v).Name(), reflect.TypeOf(v))
	}
}
