package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/wardkeeper/wardkeeper/images"
)

func TestParseTrial(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string // error, "" for none
	}{
		{[]string{"--board", "qemu-arm64"}, ""},
		{nil, `--board: no board "": there are qemu-arm64`},
		{[]string{"--board", "qemu-arm64", "x"}, `unexpected argument "x"`},
	} {
		_, err := parseTrial(tt.args, new(bytes.Buffer), new(bytes.Buffer))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: got %v, want %q", tt.args, err, tt.want)
		}
	}
}

// A cpio entry whose folder is not there vanishes without a word.
func TestFolders(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("a/testdata/deep", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "a/testdata/deep/x", "1")
	tree := folders{}
	for _, d := range []string{"a/testdata", "b/testdata", ""} {
		if err := tree.addAll("src", d); err != nil {
			t.Fatal(err)
		}
	}
	var nodes []images.Node
	var names []string
	for _, n := range tree {
		nodes, names = append(nodes, n), append(names, n.Name)
	}
	if d := cmp.Diff([]string{"src", "src/a", "src/a/testdata", "src/a/testdata/deep", "src/a/testdata/deep/x"}, sorted(names)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if err := images.WriteCPIO(new(bytes.Buffer), nodes); err != nil {
		t.Error(err)
	}
}
