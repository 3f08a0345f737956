package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// tool is a program of the build host and the Debian package that has it.
type tool struct{ name, pkg string }

func tools() []tool {
	return []tool{
		{"apt-get", "apt"}, {"apt-cache", "apt"}, {"dpkg-deb", "dpkg"},
		{"mksquashfs", "squashfs-tools"},
		{"mformat", "mtools"}, {"mmd", "mtools"}, {"mcopy", "mtools"},
		{"mke2fs", "e2fsprogs"},
	}
}

// sbin is where Debian has mke2fs, and where a user's PATH seldom leads.
const sbin = "/usr/sbin"

// find is the path of a program.
func find(name string) (string, error) {
	p, err := exec.LookPath(name)
	if err == nil {
		return p, nil
	}
	if p, sbinErr := exec.LookPath(filepath.Join(sbin, name)); sbinErr == nil {
		return p, nil
	}
	return "", err
}

// missing names all of the tools that are not there, with the command that
// installs them.
func missing(all []tool) error {
	var names []string
	pkgs := make(map[string]bool)
	for _, t := range all {
		if _, err := find(t.name); err != nil {
			names = append(names, t.name)
			pkgs[t.pkg] = true
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("%s missing: apt-get install %s", strings.Join(names, ", "), strings.Join(slices.Sorted(maps.Keys(pkgs)), " "))
	}
	if _, err := find("go"); err != nil {
		return errors.New("go missing: see https://go.dev/dl")
	}
	return nil
}

// sourceDate is the time of everything in an image: seconds since 1970, of
// 2025-01-01.
const sourceDate = "1735689600"

// reproducible are the variables under which the tools write no time of their
// own and read no settings of the user.
func reproducible() []string {
	return []string{
		"LC_ALL=C", "TZ=UTC",
		"E2FSPROGS_FAKE_TIME=" + sourceDate,
		"MTOOLSRC=" + os.DevNull,
	}
}

// command runs a program in dir and returns what it printed. SOURCE_DATE_EPOCH
// comes by extra alone: mksquashfs refuses it beside its own options.
func command(ctx context.Context, dir string, extra []string, name string, args ...string) (string, error) {
	path, err := find(name)
	if err != nil {
		return "", err
	}
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "SOURCE_DATE_EPOCH=") })
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = dir, append(append(env, reproducible()...), extra...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("run %s: %w", name, ctx.Err())
		}
		return "", fmt.Errorf("run %s: %w: %s", name, err, lastLines(stderr.String()))
	}
	return stdout.String(), nil
}

// lastLines is the end of what a program said, where the cause stands.
func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}
