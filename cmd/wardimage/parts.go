package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/wardkeeper/wardkeeper/images"
)

// kernel is what an image takes of Debian's packages.
type kernel struct {
	version string // as the kernel calls itself, "6.1.0-56-arm64"
	image   string // file
	stub    string // file
	loader  string // file: systemd-boot
	files   fs.FS  // its folder of modules
	modules []images.Module
}

func (b *build) kernel(ctx context.Context, s *stage, pkg, stub images.Package) (kernel, error) {
	b.log.Info("kernel", "package", pkg.Name, "version", pkg.Version)
	dir := s.work("kernel")
	for _, p := range []images.Package{pkg, stub} {
		if err := b.cache.unpack(ctx, p, dir); err != nil {
			return kernel{}, fmt.Errorf("unpack %s: %w", p.File, err)
		}
	}
	var k kernel
	var folder string
	for _, want := range []struct{ pattern, pkg, what string }{
		{"boot/vmlinuz-*", pkg.Name, "kernel"},
		{"usr/lib/systemd/boot/efi/linux*.efi.stub", stub.Name, "UEFI stub"},
		{"usr/lib/systemd/boot/efi/systemd-boot*.efi", stub.Name, "boot loader"},
		{"lib/modules/*", pkg.Name, "folder of modules"},
	} {
		found, err := filepath.Glob(filepath.Join(dir, want.pattern))
		if err != nil || len(found) != 1 {
			return kernel{}, fmt.Errorf("package %s: %d files %s, want one %s", want.pkg, len(found), want.pattern, want.what)
		}
		switch want.what {
		case "kernel":
			k.image = found[0]
		case "UEFI stub":
			k.stub = found[0]
		case "boot loader":
			k.loader = found[0]
		default:
			folder = found[0]
		}
	}
	k.version, k.files = filepath.Base(folder), os.DirFS(folder)
	var err error
	if k.modules, err = images.ResolveModules(k.files, b.board.LoadOrder()); err != nil {
		return kernel{}, fmt.Errorf("package %s: %w", pkg.Name, err)
	}
	return k, copyFile(s.result(kernelFile), k.image)
}

// binaries compiles the agent and PID 1 for the board, and returns the version
// of the Go toolchain.
func (b *build) binaries(ctx context.Context, s *stage) (string, error) {
	b.log.Info("binaries", "arch", b.board.Arch)
	for _, name := range []string{"wardkeeper", "wardinit"} {
		if _, err := b.golang(ctx, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", s.work(name), module+"/cmd/"+name); err != nil {
			return "", fmt.Errorf("compile %s: %w", name, err)
		}
	}
	version, err := b.golang(ctx, "env", "GOVERSION")
	return strings.TrimSpace(version), err
}

const module = "github.com/wardkeeper/wardkeeper"

// golang runs the go command for the board: what a user has set for own builds
// must not change the image.
func (b *build) golang(ctx context.Context, args ...string) (string, error) {
	env := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + b.board.Arch, "GOARM64=v8.0", "GOFLAGS=", "GOWORK=off"}
	return command(ctx, "", env, "go", args...)
}

// initramfs writes what the kernel unpacks into memory: PID 1, and the modules
// without which it finds no disk and no port.
func (b *build) initramfs(s *stage, k kernel) error {
	pid1, err := os.ReadFile(s.work("wardinit"))
	if err != nil {
		return err
	}
	nodes, err := k.nodes()
	if err != nil {
		return err
	}
	nodes = append(nodes, images.Node{Name: "init", Mode: 0o755, Data: pid1}, images.Node{Name: "board.toml", Mode: 0o644, Data: b.boardFile})
	for _, dir := range []string{"run", "root", "data", "esp"} {
		nodes = append(nodes, images.Node{Name: dir, Mode: fs.ModeDir | 0o755})
	}
	f, err := os.Create(s.result(initrdFile))
	if err != nil {
		return err
	}
	defer f.Close()
	buf := bufio.NewWriter(f)
	z, err := gzip.NewWriterLevel(buf, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := images.WriteCPIO(z, nodes); err != nil {
		return err
	}
	if err := errors.Join(z.Close(), buf.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", initrdFile, err)
	}
	return nil
}

// nodes are what any initramfs has of a kernel: its modules in the order in which
// PID 1 loads them, and what it needs to start PID 1.
func (k kernel) nodes() ([]images.Node, error) {
	// the kernel opens it for PID 1 before anything is mounted
	nodes := []images.Node{{Name: "dev/console", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o600, Major: 5, Minor: 1}}
	for _, dir := range []string{"dev", "proc", "sys", "modules"} {
		nodes = append(nodes, images.Node{Name: dir, Mode: fs.ModeDir | 0o755})
	}
	var list strings.Builder
	for _, m := range k.modules {
		data, err := fs.ReadFile(k.files, m.File)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, images.Node{Name: "modules/" + path.Base(m.File), Mode: 0o644, Data: data})
		list.WriteString(path.Base(m.File) + "\n")
	}
	return append(nodes, images.Node{Name: "modules.list", Mode: 0o644, Data: []byte(list.String())}), nil
}

// root writes the root slot: the agent, its files, and mount points.
func (b *build) root(ctx context.Context, s *stage) error {
	dir := s.work("root")
	for _, d := range []string{"", "sbin", "etc", "etc/wardkeeper", "dev", "proc", "sys", "run", "data", "tmp", "esp"} {
		// chmod besides: the caller's umask must not be in the image
		if err := errors.Join(os.Mkdir(filepath.Join(dir, d), 0o755), os.Chmod(filepath.Join(dir, d), 0o755)); err != nil {
			return err
		}
	}
	if err := copyFile(filepath.Join(dir, "sbin/wardkeeper"), s.work("wardkeeper")); err != nil {
		return err
	}
	for name, data := range map[string][]byte{"board.toml": b.boardFile, "wardkeeper.toml": configuration(b.board)} {
		if err := os.WriteFile(filepath.Join(dir, "etc/wardkeeper", name), data, 0o644); err != nil {
			return err
		}
	}
	for name, mode := range map[string]fs.FileMode{
		"sbin/wardkeeper": 0o755, "etc/wardkeeper/board.toml": 0o644, "etc/wardkeeper/wardkeeper.toml": 0o644, "tmp": fs.ModeSticky | 0o777,
	} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			return err
		}
	}
	_, err := command(ctx, dir, nil, "mksquashfs", dir, s.work("root.squashfs"), "-comp", "zstd", "-all-root", "-no-xattrs",
		"-mkfs-time", sourceDate, "-all-time", sourceDate, "-noappend", "-no-progress", "-quiet")
	return err
}

// configuration is the gateway's as long as nobody provisioned it: it observes
// the board's ports and lets everything pass.
func configuration(b images.Board) []byte {
	ward := make([]string, len(b.Ports.Ward))
	for i, p := range b.Ports.Ward {
		ward[i] = fmt.Sprintf("%q", p)
	}
	return fmt.Appendf(nil, `# Of the image for %s; every key is in the README. What is not here has its default.
[ports]
uplink = %q
ward   = [%s]

[console]
device = "/dev/%s"
baud   = %d
`, b.Name, b.Ports.Uplink, strings.Join(ward, ", "), b.Console.Device, b.Console.Baud)
}
