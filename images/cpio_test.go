package images

import (
	"bytes"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func nodes() []Node {
	return []Node{
		{Name: "init", Mode: 0o755, Data: []byte("#!")},
		{Name: "dev/console", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o600, Major: 5, Minor: 1},
		{Name: "dev", Mode: fs.ModeDir | 0o755},
		{Name: "modules", Mode: fs.ModeDir | 0o755},
		{Name: "modules/a.ko", Mode: 0o644, Data: []byte("12345")},
	}
}

func TestWriteCPIOIsDeterministic(t *testing.T) {
	var a, b bytes.Buffer
	n := nodes()
	if err := WriteCPIO(&a, n); err != nil {
		t.Fatal(err)
	}
	n[0], n[4] = n[4], n[0]
	if err := WriteCPIO(&b, n); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("another order of the same files gives other bytes")
	}
	if a.Len()%4 != 0 || !bytes.HasPrefix(a.Bytes(), []byte("070701")) {
		t.Errorf("%d bytes that begin with %q", a.Len(), a.Bytes()[:6])
	}
}

// The outside verdict: GNU cpio lists what was written.
func TestWriteCPIOIsReadByCPIO(t *testing.T) {
	if _, err := exec.LookPath("cpio"); err != nil {
		t.Skip("cpio is missing: apt-get install cpio")
	}
	var b bytes.Buffer
	if err := WriteCPIO(&b, nodes()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cpio", "-itvn", "--quiet")
	cmd.Env = []string{"TZ=UTC", "LC_ALL=C"}
	cmd.Stdin = &b
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"drwxr-xr-x 1 0 0 0 Jan 1 1970 dev",
		"crw------- 1 0 0 5, 1 Jan 1 1970 dev/console",
		"-rwxr-xr-x 1 0 0 2 Jan 1 1970 init",
		"drwxr-xr-x 1 0 0 0 Jan 1 1970 modules",
		"-rw-r--r-- 1 0 0 5 Jan 1 1970 modules/a.ko",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestWriteCPIORefuses(t *testing.T) {
	tests := []struct {
		name  string
		nodes []Node
		want  string
	}{
		{"leading slash", []Node{{Name: "/init"}}, `write initramfs: "/init" is no path from the root`},
		{"dots", []Node{{Name: "../init"}}, `write initramfs: "../init" is no path from the root`},
		{"twice", []Node{{Name: "init"}, {Name: "init"}}, `write initramfs: "init" stands there twice`},
		{"no folder", []Node{{Name: filepath.Join("a", "b")}}, `write initramfs: "a/b" has no folder`},
		{"below a file", []Node{{Name: "a"}, {Name: "a/b"}}, `write initramfs: "a/b" has no folder`},
		{"link", []Node{{Name: "a", Mode: fs.ModeSymlink}}, `write initramfs: a: no mode for L---------`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := WriteCPIO(new(bytes.Buffer), tt.nodes)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
