package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// homeless opens a store where there is a file in the place of its folder.
func homeless(t *testing.T) (s *Store, o Opened, folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, o = open(t, Options{Path: filepath.Join(folder, "db"), Size: 1 << 20, Preflight: child})
	if !o.RAM || !s.RAM() || !s.Waits() {
		t.Fatalf("not waiting in memory: %+v", o)
	}
	return s, o, folder
}

func put(t *testing.T, s *Store, key, value string) {
	t.Helper()
	if err := s.Update(func(tx *Tx) error { return tx.Put("a", []byte(key), []byte(value)) }); err != nil {
		t.Fatal(err)
	}
}

// What was kept in memory is on the disk afterwards, with what came during and
// after the move, under the epoch that collectors know.
func TestReturn(t *testing.T) {
	s, o, folder := homeless(t)
	put(t, s, "before", "1")
	if err := s.Return(t.Context(), func() {}); err == nil || !s.Waits() || dump(t, s, "a")["before"] != "1" {
		t.Errorf("returned to a place that there is not: %v", err)
	}
	os.Remove(folder)
	writing := make(chan error)
	go func() {
		writing <- s.Update(func(tx *Tx) error { return tx.Put("a", []byte("during"), []byte("2")) })
	}()
	if err := s.Return(t.Context(), func() {}); err != nil || s.RAM() || s.Waits() {
		t.Fatalf("not returned: %v", err)
	}
	if err := <-writing; err != nil {
		t.Fatal(err)
	}
	put(t, s, "after", "3")
	if err := s.Return(t.Context(), func() {}); err != nil {
		t.Errorf("second call: %v", err)
	}
	s.Close()
	s, again := open(t, Options{Path: filepath.Join(folder, "db"), Size: 1 << 20, Preflight: child})
	if again.Epoch != o.Epoch || again.RAM || again.Reset || again.Created {
		t.Errorf("next start %+v, want epoch %s", again, o.Epoch)
	}
	if got := dump(t, s, "a"); got["before"] != "1" || got["during"] != "2" || got["after"] != "3" {
		t.Errorf("records %v", got)
	}
}

// Whatever stops the move, the records are still there and no half file is.
func TestReturnThatFails(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name  string
		ctx   context.Context
		spoil func(s *Store, path string)
		waits bool
		want  string
	}{
		{"the agent ends", cancelled, func(*Store, string) {}, true, "context canceled"},
		{"a file came to be", t.Context(), func(_ *Store, path string) {
			os.MkdirAll(filepath.Dir(path), 0o700)
			os.WriteFile(path, []byte("theirs"), 0o600)
		},
			false, "return to disk: there is a file now: the next start of the agent reads it"},
		{"closed", t.Context(), func(s *Store, _ string) { s.Close() }, true, "return to disk: store is closed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _, folder := homeless(t)
			put(t, s, "k", "v")
			os.Remove(folder)
			path := filepath.Join(folder, "db")
			tt.spoil(s, path)
			if err := s.Return(tt.ctx, func() {}); err == nil || !strings.HasSuffix(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if s.Waits() != tt.waits || !s.RAM() {
				t.Errorf("waits %v, in memory %v", s.Waits(), s.RAM())
			}
			if _, err := os.Stat(path + ".tmp"); !errors.Is(err, os.ErrNotExist) {
				t.Error("a half-made file was left")
			}
			if tt.name != "closed" && dump(t, s, "a")["k"] != "v" {
				t.Error("the record is lost")
			}
		})
	}
}

// A slow disk takes long for a large file: it is told on the way that this goes on.
func TestReturnSaysThatItGoesOn(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, Options{Path: filepath.Join(folder, "db"), Size: 8 * stretch, Preflight: child})
	os.Remove(folder)
	said := 0
	if err := s.Return(t.Context(), func() { said++ }); err != nil || said < 6 {
		t.Errorf("said %d times, %v", said, err)
	}
}

// A disk that takes longer for a new file than a start may wait does not keep the
// agent from starting: it works in memory, and moves.
func TestSlowDiskKeepsNobodyFromStarting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s, o := open(t, Options{Path: path, Size: 2 * stretch, Preflight: child, CreateLimit: time.Nanosecond})
	if !o.RAM || !s.Waits() || !strings.Contains(o.Reason, "the disk is slow") {
		t.Errorf("%+v", o)
	}
	put(t, s, "k", "v")
	if err := s.Return(t.Context(), func() {}); err != nil || s.RAM() || dump(t, s, "a")["k"] != "v" {
		t.Errorf("not returned: %v", err)
	}
}
