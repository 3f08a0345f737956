package dissect

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hello is what the tests build a ClientHello or ServerHello from.
type hello struct {
	server    bool
	version   uint16
	sessionID []byte
	ciphers   []uint16
	exts      [][]byte // type, length and value
	noExts    bool     // leave the extensions' length out, as old clients do
}

// message returns the handshake message.
func (h hello) message() []byte {
	b := u16s(h.version)
	b = append(b, bytes.Repeat([]byte{0xaa}, 32)...)
	b = append(b, byte(len(h.sessionID)))
	b = append(b, h.sessionID...)
	if h.server {
		b = append(b, u16s(h.ciphers[0])...)
		b = append(b, 0)
	} else {
		b = append(b, block16(u16s(h.ciphers...))...)
		b = append(b, 1, 0)
	}
	if !h.noExts {
		b = append(b, block16(bytes.Join(h.exts, nil))...)
	}
	kind := byte(1)
	if h.server {
		kind = 2
	}
	return append([]byte{kind, byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b...)
}

// records cuts a message into records of at most size bytes.
func records(message []byte, size int) (b []byte) {
	for len(message) > 0 {
		n := min(size, len(message))
		b = append(b, tlsHandshake, 3, 1, byte(n>>8), byte(n))
		b = append(b, message[:n]...)
		message = message[n:]
	}
	return b
}

func u16s(v ...uint16) (b []byte) {
	for _, x := range v {
		b = binary.BigEndian.AppendUint16(b, x)
	}
	return b
}

func block16(v []byte) []byte { return append(u16s(uint16(len(v))), v...) }
func block8(v []byte) []byte  { return append([]byte{byte(len(v))}, v...) }

func ext(kind uint16, v []byte) []byte { return append(u16s(kind), block16(v)...) }

func extSNI(name string) []byte {
	return ext(extServerName, block16(append([]byte{0}, block16([]byte(name))...)))
}

func extProtocols(names ...string) []byte {
	var b []byte
	for _, n := range names {
		b = append(b, block8([]byte(n))...)
	}
	return ext(extALPN, block16(b))
}

// modern is a TLS 1.3 hello with GREASE, as browsers send it.
func modern() hello {
	return hello{
		version: 0x0303, sessionID: bytes.Repeat([]byte{7}, 32),
		ciphers: []uint16{0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
		exts: [][]byte{
			ext(0x2a2a, nil), extSNI("pump.example.org"), ext(23, nil), ext(0xff01, []byte{0}),
			ext(extSupportedGroups, block16(u16s(0x3a3a, 29, 23, 24))), ext(extECPointFormats, []byte{1, 0}),
			ext(35, nil), extProtocols("h2", "http/1.1"), ext(5, []byte{1, 0, 0, 0, 0}),
			ext(extSignatureAlgs, block16(u16s(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601))),
			ext(18, nil), ext(51, block16(bytes.Repeat([]byte{0x51}, 1300))), ext(45, []byte{1, 1}),
			ext(extSupportedVersions, block8(u16s(0x4a4a, 0x0304, 0x0303))), ext(27, []byte{2, 0, 2}),
			ext(0x4469, []byte{0, 3, 2, 'h', '2'}), ext(0x5a5a, []byte{0}), ext(21, make([]byte, 40)),
		},
	}
}

func TestClientHello(t *testing.T) {
	want := ClientHello{Version: 0x0303, SNI: NameOf("pump.example.org"), alpnEnds: [2]byte{'h', '2'}, hasALPN: true, hasSNI: true}
	want.ALPNLen = uint8(copy(want.ALPN[:], []Text{TextOf("h2"), TextOf("http/1.1")}))
	want.CiphersLen = uint16(copy(want.Ciphers[:], modern().ciphers[1:]))
	want.ExtensionsLen = uint16(copy(want.Extensions[:], []uint16{0, 23, 0xff01, 10, 11, 35, 16, 5, 13, 18, 51, 45, 43, 27, 0x4469, 21}))
	want.GroupsLen = uint16(copy(want.Groups[:], []uint16{29, 23, 24}))
	want.PointsLen = 1
	want.SigAlgsLen = uint16(copy(want.SigAlgs[:], []uint16{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}))
	want.VersionsLen = uint16(copy(want.Versions[:], []uint16{0x0304, 0x0303}))

	message := modern().message()
	for _, size := range []int{1, 2, 3, 7, 100, 512, tlsMaxRecord} {
		b := records(message, size)
		m := ClientHello{SNI: NameOf("left over")}
		if p := m.DecodeStream(b); p != Done {
			t.Fatalf("records of %d bytes: %v", size, p)
		}
		if d := cmp.Diff(want, m, exported); d != "" {
			t.Errorf("records of %d bytes: (-want +got)\n%s", size, d)
		}
		for i := range b {
			m.SNI = NameOf("left over")
			if p := m.DecodeStream(b[:i]); p != NeedMore || m != (ClientHello{}) {
				t.Fatalf("records of %d bytes, %d of %d bytes: %v, want need-more and an empty message", size, i, len(b), p)
			}
		}
	}
}

func TestClientHelloAfterChangeCipherSpec(t *testing.T) {
	b := append([]byte{20, 3, 3, 0, 1, 1}, records(modern().message(), 600)...)
	var m ClientHello
	if p := m.DecodeStream(b); p != Done || m.SNI.String() != "pump.example.org" {
		t.Errorf("%v, %q", p, m.SNI)
	}
}

func TestServerHelloAfterAlert(t *testing.T) {
	h := hello{server: true, version: 0x0303, ciphers: []uint16{4}, exts: [][]byte{extProtocols("h2")}}
	b := append([]byte{21, 3, 3, 0, 2, 1, 112}, records(h.message(), 600)...)
	var m ServerHello
	if p := m.DecodeStream(b); p != Done || m.ALPN.String() != "h2" {
		t.Errorf("%v, %q", p, m.ALPN)
	}
	if p := m.DecodeStream(b[:6]); p != No {
		t.Errorf("half an alert: %v", p)
	}
	if p := m.DecodeStream(b[:7]); p != NeedMore {
		t.Errorf("an alert alone: %v", p)
	}
}

func TestClientHelloRefuses(t *testing.T) {
	old := hello{version: 0x0301, ciphers: []uint16{4}, exts: [][]byte{extSNI("a.example")}}
	good := records(old.message(), tlsMaxRecord)
	edit := func(at int, v byte) []byte { b := bytes.Clone(good); b[at] = v; return b }
	withExt := func(e []byte) []byte {
		return records(hello{version: 0x0301, ciphers: []uint16{4}, exts: [][]byte{e}}.message(), tlsMaxRecord)
	}
	tests := map[string][]byte{
		"HTTP":                            []byte("GET / HTTP/1.1\r\n"),
		"application data":                edit(0, 23),
		"version 4":                       edit(1, 4),
		"server hello":                    edit(5, 2),
		"empty record":                    {22, 3, 1, 0, 0, 1},
		"record too long":                 {22, 3, 1, 0x50, 0, 1},
		"message too long":                {22, 3, 1, 0, 4, 1, 1, 0, 0},
		"second record of another type":   append(records(old.message(), 20)[:25], 23, 3, 1, 0, 1, 0),
		"session id past the end":         edit(43, 255),
		"ciphers past the end":            edit(44, 255),
		"extensions past the end":         edit(50, 255),
		"extension past the list":         withExt([]byte{0, 16, 0, 9, 1}),
		"server name list past the end":   withExt(ext(extServerName, []byte{0, 9, 0})),
		"server name past the list":       withExt(ext(extServerName, []byte{0, 4, 0, 0, 9, 'x'})),
		"ALPN list past the end":          withExt(ext(extALPN, []byte{0, 9, 1, 'h'})),
		"ALPN name past the list":         withExt(ext(extALPN, []byte{0, 2, 9, 'h'})),
		"groups past the end":             withExt(ext(extSupportedGroups, []byte{0, 9, 0, 1})),
		"points past the end":             withExt(ext(extECPointFormats, []byte{9, 0})),
		"one byte of a list length":       withExt(ext(extSupportedGroups, []byte{0})),
		"message ends in the session id":  {22, 3, 1, 0, 39, 1, 0, 0, 35, 3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 32},
		"message of no length whatsoever": {22, 3, 1, 0, 4, 1, 0, 0, 0},
	}
	for name, b := range tests {
		m := ClientHello{}
		if p := m.DecodeStream(b); p != No {
			t.Errorf("%s: %v, want no", name, p)
		}
	}
}

func TestClientHelloOverflow(t *testing.T) {
	many := make([]uint16, 2000)
	for i := range many {
		many[i] = uint16(i + 1)
	}
	exts := make([][]byte, 0, 300)
	for i := range 300 {
		exts = append(exts, ext(uint16(1000+i), nil))
	}
	names := make([]string, 40)
	for i := range names {
		names[i] = "proto"
	}
	tests := map[string]hello{
		"ciphers":    {version: 0x0303, ciphers: many},
		"extensions": {version: 0x0303, ciphers: many[:1], exts: exts},
		"groups":     {version: 0x0303, ciphers: many[:1], exts: [][]byte{ext(extSupportedGroups, block16(u16s(many...)))}},
		"points":     {version: 0x0303, ciphers: many[:1], exts: [][]byte{ext(extECPointFormats, block8(make([]byte, 200)))}},
	}
	for name, h := range tests {
		var m ClientHello
		if p := m.DecodeStream(records(h.message(), 1000)); p != Done {
			t.Errorf("%s: %v", name, p)
		}
		if a, b := m.JA3(), m.JA4(); !a.IsZero() || !b.IsZero() {
			t.Errorf("%s: a fingerprint %q, %q of a part of the list", name, a, b)
		}
	}
	var m ClientHello
	h := hello{version: 0x0303, ciphers: many[:1], exts: [][]byte{extProtocols(names...)}}
	if p := m.DecodeStream(records(h.message(), 1000)); p != Done || m.ALPNLen != maxALPN {
		t.Errorf("many protocol names: %v, kept %d", p, m.ALPNLen)
	}
	ja4 := m.JA4()
	if ja4.IsZero() {
		t.Error("many protocol names: no JA4, although it needs the first one only")
	}
}

func TestServerHello(t *testing.T) {
	h := hello{server: true, version: 0x0303, ciphers: []uint16{0xc02f},
		exts: [][]byte{ext(0xff01, []byte{0}), extProtocols("h2"), ext(23, nil)}}
	var m ServerHello
	b := append(records(h.message(), 30), records([]byte{11, 0, 0, 3, 0, 0, 0}, 100)...) // and a certificate
	if p := m.DecodeStream(b); p != Done {
		t.Fatal(p)
	}
	if d := cmp.Diff(ServerHello{ALPN: TextOf("h2")}, m, exported); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for i := range len(records(h.message(), 30)) {
		if p := m.DecodeStream(b[:i]); p != NeedMore || m != (ServerHello{}) {
			t.Fatalf("%d bytes: %v", i, p)
		}
	}
	h.exts = [][]byte{ext(extSupportedVersions, u16s(0x0304))}
	if p := m.DecodeStream(records(h.message(), 100)); p != Done || m != (ServerHello{}) {
		t.Errorf("TLS 1.3: %v, %q", p, m.ALPN)
	}
	for name, e := range map[string][]byte{"extension past the list": {0, 16, 0, 9, 1}, "ALPN name past the list": ext(extALPN, []byte{0, 2, 9, 'h'})} {
		h.exts = [][]byte{e}
		if p := m.DecodeStream(records(h.message(), 100)); p != No {
			t.Errorf("%s: %v", name, p)
		}
	}
}

func TestHelloAllocs(t *testing.T) {
	b := records(modern().message(), 512)
	s := records(hello{server: true, version: 0x0303, ciphers: []uint16{4}, exts: [][]byte{extProtocols("h2")}}.message(), 512)
	m, sm := new(ClientHello), new(ServerHello)
	var n int
	noAllocs(t, func() {
		m.DecodeStream(b)
		ja3, ja4 := m.JA3(), m.JA4()
		sm.DecodeStream(s)
		n += ja3.Len() + ja4.Len() + sm.ALPN.Len()
	})
}

func FuzzClientHello(f *testing.F) {
	small := modern() // long inputs make the fuzzer minimise instead of search
	small.exts = small.exts[:11]
	f.Add(records(small.message(), 120))
	f.Add(append([]byte{20, 3, 3, 0, 1, 1}, records(small.message(), 1000)...))
	f.Add(records(hello{version: 0x0301, ciphers: []uint16{4, 5}, noExts: true}.message(), 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m ClientHello
		if m.DecodeStream(b) == Done {
			ja3, ja4 := m.JA3(), m.JA4()
			if !m.overflow && m.Version != 0 && (ja3.Len() != 32 || ja4.Len() != 36) {
				t.Errorf("JA3 %q, JA4 %q", ja3, ja4)
			}
		}
		checkMessage(t, &m)
	})
}

func FuzzServerHello(f *testing.F) {
	f.Add(records(hello{server: true, version: 0x0303, ciphers: []uint16{4}, exts: [][]byte{extProtocols("h2"), ext(43, u16s(0x0304))}}.message(), 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m ServerHello
		m.DecodeStream(b)
		checkMessage(t, &m)
	})
}
