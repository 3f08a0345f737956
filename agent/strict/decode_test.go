package strict

import "testing"

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

func FuzzDecode(f *testing.F) {
	f.Add([]byte("[[segment]]\nallow = [{to='x', y='z'}]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s sample
		_ = Decode("f", b, &s)
	})
}
