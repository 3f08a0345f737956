package dissect

import "testing"

// decodeHello runs a built hello through the dissector.
func decodeHello(t *testing.T, h hello) *ClientHello {
	t.Helper()
	m := new(ClientHello)
	if p := m.DecodeStream(records(h.message(), tlsMaxRecord)); p != Done {
		t.Fatalf("hello: %v", p)
	}
	return m
}

// The vectors of salesforce/ja3's README.
func TestJA3(t *testing.T) {
	tests := []struct {
		h    hello
		want string
	}{
		{hello{version: 769, ciphers: []uint16{47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
			exts: [][]byte{extSNI("x"), ext(10, block16(u16s(23, 24, 25))), ext(11, []byte{1, 0})}},
			"ada70206e40642a3e4461f35503241d5"},
		{hello{version: 769, ciphers: []uint16{4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99}, noExts: true},
			"de350869b8c85de67a350c8d186f11e6"},
	}
	for _, tt := range tests {
		if got := decodeHello(t, tt.h).JA3(); got.String() != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestJA4(t *testing.T) {
	plain := func(f func(*hello)) hello {
		h := hello{version: 0x0303, ciphers: []uint16{0x1301}}
		f(&h)
		return h
	}
	// sha256 of "1301" by sha256sum, first 12 digits.
	const c1301 = "_0f2cb44170f4_"
	tests := []struct {
		name string
		h    hello
		want string
	}{
		{"the vector of the JA4 README", modern(), "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"no extensions", plain(func(h *hello) { h.noExts = true }), "t12i010000" + c1301 + ja4None},
		{"no ciphers", hello{version: 0x0301, noExts: true}, "t10i000000_" + ja4None + "_" + ja4None},
		{"only server name and ALPN", plain(func(h *hello) { h.exts = [][]byte{extSNI("x"), extProtocols("http/1.1")} }), "t12d0102h1" + c1301 + ja4None},
		{"ALPN of one character", plain(func(h *hello) { h.exts = [][]byte{extProtocols("x")} }), "t12i0101xx" + c1301 + ja4None},
		{"ALPN that is not alphanumeric", plain(func(h *hello) { h.exts = [][]byte{extProtocols("\xab\xcd")} }), "t12i0101ad" + c1301 + ja4None},
		{"ALPN that ends in a slash", plain(func(h *hello) { h.exts = [][]byte{extProtocols("h/")} }), "t12i01016f" + c1301 + ja4None},
		{"empty ALPN name", plain(func(h *hello) { h.exts = [][]byte{extProtocols("")} }), "t12i010100" + c1301 + ja4None},
		{"SSL 3", plain(func(h *hello) { h.version, h.noExts = 0x0300, true }), "ts3i010000" + c1301 + ja4None},
		{"unknown version", plain(func(h *hello) { h.version, h.noExts = 0x0399, true }), "t00i010000" + c1301 + ja4None},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decodeHello(t, tt.h).JA4(); got.String() != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	// A draft version is higher than TLS 1.3 and has no name.
	h := modern()
	h.exts[13] = ext(extSupportedVersions, block8(u16s(0x4a4a, 0x7f1c, 0x0304)))
	if got := decodeHello(t, h).JA4().String(); got != "t00d1516h2_8daaf6152771_e5627efa2ab1" {
		t.Errorf("draft version: %q", got)
	}
	if got := new(ClientHello).JA4(); !got.IsZero() {
		t.Errorf("of nothing: %q", got)
	}
}
