package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestAgentDevices: serial ports, and no other terminal.
func TestAgentDevices(t *testing.T) {
	sys := t.TempDir()
	for _, dir := range []string{"ttyAMA0/device", "ttyS0/device", "tty0", "console"} {
		if err := os.MkdirAll(filepath.Join(sys, "class/tty", dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	got, err := agentDevices(sys)
	if diff := cmp.Diff([]string{"null", "zero", "random", "urandom", "ttyAMA0", "ttyS0"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestCopyNode: the copy is the same device; a disk is never copied.
func TestCopyNode(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "null")
	if err := copyNode("/dev/null", to); err != nil {
		if os.Getuid() != 0 {
			t.Skip("only root can make devices")
		}
		t.Fatal(err)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(to, &st); err != nil || st.Rdev != unix.Mkdev(1, 3) {
		t.Errorf("%+v, %v", st, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := copyNode(file, filepath.Join(dir, "copy")); err == nil || !strings.Contains(err.Error(), "no character device") {
		t.Errorf("a file: %v", err)
	}
	if err := copyNode(filepath.Join(dir, "none"), filepath.Join(dir, "copy")); err == nil {
		t.Error("nothing was copied")
	}
}
