package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// stage is the folder beside the output folder in which everything is made. Its
// result takes the output folder's place at the end, in one step; an output
// folder is always a whole image. One build at a time may go to a folder.
type stage struct {
	out string // where the image goes
	dir string // of the stage; gone afterwards
	old string // the image before, for the moment between two renames
}

// openStage clears away what a killed build left behind, and begins.
func openStage(out string) (*stage, error) {
	beside := func(suffix string) string {
		return filepath.Join(filepath.Dir(out), "."+filepath.Base(out)+suffix)
	}
	s := &stage{out: out, dir: beside(".building"), old: beside(".old")}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return nil, err
	}
	if _, err := os.Stat(out); errors.Is(err, fs.ErrNotExist) { // killed between the two renames
		if err := os.Rename(s.old, out); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if err := ours(out); err != nil {
		return nil, err
	}
	if err := errors.Join(os.RemoveAll(s.old), os.RemoveAll(s.dir)); err != nil {
		return nil, err
	}
	for _, dir := range []string{s.dir, s.result(), s.work("")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ours refuses a folder that this program did not make: it will be replaced.
func ours(out string) error {
	entries, err := os.ReadDir(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == manifestFile {
			return nil
		}
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s holds something that is no image: it would be replaced; name another folder", out)
	}
	return nil
}

// result is the folder that becomes the output folder.
func (s *stage) result(elem ...string) string {
	return filepath.Join(append([]string{s.dir, "result"}, elem...)...)
}

// work is a path for what is needed on the way.
func (s *stage) work(elem ...string) string {
	return filepath.Join(append([]string{s.dir, "work"}, elem...)...)
}

// finish puts the result into the output folder's place.
func (s *stage) finish() error {
	if err := os.Rename(s.out, s.old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(s.result(), s.out); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(s.old), s.close())
}

// close removes the stage.
func (s *stage) close() error { return os.RemoveAll(s.dir) }
