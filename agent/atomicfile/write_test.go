package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

// What stands in the way of a write, and what becomes of the file.
func TestWrite(t *testing.T) {
	for _, c := range []struct {
		name  string
		setup func(file string) error
		fails bool
		want  string
	}{
		{"new, in a new folder", func(string) error { return nil }, false, "new"},
		{"an old one", func(f string) error { return old(f, "") }, false, "new"},
		{"what a power cut left, open to all", func(f string) error { return old(f, ".tmp") }, false, "new"},
		{"a folder where the new one is made", func(f string) error {
			if err := old(f, ""); err != nil {
				return err
			}
			return os.Mkdir(f+".tmp", 0o700)
		}, true, "old"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "folder", "file")
			if err := c.setup(file); err != nil {
				t.Fatal(err)
			}
			if err := Write(file, []byte("new")); (err != nil) != c.fails {
				t.Errorf("error %v", err)
			}
			if got, err := os.ReadFile(file); err != nil || string(got) != c.want {
				t.Errorf("file %q, %v; want %q", got, err, c.want)
			}
			if st, err := os.Stat(file); err != nil || !c.fails && st.Mode() != 0o600 {
				t.Errorf("mode %v, %v", st.Mode(), err)
			}
			if _, err := os.Stat(file + ".tmp"); err == nil && !c.fails {
				t.Error("something is left")
			}
		})
	}
}

func old(file, suffix string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file+suffix, []byte("old"), 0o644)
}
