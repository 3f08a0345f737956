package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// inOwnMounts runs the test again as root of a user namespace with its own
// mounts, where it may make a small disk.
func inOwnMounts(t *testing.T) bool {
	if os.Getenv("STORE_TEST_MOUNTS") != "" {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "STORE_TEST_MOUNTS=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EINVAL):
		if os.Getenv("CI") == "true" {
			t.Fatal("user namespaces: ", err)
		}
		t.Skip("this kernel lets us make no user namespace: ", err)
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

func TestFullDisk(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	path := filepath.Join(dir, "db")

	s, o := open(t, Options{Path: path, Size: 4 << 20, Preflight: child})
	want := "in memory only, once the disk has room, all moves there: create store: preallocate 4096 KiB: write " + path + ".tmp: no space left on device"
	if !o.RAM || !s.Waits() || o.Reason != want {
		t.Errorf("no room to create: %+v", o)
	}
	if err := s.Update(func(tx *Tx) error { return tx.Put("a", []byte("k"), []byte("from memory")) }); err != nil {
		t.Fatal(err)
	}
	// There is still no room; then somebody makes some.
	if err := s.Return(t.Context(), func() {}); !errors.Is(err, syscall.ENOSPC) || !s.RAM() || !s.Waits() {
		t.Errorf("return without room: %v", err)
	}
	if _, err := os.Stat(path + ".tmp"); !os.IsNotExist(err) {
		t.Error("the half-made file was not removed")
	}
	if err := syscall.Mount("none", dir, "", syscall.MS_REMOUNT, "size=6m"); err != nil {
		t.Fatal(err)
	}
	if err := s.Return(t.Context(), func() {}); err != nil || s.RAM() {
		t.Fatalf("return with room: %v", err)
	}
	s.Close()
	s, again := open(t, Options{Path: path, Size: 4 << 20, Preflight: child})
	if again.RAM || again.Epoch != o.Epoch || dump(t, s, "a")["k"] != "from memory" {
		t.Fatalf("after the next start: %+v, want the epoch %s and the record from memory", again, o.Epoch)
	}
	s.Close()
	os.Remove(path)
	if err := syscall.Mount("none", dir, "", syscall.MS_REMOUNT, "size=1m"); err != nil {
		t.Fatal(err)
	}

	s, o = open(t, Options{Path: path, Size: 512 << 10, Preflight: child})
	if o.RAM {
		t.Fatal(o.Reason)
	}
	if err := s.Update(func(tx *Tx) error { return tx.Put("a", []byte("k"), []byte("v")) }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	filler := filepath.Join(dir, "filler")
	os.WriteFile(filler, make([]byte, 2<<20), 0o600) // up to the last byte
	// The config grew but the disk did not: the file stays as large as it is,
	// and all of it can be used although the disk is full.
	s, o = open(t, Options{Path: path, Size: 4 << 20, Preflight: child})
	if o.RAM || o.Reset || dump(t, s, "a")["k"] != "v" {
		t.Fatalf("full disk, good file: %+v", o)
	}
	n, err := 0, error(nil)
	for ; err == nil && n < 10000; n++ {
		err = s.Update(func(tx *Tx) error { return tx.Put("q", fmt.Appendf(nil, "%06d", n), bytes.Repeat([]byte("x"), 500)) })
	}
	if !errors.Is(err, ErrFull) || n < 500 {
		t.Errorf("after %d records: %v", n, err)
	}
	s.Close()

	// A file with holes (not of our making) meets the real ENOSPC.
	os.Remove(filler)
	os.Remove(path)
	s, _ = open(t, Options{Path: path, Size: 64 << 12, Preflight: child})
	s.Close()
	if err := os.Truncate(path, 900<<10); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filler, make([]byte, 2<<20), 0o600)
	s, _ = open(t, Options{Path: path, Size: 64 << 12, Preflight: child})
	n, err = 0, nil
	for ; err == nil && n < 10000; n++ {
		err = s.Update(func(tx *Tx) error { return tx.Put("q", fmt.Appendf(nil, "%06d", n), bytes.Repeat([]byte("x"), 500)) })
	}
	if !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("after %d records: %v", n, err)
	}
	os.Remove(filler)
	if err := s.Update(func(tx *Tx) error { return tx.Put("q", []byte("zz"), nil) }); err != nil {
		t.Errorf("room again: %v", err)
	}
	if got := len(dump(t, s, "q")); got != n {
		t.Errorf("%d records, want %d", got, n)
	}
	s.Close()

	// A disk that became read-only is not the file's fault.
	if err := syscall.Mount("none", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	_, o = open(t, Options{Path: path, Size: 64 << 12, Preflight: child})
	if !o.RAM || o.Reset || !strings.Contains(o.Reason, "read-only file system") || !strings.Contains(o.Reason, "the next start of the agent tries the disk again") {
		t.Errorf("read-only disk: %+v", o)
	}
}
