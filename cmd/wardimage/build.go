package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/wardkeeper/wardkeeper/images"
)

// Files of an image.
const (
	kernelFile   = "vmlinuz"
	initrdFile   = "initrd.gz"
	diskFile     = "disk.img"
	manifestFile = "manifest.json"
)

// stubPackage has the UEFI stub that starts kernel and initramfs of a UKI, and
// the boot loader that finds the UKI.
const stubPackage = "systemd-boot-efi"

// build is one build of an image.
type build struct {
	board     images.Board
	boardFile []byte // board.toml
	layout    images.GPT
	size      int64 // of the disk, in bytes
	version   string
	out       string
	cache     cache
	log       *slog.Logger
}

// run builds everything, or leaves nothing.
func (b *build) run(ctx context.Context) (err error) {
	if err := missing(tools()); err != nil {
		return err
	}
	s, err := openStage(b.out)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", b.out, err)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	b.log.Info("packages", "cache", b.cache.dir)
	pkgs, err := b.cache.packages(ctx, b.board.Arch, b.board.KernelPackage, stubPackage)
	if err != nil {
		return err
	}
	k, err := b.kernel(ctx, s, pkgs[b.board.KernelPackage], pkgs[stubPackage])
	if err != nil {
		return err
	}
	goVersion, err := b.binaries(ctx, s)
	if err != nil {
		return err
	}
	b.log.Info("initramfs", "modules", len(k.modules))
	if err := b.initramfs(s, k); err != nil {
		return err
	}
	b.log.Info("root slot")
	if err := b.root(ctx, s); err != nil {
		return err
	}
	b.log.Info("disk")
	if err := b.disk(ctx, s, k); err != nil {
		return err
	}
	m := images.Manifest{
		Board: b.board.Name, Version: b.version, Go: goVersion, Cmdline: b.board.KernelCmdline("a", b.version),
		Packages: []images.Package{pkgs[b.board.KernelPackage], pkgs[stubPackage]},
	}
	for _, mod := range k.modules {
		m.Modules = append(m.Modules, filepath.Base(mod.File))
	}
	for _, name := range []string{kernelFile, initrdFile, diskFile} {
		sum, size, err := digest(s.result(name))
		if err != nil {
			return err
		}
		m.Outputs = append(m.Outputs, images.Output{Name: name, Bytes: size, SHA256: sum})
	}
	if err := writeJSON(s.result(manifestFile), m); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.finish(); err != nil {
		return fmt.Errorf("put the image into place: %w", err)
	}
	b.log.Info("image built", "dir", b.out, "kernel", m.Packages[0].Version)
	return nil
}

// digest is the SHA-256 of a file in hex, and its size.
func digest(file string) (string, int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return "", 0, fmt.Errorf("read %s: %w", file, err)
	}
	return hex.EncodeToString(h.Sum(nil)), n, nil
}

// writeJSON writes the file whole or not at all.
func writeJSON(file string, v any) error {
	data, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	tmp := file + ".new"
	if err := os.WriteFile(tmp, append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}
