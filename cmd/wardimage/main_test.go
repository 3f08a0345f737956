package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/images"
)

func TestParse(t *testing.T) {
	good := []string{"--board", "qemu-arm64", "--out", "x"}
	tests := []struct {
		name string
		args []string
		want string // error, "" for none
	}{
		{"good", good, ""},
		{"no board", good[2:], `--board: no board "": there are qemu-arm64`},
		{"no out", good[:2], "--out is missing"},
		{"more", append([]string{"--size", "1000000000"}, append(good, "y")...), `unexpected argument "y"`},
		{"version of two words", append(good, "--version", "1 init=/bin/sh"), `--version "1 init=/bin/sh": want letters, digits and ._+-`},
		{"small disk", append(good, "--size", "512"), "--size: lay out a disk of 512 bytes"},
		{"quote in a folder", append(good, "--cache", `x";y`), "want a path without quotes and semicolons"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := parse(tt.args, new(bytes.Buffer))
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !filepath.IsAbs(b.out) || !filepath.IsAbs(b.cache.dir) || b.size != images.MinDisk() || b.version != "dev" {
				t.Errorf("%+v", b)
			}
		})
	}
}

func TestRunUsage(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		want string // in either output
	}{
		{nil, exitUsage, "usage:"},
		{[]string{"help"}, 0, "usage:"},
		{[]string{"boards"}, 0, "qemu-arm64\n"},
		{[]string{"bulid"}, exitUsage, `unknown command "bulid"`},
		{[]string{"build"}, exitUsage, "--out is missing"},
		{[]string{"test"}, exitUsage, `no board ""`},
		{[]string{"bench"}, exitUsage, "--image is missing"},
		{[]string{"bench", "--image", "/nonexistent", "--runs", "1"}, exitFailed, "wardimage: measure image: "},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), tt.args, &out, &out); code != tt.code || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%v: code %d, %s", tt.args, code, out.String())
		}
	}
}

// The agent reads what the image gives it, and has the board's ports of it.
func TestConfiguration(t *testing.T) {
	boards, err := images.Boards()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range boards {
		c, err := config.Parse(b.Name, configuration(b))
		if err != nil {
			t.Fatal(err)
		}
		got := []string{c.Ports.Uplink, strings.Join(c.Ports.Ward, " "), c.Console.Device}
		want := []string{b.Ports.Uplink, strings.Join(b.Ports.Ward, " "), "/dev/" + b.Console.Device}
		if d := cmp.Diff(want, got); d != "" || c.Console.Baud != b.Console.Baud {
			t.Errorf("%s: %d baud, -want +got\n%s", b.Name, c.Console.Baud, d)
		}
	}
}
