package dissect

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exported makes cmp look into the closed types of this package.
var exported = cmp.Exporter(func(t reflect.Type) bool { return t.PkgPath() == reflect.TypeFor[Text]().PkgPath() })

// noAllocs fails when f allocates.
func noAllocs(t *testing.T, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%v allocations a run, want 0", n)
	}
}

// strings of m: every Text, Name and UID in it, however deep.
func walkStrings(v reflect.Value, f func(string)) {
	switch v.Kind() {
	case reflect.Pointer:
		walkStrings(v.Elem(), f)
	case reflect.Struct:
		if v.NumField() == 2 && v.Type().Field(0).Name == "n" && v.Type().Field(1).Name == "b" {
			n := int(v.Field(0).Uint())
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(v.Field(1).Index(i).Uint())
			}
			f(string(b))
			return
		}
		for i := range v.NumField() {
			walkStrings(v.Field(i), f)
		}
	case reflect.Array:
		if v.Type().Elem().Kind() == reflect.Struct {
			for i := range v.Len() {
				walkStrings(v.Index(i), f)
			}
		}
	}
}

// checkPrintable fails when a string of m holds a character that may not be in one.
func checkPrintable(t *testing.T, m any) {
	t.Helper()
	walkStrings(reflect.ValueOf(m), func(s string) {
		for i := range len(s) {
			if !allowed(s[i]) {
				t.Fatalf("%q holds %q", s, s[i])
			}
		}
	})
}

// checkMessage is checkPrintable for the fuzz targets: it also calls all that a
// message and its parts answer without an argument, String among it.
func checkMessage(t *testing.T, m any) {
	t.Helper()
	checkPrintable(t, m)
	callAll(reflect.ValueOf(m))
}

func callAll(v reflect.Value) {
	for i := range v.NumMethod() {
		if f := v.Method(i); f.Type().NumIn() == 0 {
			f.Call(nil)
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		callAll(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				callAll(v.Field(i))
			}
		}
	case reflect.Array:
		if v.Type().Elem().Kind() == reflect.Struct {
			for i := range min(v.Len(), 4) { // enough of the long ones
				callAll(v.Index(i).Addr())
			}
		}
	}
}

func TestText(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"plain-Name 1.0/(x)", "plain-Name 1.0/(x)"},
		{"  padded \x00\x00", "padded"},
		{"a\"b^c|d`e\\f<g>h", "a_b_c_d_e_f_g_h"},
		{"tab\tnl\nnul\x00end", "tab_nl_nul_end"},
		{"Käse 漢字", "K_se __"},
		{"bad \xff\xfe utf", "bad __ utf"},
		{"\x7f~", "_~"},
		{strings.Repeat("x", 200), strings.Repeat("x", 128)},
		{strings.Repeat("ä", 130), strings.Repeat("_", 128)},
	}
	for _, tt := range tests {
		got := TextOf(tt.in)
		if got.String() != tt.want || got.Len() != len(tt.want) || string(got.AppendTo(nil)) != tt.want || got.IsZero() != (tt.want == "") {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestTextIsComparableAndForgets(t *testing.T) {
	x := TextOf("a long value")
	x.set([]byte("short"))
	if x != TextOf("short") {
		t.Error("a shorter value left bytes of the longer one behind")
	}
	x.setOnce([]byte("second"))
	if x != TextOf("short") {
		t.Error("setOnce replaced a value")
	}
}

func TestName(t *testing.T) {
	tests := []struct {
		labels []string
		want   string
	}{
		{nil, ""},
		{[]string{"a"}, "a"},
		{[]string{"www", "Example", "org"}, "www.Example.org"},
		{[]string{"v1.2", "x"}, "v1_2.x"},
		{[]string{"ä|", "x"}, "__.x"},
	}
	for _, tt := range tests {
		var n Name
		for _, l := range tt.labels {
			if !n.addLabel([]byte(l)) {
				t.Fatalf("%q: no room", l)
			}
		}
		if n.String() != tt.want || n != NameOf(tt.want) || n.Len() != len(tt.want) || string(n.AppendTo(nil)) != tt.want || n.IsZero() != (tt.want == "") {
			t.Errorf("got %q, want %q", n, tt.want)
		}
	}
	if n := NameOf("a.b.. \x00"); n.String() != "a.b" {
		t.Errorf("got %q, want the dots at the end cut", n)
	}
}

func TestNameBounds(t *testing.T) {
	var n Name
	label := []byte(strings.Repeat("x", 63))
	for range 3 {
		n.addLabel(label)
	}
	if n.addLabel(label) || n.Len() != 191 {
		t.Errorf("a fourth label of 63 fitted, length %d", n.Len())
	}
	if !n.addLabel(label[:61]) || n.Len() != 253 {
		t.Errorf("253 bytes did not fit, length %d", n.Len())
	}
	if n.addLabel([]byte("y")) {
		t.Error("254 bytes fitted")
	}
}

func TestNameHasSuffix(t *testing.T) {
	n := NameOf("Lamp.LOCAL")
	for s, want := range map[string]bool{".local": true, "lamp.local": true, "x.lamp.local": false, ".lan": false, "": true} {
		if n.HasSuffix(s) != want {
			t.Errorf("HasSuffix(%q) = %v", s, !want)
		}
	}
}

func TestProgressString(t *testing.T) {
	got := []string{Progress(0).String(), No.String(), NeedMore.String(), Done.String(), Progress(9).String()}
	if d := cmp.Diff([]string{"invalid", "no", "need-more", "done", "invalid"}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte(" K\xc3\xa4se\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var x Text
		var n Name
		x.set(b)
		n.set(b)
		n.addLabel(b[:min(len(b), 63)])
		checkMessage(t, &x)
		checkMessage(t, &n)
	})
}

// A character that ends no field of its own stands between two: behind it may
// stand a person, where a length lies or an end is missing.
func TestTextEndsAtControls(t *testing.T) {
	for in, want := range map[string]string{
		"Linux 5.4\r\nbox\tx": "Linux 5.4__box_x", " \x00 pump \x00": "pump", "Pump\x00Jane": "Pump", "Pump\x1bJane": "Pump", "Pump\x7fJane": "Pump", "Pump\x0fnote=Jane": "Pump", "\x01\x02": "", "P\xc3\xbcmp": "P_mp",
	} {
		var text Text
		if text.set([]byte(in)); text.String() != want {
			t.Errorf("%q is kept as %q, want %q", in, text, want)
		}
	}
	var m HTTP
	m.DecodeStream([]byte("GET / HTTP/1.1\r\nUser-Agent: Pump\r\x00Cookie: Jane\r\n x\rJane\r\n\r\n"))
	if got := m.UserAgent.String(); got != "Pump x" {
		t.Errorf("user agent %q", got)
	}
}
