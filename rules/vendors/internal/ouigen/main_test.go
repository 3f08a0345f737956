package main

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/rules/vendors"
)

// debian reads the installed registry, or skips. A machine with another
// release of it cannot compare bytes.
func debian(t *testing.T) registry {
	t.Helper()
	const dir = "/usr/share/ieee-data"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("apt package ieee-data is not installed")
	}
	r, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRegenerateGivesTheSameBytes(t *testing.T) {
	r := debian(t)
	f, err := os.Open("../../oui.bin.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	want, err := io.ReadAll(z) // another version of Go may compress it in another way
	if err != nil {
		t.Fatal(err)
	}
	tab, err := vendors.Load()
	if err != nil {
		t.Fatal(err)
	}
	if tab.Date() != r.date {
		t.Skipf("apt package ieee-data is of %d, the committed table of %d", r.date, tab.Date())
	}
	got, err := encode(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("go generate ./rules/vendors would change the table: %d bytes, committed %d", len(got), len(want))
	}
}

// Every block of the registry is found under its owner, at its first and last
// address.
func TestEveryEntry(t *testing.T) {
	r := debian(t)
	b, err := encode(r)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := vendors.Decode(string(b))
	if err != nil {
		t.Fatal(err)
	}
	for prefix, owner := range r.owners {
		for _, pad := range []string{"0", "F"} {
			raw, err := hex.DecodeString(prefix + strings.Repeat(pad, 12-len(prefix)))
			if err != nil {
				t.Fatal(err)
			}
			m := fact.MAC(raw)
			want := owner
			if m.Local() || m.Group() {
				want = "" // old blocks with the local bit, such as 02:60:8C
			}
			// The last address of a block may lie in a longer block.
			got, bits := tab.Lookup(m)
			if got != want && bits <= 4*len(prefix) {
				t.Errorf("%s: %q at %d bits, want %q", m, got, bits, want)
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	const head = "Registry,Assignment,Organization Name,Organization Address\n"
	tests := []struct{ name, last, csv, want string }{
		{"no date", "soon\n", head, `registry date in DIR/.lastupdate: strconv.ParseInt: parsing "soon": invalid syntax`},
		{"other table", "1661630937\n", "a,b\nc,d\n", "read DIR/oui.csv: not a table of the IEEE registry"},
		{"no prefix", "1661630937\n", head + "MA-L,00122,X,Y\n", `read DIR/oui.csv: row 2: "00122" is no prefix of 24, 28 or 36 bits`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{".lastupdate": tt.last, "oui.csv": tt.csv} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := read(dir)
			if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != tt.want {
				t.Errorf("error %v\n want %s", err, tt.want)
			}
		})
	}
}

func TestDate(t *testing.T) {
	f := filepath.Join(t.TempDir(), "last")
	if err := os.WriteFile(f, []byte("1661630937\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := date(f); err != nil || d != 20220827 {
		t.Errorf("date = %d, %v", d, err)
	}
}
