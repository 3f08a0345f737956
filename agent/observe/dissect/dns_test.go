package dissect

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dnsMessage puts a header with the flags and counts in front of the records.
func dnsMessage(flags uint16, counts [4]uint16, parts ...string) []byte {
	b := append(u16s(0x1234, flags), u16s(counts[:]...)...)
	return append(b, strings.Join(parts, "")...)
}

// wire is a dotted name in wire form, without compression.
func wire(name string) string {
	var b strings.Builder
	for l := range strings.SplitSeq(name, ".") {
		b.WriteByte(byte(len(l)))
		b.WriteString(l)
	}
	return b.String() + "\x00"
}

// rr is one resource record with the time to live 120.
func rr(name string, kind, class uint16, data string) string {
	return name + string(u16s(kind, class)) + "\x00\x00\x00\x78" + string(block16([]byte(data)))
}

func question(name string, kind, class uint16) string { return name + string(u16s(kind, class)) }

// readDNS returns the message and all its records.
func readDNS(t *testing.T, b []byte) (m DNS, records []DNSRecord) {
	t.Helper()
	if !m.Decode(b) {
		t.Fatal("not recognised")
	}
	var r DNSRecord
	for m.Next(b, &r) {
		records = append(records, r)
	}
	if m.Next(b, &r) || r != (DNSRecord{}) {
		t.Error("a record behind the last")
	}
	return m, records
}

func TestDNSAnnouncement(t *testing.T) {
	b := dnsMessage(0x8400, [4]uint16{0, 3, 0, 3},
		rr(wire("_ipp._tcp.local"), DNSTypePTR, 1, "\x0dAnna's copier\xc0\x0c"),
		rr("\xc0\x27", DNSTypeSRV, 0x8001, "\x00\x00\x00\x00\x02\x77"+wire("prn-1.local")), // 0x27: the instance above
		rr("\xc0\x27", DNSTypeTXT, 0x8001, "\x06TY=X 9\x05note=\x09rp=secret\x0fusb_MFG=Example\x04odd!\x03md="),
		rr(wire("prn-1.local"), DNSTypeA, 0x8001, "\x0a\x00\x00\x05"),
		rr(wire("prn-1.local"), DNSTypeAAAA, 1, strings.Repeat("\xfd", 16)),
		rr(wire("_services._dns-sd._udp.local"), DNSTypePTR, 1, wire("_ipp._tcp.local")))
	m, got := readDNS(t, b)
	if d := cmp.Diff(DNS{ID: 0x1234, Response: true, Answers: 3, Additionals: 3}, m, exported, cmp.FilterPath(func(p cmp.Path) bool {
		return p.String() == "off" || p.String() == "done"
	}, cmp.Ignore())); d != "" {
		t.Errorf("header (-want +got)\n%s", d)
	}
	ipp, host := NameOf("_ipp._tcp.local"), NameOf("prn-1.local")
	want := []DNSRecord{
		{Section: DNSAnswer, Name: ipp, Type: DNSTypePTR, Class: 1, TTL: 120, Target: ipp, TargetInstance: true},
		{Section: DNSAnswer, Name: ipp, Instance: true, Type: DNSTypeSRV, Class: 1, Flush: true, TTL: 120, Target: host, Port: 631},
		{Section: DNSAnswer, Name: ipp, Instance: true, Type: DNSTypeTXT, Class: 1, Flush: true, TTL: 120, TXTLen: 2,
			TXT: [maxTXT]DNSTXT{{TXTTy, TextOf("X 9")}, {TXTUSBMaker, TextOf("Example")}}},
		{Section: DNSAdditional, Name: host, Type: DNSTypeA, Class: 1, Flush: true, TTL: 120, Addr: [16]byte{10, 0, 0, 5}},
		{Section: DNSAdditional, Name: host, Type: DNSTypeAAAA, Class: 1, TTL: 120, Addr: [16]byte(bytes.Repeat([]byte{0xfd}, 16))},
		{Section: DNSAdditional, Name: NameOf("_services._dns-sd._udp.local"), Type: DNSTypePTR, Class: 1, TTL: 120, Target: ipp},
	}
	if d := cmp.Diff(want, got, exported); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestDNSQuery(t *testing.T) {
	b := dnsMessage(0x0100, [4]uint16{2, 0, 1, 1},
		question(wire("Update.Example.ORG"), DNSTypeAAAA, 1),
		question(wire("x.local"), 255, 0x8001),
		rr(wire("x.local"), 47, 1, "anything"),
		rr("\x00", 41, 4096, ""))
	_, got := readDNS(t, b)
	want := []DNSRecord{
		{Section: DNSQuestion, Name: NameOf("Update.Example.ORG"), Type: DNSTypeAAAA, Class: 1},
		{Section: DNSQuestion, Name: NameOf("x.local"), Type: 255, Class: 1, Flush: true},
		{Section: DNSAuthority, Name: NameOf("x.local"), Type: 47, Class: 1, TTL: 120},
		{Section: DNSAdditional, Type: 41, Class: 4096, TTL: 120},
	}
	if d := cmp.Diff(want, got, exported); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestDNSReply(t *testing.T) {
	b := dnsMessage(0x8183, [4]uint16{1, 2, 0, 0},
		question(wire("www.example.org"), DNSTypeA, 1),
		rr("\xc0\x0c", DNSTypeCNAME, 1, "\x03cdn\xc0\x10"),
		rr("\xc0\x2d", DNSTypeA, 1, "\xc0\x00\x02\x01"))
	m, got := readDNS(t, b)
	if m.Rcode != 3 || len(got) != 3 {
		t.Fatalf("rcode %d, %d records", m.Rcode, len(got))
	}
	if got[1].Target != NameOf("cdn.example.org") || got[2].Name != NameOf("cdn.example.org") || [4]byte(got[2].Addr[:]) != [4]byte{192, 0, 2, 1} {
		t.Errorf("got %q, then %q at %v", got[1].Target, got[2].Name, got[2].Addr[:4])
	}
}

func TestDNSMalformedRecords(t *testing.T) {
	q := question(wire("a.example"), 1, 1)
	tests := []struct {
		name    string
		record  string
		records int // read, the question included
	}{
		{"name past the end", "\x3fabc", 1},
		{"no type", "\x00\x00\x01", 1},
		{"no time to live", "\x00\x00\x01\x00\x01\x00", 1},
		{"data past the end", "\x00\x00\x01\x00\x01\x00\x00\x00\x78\x00\x09\x01", 1},
		{"pointer to itself", "\xc0\x1b\x00\x01\x00\x01\x00\x00\x00\x78\x00\x00", 1},
		{"pointer forward", "\xc0\x7f\x00\x01\x00\x01\x00\x00\x00\x78\x00\x00", 1},
		{"pointer into the header", "\xc0\x00\x00\x01\x00\x01\x00\x00\x00\x78\x00\x00", 1},
		{"half a pointer", "\xc0", 1},
		{"reserved label type", "\x40\x00\x00\x01\x00\x01\x00\x00\x00\x78\x00\x00", 1},
		{"name too long", strings.Repeat("\x3f"+strings.Repeat("x", 63), 4) + "\x00", 1},
		{"short address", rr("\x00", DNSTypeA, 1, "abc"), 2},
		{"short service", rr("\x00", DNSTypeSRV, 1, "abcdef"), 2},
		{"target past its data", rr("\x00", DNSTypePTR, 1, "\x05abc"), 2},
		{"label of more than a label", rr("\x00", DNSTypePTR, 1, "\x07_x\x04Jane\x00"), 2},
		{"text past its data", rr("\x00", DNSTypeTXT, 1, "\x09md=x"), 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, got := readDNS(t, dnsMessage(0x8000, [4]uint16{1, 1, 0, 0}, q, tt.record))
			if len(got) != tt.records {
				t.Fatalf("%d records, want %d", len(got), tt.records)
			}
			r := got[len(got)-1]
			if r.Target.n != 0 || r.Port != 0 || r.TXTLen != 0 || r.Addr != [16]byte{} {
				t.Errorf("read from malformed data: %+v", r)
			}
		})
	}
}

func TestDNSPointerChain(t *testing.T) {
	// Each name is a pointer to the one before it.
	chain := func(n int) []byte {
		parts := []string{question("\x01a\x00", 1, 1)}
		at := dnsHeader
		for i := range n {
			to := at
			if i == 0 {
				at += 7
			} else {
				at += 6
			}
			parts = append(parts, question(string(u16s(0xc000|uint16(to))), 1, 1))
		}
		return dnsMessage(0, [4]uint16{uint16(n + 1)}, parts...)
	}
	if _, got := readDNS(t, chain(maxPointers)); len(got) != maxPointers+1 || got[maxPointers].Name != NameOf("a") {
		t.Errorf("%d records, want a chain of %d pointers read", len(got), maxPointers)
	}
	if _, got := readDNS(t, chain(maxPointers+5)); len(got) != maxPointers+1 {
		t.Errorf("%d records, want the chain cut after %d pointers", len(got), maxPointers)
	}
}

func TestDNSBounds(t *testing.T) {
	m, got := readDNS(t, dnsMessage(0, [4]uint16{600}, strings.Repeat(question("\x00", 1, 1), 600)))
	if len(got) != dnsMaxRecords || m.Questions != 600 {
		t.Errorf("%d records of %d read, want %d", len(got), m.Questions, dnsMaxRecords)
	}
	_, got = readDNS(t, dnsMessage(0x8000, [4]uint16{0, 1}, rr("\x00", DNSTypeTXT, 1, strings.Repeat("\x04md=x", 20))))
	if got[0].TXTLen != maxTXT {
		t.Errorf("%d TXT strings kept, want %d", got[0].TXTLen, maxTXT)
	}
}

func TestDNSRefuses(t *testing.T) {
	good := dnsMessage(0, [4]uint16{1}, question("\x01a\x00", 1, 1))
	for name, b := range map[string][]byte{
		"short":            good[:16],
		"no records":       dnsMessage(0, [4]uint16{}, question("\x01a\x00", 1, 1)),
		"too many records": dnsMessage(0, [4]uint16{0, 0, 0, 9}, question("\x01a\x00", 1, 1)),
		"opcode 7":         dnsMessage(7<<11, [4]uint16{1}, question("\x01a\x00", 1, 1)),
		"bad first name":   dnsMessage(0, [4]uint16{1}, "\x99\x99\x99\x99\x99\x99"),
	} {
		var m DNS
		var r DNSRecord
		if m.Decode(b) {
			t.Errorf("%s: recognised", name)
		}
		_ = m.Next(b, &r) // must not panic
	}
	var m DNS
	var r DNSRecord
	if !m.Decode(good) || m.Next(good[:13], &r) {
		t.Error("Next with fewer bytes than Decode had")
	}
}

func TestTXTKeys(t *testing.T) {
	for k := TXTMd; int(k) < len(txtKeys); k++ {
		if k.String() == "" || !foldEqual([]byte(k.String()), txtKeys[k].lower) {
			t.Errorf("key %d: %q and %q", k, k, txtKeys[k].lower)
		}
	}
	if s := TXTKey(0).String() + TXTKey(200).String(); s != "" {
		t.Errorf("no key has the name %q", s)
	}
}

func TestDNSAllocs(t *testing.T) {
	b := dnsMessage(0x8400, [4]uint16{1, 2, 0, 0}, question(wire("_ipp._tcp.local"), DNSTypePTR, 1),
		rr("\xc0\x0c", DNSTypePTR, 1, "\x01x\xc0\x0c"), rr("\xc0\x0c", DNSTypeTXT, 1, "\x04md=x"))
	m, r := new(DNS), new(DNSRecord)
	n := 0
	noAllocs(t, func() {
		for m.Decode(b); m.Next(b, r); n++ {
		}
	})
	if n == 0 {
		t.Error("nothing read")
	}
}

func FuzzDNS(f *testing.F) {
	f.Add(dnsMessage(0x8400, [4]uint16{1, 2, 0, 0}, question(wire("_ipp._tcp.local"), DNSTypePTR, 1),
		rr("\xc0\x0c", DNSTypePTR, 1, "\x01x\xc0\x0c"), rr("\xc0\x0c", DNSTypeTXT, 1, "\x04md=x")))
	f.Add(dnsMessage(0x8400, [4]uint16{0, 1, 0, 0}, rr(wire("a.local"), DNSTypeSRV, 1, "\x00\x00\x00\x00\x02\x77\x01b\x00")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m DNS
		var r DNSRecord
		for m.Decode(b); m.Next(b, &r); {
			for _, x := range r.TXT[:r.TXTLen] {
				_ = x.Key.String()
			}
			checkMessage(t, &r)
		}
	})
}

// What people call their thing may look like a service: it is left out all the
// same.
func TestInstanceIsLeftOut(t *testing.T) {
	name := func(labels ...string) string {
		s := ""
		for _, l := range labels {
			s += string(block8([]byte(l)))
		}
		return s + "\x00"
	}
	tests := []struct {
		in       string
		want     string
		instance bool
	}{
		{name("Jane's tablet", "_airplay", "_tcp", "local"), "_airplay._tcp.local", true},
		{name("_Jane's tablet", "_airplay", "_tcp", "local"), "_airplay._tcp.local", true},
		{name("_jane", "_airplay", "_tcp", "local"), "_airplay._tcp.local", true},
		{name("Jane", "_x", "_airplay", "_TCP", "local"), "_airplay._TCP.local", true},
		{name("_airplay", "_udp", "local"), "_airplay._udp.local", false},
		{name("_printer", "_sub", "_http", "_tcp", "local"), "_printer._sub._http._tcp.local", false},
		{name("Jane's", "_sub", "_http", "_tcp", "local"), "_sub._http._tcp.local", true},
		{name("_services", "_dns-sd", "_udp", "local"), "_services._dns-sd._udp.local", false},
		{name("_tcp", "local"), "_tcp.local", false},
		{name("Jane Doe", "_tcp", "local"), "_tcp.local", true},
		{name("host", "local"), "host.local", false},
		{name("x", "_device-info", "local"), "_device-info.local", true},
	}
	for _, tt := range tests {
		b := dnsMessage(0x8400, [4]uint16{0, 1, 0, 0}, rr(name("_x", "_tcp"), DNSTypePTR, 1, tt.in))
		var m DNS
		var r DNSRecord
		if !m.Decode(b) || !m.Next(b, &r) {
			t.Fatalf("%q: not read", tt.in)
		}
		if r.Target.String() != tt.want || r.TargetInstance != tt.instance {
			t.Errorf("%q: %q, instance %v; want %q, %v", tt.in, r.Target, r.TargetInstance, tt.want, tt.instance)
		}
	}
}
