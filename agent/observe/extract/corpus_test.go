package extract_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/capture"
	"github.com/wardkeeper/wardkeeper/agent/observe/extract"
)

var _ capture.Consumer = (*extract.Extractor)(nil)

// found is one line of what score.py reads.
type found struct {
	File  string `json:"file"`
	MAC   string `json:"mac,omitempty"`
	IP    string `json:"ip,omitempty"`
	Kind  string `json:"kind"`
	Value string `json:"value,omitempty"`
	Class string `json:"class,omitempty"`
}

// corpus lists the captures, or skips: they are no part of the project.
func corpus(t testing.TB) []string {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		t.Skip("CORPUS is not set: no captures to replay")
	}
	var files []string
	err := filepath.WalkDir(filepath.Join(dir, "files"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// replay reads one capture and returns what was found in it, each thing once.
func replay(t testing.TB, path string) ([]found, error) {
	src, err := capture.Open(path)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	seen := make(map[found]bool)
	var all []found
	_, err = extract.Replay(src, extract.Options{}, func(b fact.Batch) {
		for _, f := range b.Facts {
			r := found{File: filepath.Base(path), Kind: string(f.Kind), Value: f.Value.String()}
			if f.MAC != (fact.MAC{}) {
				r.MAC = f.MAC.String()
			}
			if f.IP.IsValid() {
				r.IP = f.IP.String()
			}
			if f.Value.Personal() || f.Value.Cut() { // kept back, whole or in part
				r.Class = "personal"
			}
			if !seen[r] {
				seen[r] = true
				all = append(all, r)
			}
		}
	})
	return all, err
}

// TestCorpus replays every capture: none may fail, but for the ones whose link
// type is foreign. FOUND names a file to write what was found to, for score.py.
func TestCorpus(t *testing.T) {
	files := corpus(t)
	var out *json.Encoder
	if name := os.Getenv("FOUND"); name != "" {
		w, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		out = json.NewEncoder(w)
	}
	foreign, lines := 0, 0
	for _, path := range files {
		all, err := replay(t, path)
		var link *capture.LinkTypeError
		switch {
		case errors.As(err, &link):
			foreign++
			t.Log(err)
		case err != nil:
			t.Error(err)
		}
		for _, r := range all {
			lines++
			if out != nil {
				if err := out.Encode(r); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	t.Logf("%d captures, %d of a foreign link type, %d facts", len(files), foreign, lines)
}
