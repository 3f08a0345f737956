package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/wardkeeper/wardkeeper/images"
)

// newBuild is a build of the board of tests into dir, with the user's cache:
// Debian's mirror is asked once.
func newBuild(t *testing.T, dir string, log slog.Handler) *build {
	t.Helper()
	b, err := parse([]string{"--board", "qemu-arm64", "--out", filepath.Join(dir, "img"), "--version", "test"}, new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	b.log = slog.New(log)
	return b
}

// Twice, in other folders, under other settings of the user: the same bytes.
func TestBuildIsReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two images: not in the inner loop")
	}
	needTools(t)
	first, second := t.TempDir(), filepath.Join(t.TempDir(), "deep", "er")
	if err := newBuild(t, first, slog.DiscardHandler).run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TZ", "Asia/Tokyo")
	t.Setenv("SOURCE_DATE_EPOCH", "5")
	t.Setenv("GOFLAGS", "-tags=x")
	umask := syscall.Umask(0o077)
	defer syscall.Umask(umask)
	if err := newBuild(t, second, slog.DiscardHandler).run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{kernelFile, initrdFile, diskFile, manifestFile} {
		a, sizeA, errA := digest(filepath.Join(first, "img", name))
		b, sizeB, errB := digest(filepath.Join(second, "img", name))
		if errA != nil || errB != nil || a != b {
			t.Errorf("%s differs: %s of %d bytes, %s of %d bytes (%v, %v)", name, a, sizeA, b, sizeB, errA, errB)
		}
	}
	for _, dir := range []string{first, second} {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Errorf("beside the image lies %v, %v", entries, err)
		}
	}
	t.Run("manifest", func(t *testing.T) { judgeManifest(t, filepath.Join(first, "img")) })
	t.Run("disk", func(t *testing.T) { judgeDisk(t, filepath.Join(first, "img", diskFile)) })
}

func judgeManifest(t *testing.T, dir string) {
	data, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	var m images.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	if m.Board != "qemu-arm64" || m.Version != "test" || len(m.Packages) != 2 || m.Packages[0].Version == "" || m.Go == "" {
		t.Errorf("%+v", m)
	}
	for _, after := range [][2]string{{"i6300esb.ko", "crc32c_generic.ko"}, {"crc32c_generic.ko", "ext4.ko"}, {"stp.ko", "bridge.ko"}, {"nf_tables.ko", "nft_log.ko"}, {"nft_log.ko", "softdog.ko"}} {
		a, b := slices.Index(m.Modules, after[0]), slices.Index(m.Modules, after[1])
		if a < 0 || b < a {
			t.Errorf("%s is loaded %d, %s %d", after[0], a, after[1], b)
		}
	}
	// it and a bridge chain of priority 0 let everything through
	if slices.Contains(m.Modules, "br_netfilter.ko") {
		t.Error("br_netfilter is loaded")
	}
	for _, o := range m.Outputs {
		if sum, size, err := digest(filepath.Join(dir, o.Name)); err != nil || sum != o.SHA256 || size != o.Bytes {
			t.Errorf("%s: %+v, but the file has %s of %d bytes, %v", o.Name, o, sum, size, err)
		}
	}
}

// judgeDisk asks other tools about the file systems, where they lie.
func judgeDisk(t *testing.T, disk string) {
	g, err := images.Layout(images.MinDisk())
	if err != nil {
		t.Fatal(err)
	}
	offset := func(part string) int64 {
		p, err := g.Partition(part)
		if err != nil {
			t.Fatal(err)
		}
		return p.Offset()
	}
	outside := func(name string, args ...string) string {
		path, err := find(name)
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(path, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	outside("e2fsck", "-fn", fmt.Sprintf("%s?offset=%d", disk, offset(images.PartData)))
	files := strings.Fields(outside("mdir", "-b", "-s", "-i", fmt.Sprintf("%s@@%d", disk, offset(images.PartESP)), "::/"))
	if d := cmp.Diff([]string{"::/EFI/", "::/EFI/BOOT/", "::/EFI/BOOT/BOOTAA64.EFI", "::/EFI/Linux/", "::/EFI/Linux/ward-a.efi", "::/loader/", "::/loader/loader.conf"}, sorted(files)); d != "" {
		t.Errorf("ESP: -want +got\n%s", d)
	}
	var tree []string
	for line := range strings.Lines(outside("unsquashfs", "-o", fmt.Sprint(offset(images.PartRootA)), "-lln", disk)) {
		f := strings.Fields(line)
		tree = append(tree, f[0]+" "+f[1]+" "+f[len(f)-1])
	}
	want := []string{
		"drwxr-xr-x 0/0 squashfs-root", "drwxr-xr-x 0/0 squashfs-root/data", "drwxr-xr-x 0/0 squashfs-root/dev",
		"drwxr-xr-x 0/0 squashfs-root/esp", "drwxr-xr-x 0/0 squashfs-root/etc", "drwxr-xr-x 0/0 squashfs-root/etc/wardkeeper",
		"-rw-r--r-- 0/0 squashfs-root/etc/wardkeeper/board.toml", "-rw-r--r-- 0/0 squashfs-root/etc/wardkeeper/wardkeeper.toml",
		"drwxr-xr-x 0/0 squashfs-root/proc", "drwxr-xr-x 0/0 squashfs-root/run", "drwxr-xr-x 0/0 squashfs-root/sbin",
		"-rwxr-xr-x 0/0 squashfs-root/sbin/wardkeeper", "drwxr-xr-x 0/0 squashfs-root/sys", "drwxrwxrwt 0/0 squashfs-root/tmp",
	}
	if d := cmp.Diff(want, tree); d != "" {
		t.Errorf("root slot: -want +got\n%s", d)
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// stopper interrupts a build when it says that it begins a step.
type stopper struct {
	slog.Handler
	step string
	stop context.CancelFunc
}

func (s stopper) Enabled(context.Context, slog.Level) bool { return true }

func (s stopper) Handle(_ context.Context, r slog.Record) error {
	if r.Message == s.step {
		s.stop()
	}
	return nil
}

// Interrupted early or late, a build leaves the image before as it was, and
// nothing beside it.
func TestInterruptedBuildLeavesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds most of an image twice: not in the inner loop")
	}
	needTools(t)
	for _, step := range []string{"kernel", "disk"} {
		t.Run(step, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "img"), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "img", manifestFile), "before")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b := newBuild(t, dir, stopper{slog.DiscardHandler, step, cancel})
			if err := b.run(ctx); err == nil || ctx.Err() == nil {
				t.Fatalf("was not interrupted: %v", err)
			}
			if d := cmp.Diff([]string{"img/manifest.json=before"}, list(t, dir)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}
