package linux

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

func TestClock(t *testing.T) {
	clock := New(Options{}).Clock
	hosttest.Clock(t, clock)
	if id := clock.BootID(); !regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(id) {
		t.Errorf("boot %q", id)
	}
}

func TestDisk(t *testing.T) {
	folder := t.TempDir()
	hosttest.Disk(t, New(Options{}).Disk, folder)

	openPorts(t) // skips without a namespace of our own
	const size = 1 << 20
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(folder+"/file", make([]byte, size/4), 0o600); err != nil {
		t.Fatal(err)
	}
	usage := func() platform.DiskUsage {
		t.Helper()
		got, err := New(Options{}).Disk.Usage(folder)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got, want := usage(), (platform.DiskUsage{Total: size, Free: size * 3 / 4}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := unix.Mount("", folder, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if got := usage(); !got.ReadOnly {
		t.Errorf("read-only: %+v", got)
	}
}

func TestSelf(t *testing.T) {
	hosttest.Self(t, New(Options{}).Self, func(command ...string) []string {
		return append([]string{"-test.run=^TestSelfChild$", "self"}, command...)
	})
}

// TestSelfChild is the other side of TestSelf.
func TestSelfChild(t *testing.T) {
	args := flag.Args()
	if len(args) < 2 || args[0] != "self" {
		return
	}
	switch args[1] {
	case hosttest.SelfOK:
		if args[2] != "argument" {
			os.Exit(1)
		}
	case hosttest.SelfFail:
		fmt.Fprintln(os.Stderr, strings.Repeat("long ago\n", stderrTail))
		fmt.Fprintln(os.Stderr, "reason")
		os.Exit(3)
	case hosttest.SelfHang:
		time.Sleep(time.Hour) // not select {}: alone, it is a deadlock that the runtime ends
	}
}

func TestTail(t *testing.T) {
	var last tail
	for range 3 {
		if n, err := last.Write([]byte(strings.Repeat("a", 3*stderrTail) + "b")); n != 3*stderrTail+1 || err != nil {
			t.Fatalf("wrote %d bytes, error %v", n, err)
		}
		_, _ = last.Write([]byte("c"))
	}
	if got := string(last.b); len(got) != stderrTail || !strings.HasSuffix(got, "aabc") {
		t.Errorf("kept %d bytes, the last are %q", len(got), got[len(got)-4:])
	}
}
