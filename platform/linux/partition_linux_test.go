package linux

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestReadExt4 reads what Debian's tools wrote.
func TestReadExt4(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.img")
	run := func(program string, args ...string) {
		t.Helper()
		path, err := exec.LookPath(program)
		if err != nil {
			path = filepath.Join("/usr/sbin", program)
		}
		out, err := exec.Command(path, args...).CombinedOutput()
		if errors.Is(err, os.ErrNotExist) {
			t.Skipf("%s is missing: apt-get install e2fsprogs", program)
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", program, err, out)
		}
	}
	read := func() Ext4 {
		t.Helper()
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		e, err := ReadExt4(f)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	for _, features := range []string{"64bit", "^64bit"} {
		run("mke2fs", "-q", "-F", "-t", "ext4", "-O", features, "-b", "4096", file, "4096")
		want := Ext4{Blocks: 4096, BlockSize: 4096}
		if diff := cmp.Diff(want, read()); diff != "" {
			t.Errorf("%s: -want +got\n%s", features, diff)
		}
	}
	run("debugfs", "-w", "-R", "ssv error_count 7", file)
	run("debugfs", "-w", "-R", "ssv last_error_time 1700000000", file)
	run("debugfs", "-w", "-R", "ssv state 2", file)
	want := Ext4{Blocks: 4096, BlockSize: 4096, Errors: 7, LastError: time.Unix(1_700_000_000, 0).UTC(), Unclean: true}
	if diff := cmp.Diff(want, read()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := ReadExt4(bytes.NewReader(make([]byte, 4096))); !errors.Is(err, ErrNoExt4) {
		t.Errorf("of zeros: %v", err)
	}
	if _, err := ReadExt4(bytes.NewReader(make([]byte, 1500))); err == nil || errors.Is(err, ErrNoExt4) {
		t.Errorf("of too few bytes: %v", err)
	}
}
