package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// list is all files below dir, with what they hold.
func list(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		out = append(out, rel+"="+string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStage(t *testing.T) {
	mkdir := func(t *testing.T, dir string) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	image := func(t *testing.T, dir, text string) {
		mkdir(t, dir)
		write(t, filepath.Join(dir, manifestFile), text)
	}
	tests := []struct {
		name   string
		before func(t *testing.T, dir string)
		finish bool
		want   []string
	}{
		{"first, finished", func(t *testing.T, dir string) {}, true, []string{"img/manifest.json=new"}},
		{"first, given up", func(t *testing.T, dir string) {}, false, nil},
		{"again, finished", func(t *testing.T, dir string) { image(t, dir+"/img", "before") }, true, []string{"img/manifest.json=new"}},
		{"again, given up", func(t *testing.T, dir string) { image(t, dir+"/img", "before") }, false, []string{"img/manifest.json=before"}},
		{"an empty folder", func(t *testing.T, dir string) { mkdir(t, dir+"/img") }, true, []string{"img/manifest.json=new"}},
		{"after a build that was killed", func(t *testing.T, dir string) {
			image(t, dir+"/img", "before")
			image(t, dir+"/.img.building/result", "half")
		}, false, []string{"img/manifest.json=before"}},
		{"killed between the renames", func(t *testing.T, dir string) {
			image(t, dir+"/.img.old", "before")
			image(t, dir+"/.img.building/result", "whole")
		}, false, []string{"img/manifest.json=before"}},
		{"killed after the renames", func(t *testing.T, dir string) {
			image(t, dir+"/.img.old", "before")
			image(t, dir+"/img", "newer")
		}, false, []string{"img/manifest.json=newer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			tt.before(t, dir)
			s, err := openStage(filepath.Join(dir, "img"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, s.result(manifestFile), "new")
			write(t, s.work("x"), "on the way")
			if tt.finish {
				if err := s.finish(); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, list(t, dir)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func TestStageLeavesOtherFoldersAlone(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "thesis"), "text")
	if _, err := openStage(dir); err == nil || !strings.Contains(err.Error(), "holds something that is no image") {
		t.Errorf("got %v", err)
	}
	if d := cmp.Diff([]string{"thesis=text"}, list(t, dir)); d != "" {
		t.Error(d)
	}
}
