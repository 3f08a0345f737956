package dissect

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recognised decodes b, compares, and tries what a hostile sender would send:
// b cut at every byte, where only whole fields may come out, and with every
// byte changed, where a length or a count may lie.
func recognised[T any](t *testing.T, decode func(*T, []byte) bool, b []byte, want T) {
	t.Helper()
	m := new(T)
	if !decode(m, b) {
		t.Fatal("not recognised")
	}
	if d := cmp.Diff(want, *m, exported); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	whole := map[string]bool{"": true}
	walkStrings(reflect.ValueOf(m), func(s string) { whole[s] = true })
	for i := range b {
		decode(m, b[:i:i])
		walkStrings(reflect.ValueOf(m), func(s string) {
			if !whole[s] {
				t.Fatalf("%d of %d bytes: %q", i, len(b), s)
			}
		})
	}
	lie := bytes.Clone(b)
	for i, c := range b {
		for _, v := range []byte{0, 0xff, c + 1, c - 1, c ^ 0x80} {
			lie[i] = v
			if decode(m, lie) {
				checkPrintable(t, m)
			}
		}
		lie[i] = c
	}
	noAllocs(t, func() { decode(m, b) })
	// Some runs, of which what the runtime allocates beside them is no whole part.
	if n := testing.AllocsPerRun(5, func() {
		for i, c := range b {
			for _, v := range []byte{0, '9', 0xff} { // whatever a length says
				lie[i] = v
				decode(m, lie)
			}
			lie[i] = c
		}
	}); n != 0 {
		t.Errorf("%v allocations over lengths that lie", n)
	}
}

// done makes a stream dissector one of those that know the whole message.
func done[T any](decode func(*T, []byte) Progress) func(*T, []byte) bool {
	return func(m *T, b []byte) bool { return decode(m, b) == Done }
}

// vector reads one of the synthetic messages of protocols.md, or skips: they
// are no part of the project.
func vector(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("VECTORS")
	if dir == "" {
		t.Skip("VECTORS is not set: no vectors to read")
	}
	b, err := os.ReadFile(filepath.Join(dir, name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	return unhex(t, string(bytes.TrimSpace(b)))
}
