package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/wardkeeper/wardkeeper/images"
)

func TestKernelOf(t *testing.T) {
	tests := []struct{ name, deps, want string }{
		{"linux-image-arm64", "linux-image-arm64\n  Depends: linux-image-6.1.0-56-arm64\n", "linux-image-6.1.0-56-arm64"},
		{"linux-image-6.1.0-56-arm64", "linux-image-6.1.0-56-arm64\n  Depends: kmod\n |Depends: linux-base\n  Breaks: linux-image-x\n", "linux-image-6.1.0-56-arm64"},
		{"systemd-boot-efi", "systemd-boot-efi\n", "systemd-boot-efi"},
	}
	for _, tt := range tests {
		if got := kernelOf(tt.name, tt.deps); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// What lies in the cache whole is used without asking anyone; what does not is
// asked for, and here nobody answers.
func TestCache(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no apt-get
	if _, err := find("apt-get"); err == nil {
		t.Skip("apt-get lies in " + sbin)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "a_1_arm64.deb")
	write(t, file, "package")
	sum, _, err := digest(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]images.Package{"a": {Name: "a", Version: "1", File: "a_1_arm64.deb", SHA256: sum}}
	if err := writeJSON(filepath.Join(dir, "packages-arm64.json"), want); err != nil {
		t.Fatal(err)
	}
	got, err := cache{dir: dir}.packages(t.Context(), "arm64", "a")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	asks := func(c cache, arch string, names ...string) {
		t.Helper()
		if _, err := c.packages(t.Context(), arch, names...); err == nil || !strings.Contains(err.Error(), "apt-get") {
			t.Errorf("%v: did not ask apt: %v", names, err)
		}
	}
	asks(cache{dir: dir}, "arm64", "a", "b")
	asks(cache{dir: dir}, "armhf", "a")
	asks(cache{dir: dir, refresh: true}, "arm64", "a")
	write(t, file, "packag")
	asks(cache{dir: dir}, "arm64", "a")
	left, err := filepath.Glob(filepath.Join(dir, "fetch-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestCacheSweepsWhatIsOld(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"fetch-old", "fetch-new"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * stale)
	if err := os.Chtimes(filepath.Join(dir, "fetch-old"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := (cache{dir: dir}).sweep(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "fetch-new" {
		t.Errorf("left %v, %v", left, err)
	}
}
