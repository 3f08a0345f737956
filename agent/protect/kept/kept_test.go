package kept

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func texts(values [][]byte) (out []string) {
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

// newest is the value that is whole and newest; nil without an error where there
// is none at all, or none that is damaged is newer than a whole one.
func newest(d Dir, key string) ([]byte, error) {
	all, err := d.All(key)
	if len(all) > 0 {
		return all[0], nil
	}
	return nil, err
}

func files(t *testing.T, d Dir) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(d.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestNewestAndItsPredecessor(t *testing.T) {
	d := Open(filepath.Join(t.TempDir(), "rules"))
	if v, err := newest(d, "confirmed"); v != nil || err != nil {
		t.Errorf("nothing kept yet: %q, %v", v, err)
	}
	for _, v := range []string{"one", "two", "three", ""} {
		if err := d.Put("confirmed", []byte(v)); err != nil {
			t.Fatal(err)
		}
		if got, err := newest(d, "confirmed"); err != nil || string(got) != v {
			t.Errorf("got %q, %v; want %q", got, err, v)
		}
	}
	if err := d.Put("pairs", []byte("p")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"confirmed.3", "confirmed.4", "pairs.1"}, files(t, d)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	all, err := d.All("confirmed")
	if diff := cmp.Diff([]string{"", "three"}, texts(all)); diff != "" || err != nil {
		t.Errorf("all (-want +got):\n%s%v", diff, err)
	}
}

// TestDamage: whatever a power cut or a bad sector makes of the newest file,
// its predecessor is had, and what is wrong is said.
func TestDamage(t *testing.T) {
	whole := func(t *testing.T) (Dir, string) {
		d := Open(t.TempDir())
		for _, v := range []string{"older", "newer"} {
			if err := d.Put("k", []byte(v)); err != nil {
				t.Fatal(err)
			}
		}
		return d, d.file("k", 2)
	}
	_, file := whole(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, damaged []byte) {
		d, file := whole(t)
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := newest(d, "k")
		if string(got) != "older" || err != nil {
			t.Errorf("%s: got %q, %v", what, got, err)
		}
		if _, err := d.All("k"); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "k.2") {
			t.Errorf("%s: error %v", what, err)
		}
		if err := d.Put("k", []byte("newest")); err != nil {
			t.Errorf("%s: put: %v", what, err)
		}
		if got, err := newest(d, "k"); string(got) != "newest" || err != nil {
			t.Errorf("%s: then %q, %v", what, got, err)
		}
		if all, err := d.All("k"); err != nil || !cmp.Equal(texts(all), []string{"newest", "older"}) {
			t.Errorf("%s: kept %q, %v; want the last whole one as predecessor", what, texts(all), err)
		}
	}
	for n := range text {
		check("cut", text[:n])
		flipped := append([]byte(nil), text...)
		flipped[n] ^= 0x10
		check("a bit", flipped)
	}
}

func TestWhatCannotBeKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Open(file).Put("k", nil); err == nil || !strings.HasPrefix(err.Error(), "keep k: ") {
		t.Errorf("a file where the folder should be: %v", err)
	}
	if err := Open(t.TempDir()).Put("k", make([]byte, maxValue+1)); err == nil || err.Error() != "keep k: 16777217 bytes, more than 16777216" {
		t.Errorf("too much: %v", err)
	}
}

// TestLeftovers: what an interrupted write left is not a value.
func TestLeftovers(t *testing.T) {
	d := Open(t.TempDir())
	if err := d.Put("k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"k.2.tmp", "k.x", "k.", "kk.7", "k.-1"} {
		if err := os.WriteFile(filepath.Join(d.path, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(d.file("k", 9), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := newest(d, "k"); string(got) != "v" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
