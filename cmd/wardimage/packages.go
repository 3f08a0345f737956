package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/images"
)

// cache holds Debian packages of other architectures. A version leaves the
// mirror when its successor comes: what was had once is kept, so that an image
// can be built again.
type cache struct {
	dir     string
	refresh bool // ask the mirror even for what is there
}

// stale is the age at which a folder that a download left behind belongs to
// nobody any more.
const stale = time.Hour

// packages returns the wanted packages by their wanted name. A metapackage of
// kernels stands for the kernel that it depends on.
func (c cache) packages(ctx context.Context, arch string, wanted ...string) (map[string]images.Package, error) {
	if err := c.sweep(); err != nil {
		return nil, fmt.Errorf("clean cache %s: %w", c.dir, err)
	}
	index := filepath.Join(c.dir, "packages-"+arch+".json")
	known := make(map[string]images.Package)
	data, err := os.ReadFile(index)
	if err == nil {
		err = json.Unmarshal(data, &known)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", index, err)
	}
	var lacking []string
	for _, name := range wanted {
		if c.refresh || !c.has(known[name]) {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) == 0 {
		return known, nil
	}
	if err := c.fetch(ctx, arch, lacking, known); err != nil {
		return nil, fmt.Errorf("fetch packages of %s: %w", arch, err)
	}
	return known, writeJSON(index, known)
}

// has tells whether the package lies in the cache, whole.
func (c cache) has(p images.Package) bool {
	if p.File == "" || filepath.Base(p.File) != p.File {
		return false
	}
	sum, _, err := digest(filepath.Join(c.dir, p.File))
	return err == nil && sum == p.SHA256
}

// sweep removes what killed downloads left.
func (c cache) sweep() error {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(c.dir, "fetch-*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		if st, err := os.Stat(dir); err == nil && time.Since(st.ModTime()) > stale {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// fetch downloads with apt, which checks the archive's signature, with a state
// folder of its own: the machine need not know the architecture.
func (c cache) fetch(ctx context.Context, arch string, wanted []string, known map[string]images.Package) error {
	tmp, err := os.MkdirTemp(c.dir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	state := filepath.Join(tmp, "apt")
	for _, dir := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(state, dir), 0o755); err != nil {
			return err
		}
	}
	options := []string{
		"-q", "-o", "Dir::State=" + state, "-o", "Dir::State::lists=" + state + "/lists", "-o", "Dir::State::status=" + os.DevNull,
		"-o", "Dir::Cache=" + state + "/cache", "-o", "APT::Architecture=" + arch, "-o", "APT::Architectures::=" + arch,
		"-o", "APT::Sandbox::User=root", // the folder is the caller's, not apt's user's
	}
	apt := func(name string, args ...string) (string, error) {
		return command(ctx, tmp, nil, name, append(append([]string(nil), options...), args...)...)
	}
	if _, err := apt("apt-get", "update"); err != nil {
		return err
	}
	for _, name := range wanted {
		deps, err := apt("apt-cache", "depends", name)
		if err != nil {
			return err
		}
		if _, err := apt("apt-get", "download", kernelOf(name, deps)); err != nil {
			return err
		}
		if known[name], err = c.keep(ctx, tmp); err != nil {
			return err
		}
	}
	return nil
}

// kernelOf is the package behind a metapackage of kernels, by what apt-cache
// says of its dependencies; of any other package it is the package itself.
func kernelOf(name, deps string) string {
	for line := range strings.Lines(deps) {
		if dep, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: "); ok && strings.HasPrefix(dep, "linux-image-") {
			return dep
		}
	}
	return name
}

// keep moves the one package that was downloaded to dir into the cache.
func (c cache) keep(ctx context.Context, dir string) (images.Package, error) {
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(debs) != 1 {
		return images.Package{}, fmt.Errorf("apt-get left %d packages, want 1: %w", len(debs), errors.Join(err))
	}
	deb := debs[0]
	fields, err := command(ctx, dir, nil, "dpkg-deb", "--showformat=${Package} ${Version}", "--show", deb)
	if err != nil {
		return images.Package{}, err
	}
	name, version, _ := strings.Cut(fields, " ")
	p := images.Package{Name: name, Version: version, File: filepath.Base(deb)}
	if p.SHA256, _, err = digest(deb); err != nil {
		return images.Package{}, err
	}
	return p, os.Rename(deb, filepath.Join(c.dir, p.File))
}

// unpack lays the files of a package into dir.
func (c cache) unpack(ctx context.Context, p images.Package, dir string) error {
	_, err := command(ctx, c.dir, nil, "dpkg-deb", "--extract", filepath.Join(c.dir, p.File), dir)
	return err
}
