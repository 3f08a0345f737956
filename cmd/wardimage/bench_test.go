package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseBench(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string // error, "" for none
	}{
		{[]string{"--image", "x"}, ""},
		{nil, "--image is missing"},
		{[]string{"--image", "x", "--runs", "0"}, "--runs 0: want 1 or more"},
		{[]string{"--image", "x", "y"}, `unexpected argument "y"`},
	} {
		_, err := parseBench(tt.args, new(bytes.Buffer), new(bytes.Buffer))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: got %v, want %q", tt.args, err, tt.want)
		}
	}
}

func TestBenchReport(t *testing.T) {
	var out bytes.Buffer
	b := &bench{stdout: &out}
	b.report("disk, gzip", 19.04, "MB", goalSize)
	b.report("power-on to enforcing, by kernel", 6.4, "s", goalDirect)
	want := "disk, gzip                           19.0 MB   goal 25\npower-on to enforcing, by kernel      6.4 s    goal  6  MISSED\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestGzipped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "zeroes")
	write(t, file, strings.Repeat("\x00", 1<<20))
	if n, err := gzipped(file); err != nil || n < 100 || n > 2000 {
		t.Errorf("%d bytes, %v", n, err)
	}
}
