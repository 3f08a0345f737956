package strict

import (
	"strings"
	"testing"
)

type sample struct {
	Gateway string `toml:"gateway"`
	Site    struct {
		Name     string   `toml:"name"`
		Internal []string `toml:"internal"`
	} `toml:"site"`
	Segment []struct {
		Name  string `toml:"name"`
		Allow []struct {
			To       string   `toml:"to"`
			Services []string `toml:"services"`
		} `toml:"allow"`
	} `toml:"segment"`
	Peers map[string]struct {
		Addresses []string `toml:"addresses"`
	} `toml:"peers"`
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"good", "gateway = 'a'\n[peers.x]\naddresses = ['10.0.0.1']\n", ""},
		{"typo at top", "# c\ngatewy = 'a'\n", `f.toml:2: unknown key "gatewy" (nearest: "gateway")`},
		{"typo below a table", "[site]\nname = 'x'\n\ninternl = []\n", `f.toml:4: unknown key "site.internl" (nearest: "internal")`},
		{"unknown table", "[site]\n[sitee]\nname = 'x'\n", `f.toml:2: unknown key "sitee" (nearest: "site")`},
		{"below a map", "[peers.x]\nadresses = []\n", `f.toml:2: unknown key "peers.x.adresses" (nearest: "addresses")`},
		{"second of an array", "[[segment]]\nname = 'a'\n[[segment]]\nnam = 'b'\n", `f.toml:4: unknown key "segment.nam" (nearest: "name")`},
		{"inline table", "[[segment]]\nname = 'a'\nallow = [\n {to = 'x', service = ['tcp/1']},\n]\n", `f.toml:4: unknown key "segment.allow.service" (nearest: "services")`},
		{"other case", "gateway = 'a'\nGateway = 'b'\n", `f.toml:2: unknown key "Gateway" (nearest: "gateway")`},
		{"other case of a table", "[Site]\nname = 'x'\n", `f.toml:1: unknown key "Site" (nearest: "site")`},
		{"below a map, any case", "[peers.X]\naddresses = []\n", ""},
		{"nested tables", "a = " + strings.Repeat("{a=", 100_000), `f.toml:1: nested too deeply: want at most 64 brackets in each other`},
		{"dotted key", "# [[\n" + strings.Repeat("a.", 100_000) + "b = 1\n", `f.toml:2: nested too deeply: want at most 64 brackets in each other`},
		{"brackets in strings", "gateway = \"\\\"" + strings.Repeat("[", 100) + "\"\n[site]\nname = '''\n" + strings.Repeat("{\n", 100) + "'''\n", ""},
		{"too long", strings.Repeat("#", 5<<20), `f.toml: 5242880 bytes: want at most 4194304`},
		{"nothing near", "zzzzzzzzzz = 1\n", `f.toml:1: unknown key "zzzzzzzzzz"`},
		{"wrong type", "gateway = 'a'\n[site]\nname = 3\n", `f.toml:3: key "site.name": incompatible types: TOML value has type int64; destination has type string`},
		{"syntax", "gateway = 'a\n", `f.toml:1: strings cannot contain newlines`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s sample
			got := ""
			if err := Decode("f.toml", []byte(tt.in), &s); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("error\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"pump-server", "pacs", "dns", "any", "any-internal"}
	for in, want := range map[string]string{"pump-servr": "pump-server", "PACS": "", "pasc": "pacs", "dsn": "dns", "any-intrnal": "any-internal", "zzzzzzzz": "", "": ""} {
		if got := Nearest(in, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Nearest("a", nil); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("[[segment]]\nallow = [{to='x', y='z'}]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s sample
		_ = Decode("f", b, &s)
	})
}
