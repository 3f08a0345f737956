package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestOpenAgain(t *testing.T) {
	opt := Options{Path: filepath.Join(t.TempDir(), "sub", "db"), Size: 512 << 10, Preflight: child}
	s, first := open(t, opt)
	if !first.Created || first.Reset || first.RAM || len(first.Epoch) != 16 {
		t.Errorf("first: %+v", first)
	}
	if st, err := os.Stat(opt.Path); err != nil || st.Size() != 512<<10 {
		t.Errorf("file: %v, %v: want it preallocated", st.Size(), err)
	}
	if _, err := os.Stat(opt.Path + ".tmp"); !os.IsNotExist(err) {
		t.Error("the temporary file is still there")
	}
	if _, _, err := Open(t.Context(), opt); !errors.Is(err, ErrInUse) {
		t.Errorf("second opener: %v", err)
	}
	if err := s.Update(func(tx *Tx) error { return tx.Put("a", []byte("k"), []byte("v")) }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	// What an interrupted creation left behind is of no interest.
	os.WriteFile(opt.Path+".tmp", []byte("half"), 0o600)
	opt.Size = 1 << 20 // the config grew
	s, again := open(t, opt)
	if again.Created || again.Reset || again.Epoch != first.Epoch {
		t.Errorf("again: %+v, want epoch %s", again, first.Epoch)
	}
	if got := dump(t, s, "a")["k"]; got != "v" {
		t.Errorf("record: %q", got)
	}
	if st, _ := os.Stat(opt.Path); st.Size() != 1<<20 {
		t.Errorf("file of %d bytes did not grow with its config", st.Size())
	}
}

// sample fills a database of 2 MiB and returns its bytes.
func sample(t *testing.T, dir string) (data []byte, epoch string) {
	path := filepath.Join(dir, "sample")
	s, o := open(t, Options{Path: path, Size: 2 << 20})
	for i := range 180 {
		err := s.Update(func(tx *Tx) error {
			for j := range 16 {
				k := fmt.Appendf(nil, "%05d", i*16+j)
				if err := tx.Put(fmt.Sprintf("room%d", j%3), k, fmt.Appendf(nil, "%0400s", k)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data, o.Epoch
}

// sound checks the promise of Open on a damaged copy: either all records that
// can be read are right, or there is a new file with a new epoch and the old
// one stands aside. It reports whether the file was reset.
func sound(t *testing.T, c *checker, path, epoch, what string) bool {
	t.Helper()
	s, o, err := Open(t.Context(), Options{Path: path, Size: 2 << 20, Preflight: c.check})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer s.Close()
	if o.RAM {
		t.Fatalf("%s: %s", what, o.Reason)
	}
	if o.Reset {
		if o.Epoch == epoch || o.Aside == "" || o.Reason == "" || o.Created {
			t.Fatalf("%s: %+v", what, o)
		}
		if _, err := os.Stat(o.Aside); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	} else if o.Epoch != epoch {
		t.Fatalf("%s: epoch %s, want %s", what, o.Epoch, epoch)
	}
	n := 0
	for r := range 3 {
		err := s.View(func(tx *Tx) error {
			tx.Each(fmt.Sprintf("room%d", r), nil, func(k, v []byte, err error) bool {
				if err == nil && string(v) != fmt.Sprintf("%0400s", k) {
					t.Errorf("%s: a wrong record was taken for a right one", what)
				}
				n++
				return true
			})
			return nil
		})
		if err != nil && !errors.Is(err, ErrUnknown) {
			t.Fatalf("%s: %v", what, err)
		}
		if err != nil {
			return true
		}
	}
	if o.Reset != (n == 0) {
		t.Errorf("%s: reset %v with %d records", what, o.Reset, n)
	}
	if err := s.Update(func(tx *Tx) error { return tx.Put("new", []byte("k"), nil) }); err != nil && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrFull) {
		t.Errorf("%s: write: %v", what, err)
	}
	return o.Reset
}

func TestTruncatedAtEveryPage(t *testing.T) {
	dir := t.TempDir()
	data, epoch := sample(t, dir)
	c, resets := newChecker(t), 0
	for n := 0; n < len(data); n += pageSize {
		path := filepath.Join(dir, "db")
		os.Remove(path) // a file that faulted stays mapped, and so locked, in this process
		if err := os.WriteFile(path, data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if sound(t, c, path, epoch, fmt.Sprintf("truncated to %d pages", n/pageSize)) {
			resets++
		}
		clearFailures(path) // each case on its own
	}
	if resets < 300 {
		t.Errorf("%d of 512 truncations were noticed; the sample should fill most of the file", resets)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "db.corrupt.*")); len(left) != 1 {
		t.Errorf("moved aside: %v, want one kept", left)
	}
}

func TestRandomBytes(t *testing.T) {
	dir := t.TempDir()
	data, epoch := sample(t, dir)
	rnd := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(dir, "db")
	c, resets := newChecker(t), 0
	for i := range 120 {
		bad := append([]byte(nil), data...)
		switch i % 3 {
		case 0: // one bit
			bad[rnd.IntN(len(bad))] ^= 1 << rnd.IntN(8)
		case 1: // a page of noise
			at := rnd.IntN(len(bad)/pageSize) * pageSize
			for j := range pageSize {
				bad[at+j] = byte(rnd.Uint32())
			}
		case 2: // noise from the start on
			for j := range bad[:pageSize*(1+rnd.IntN(40))] {
				bad[j] = byte(rnd.Uint32())
			}
		}
		os.Remove(path) // a file that faulted stays mapped, and so locked, in this process
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if sound(t, c, path, epoch, fmt.Sprintf("case %d", i)) {
			resets++
		}
		clearFailures(path)
	}
	if resets < 40 {
		t.Errorf("%d resets of 120: all files without head must go", resets)
	}
}

func TestVitalDamage(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "db")
	s, o := open(t, Options{Path: path, Size: 256 << 10})
	s.Update(func(tx *Tx) error { return tx.Put(Vital, []byte("seq"), []byte("0000000041")) })
	s.Close()
	data, _ := os.ReadFile(path)
	for i := range data { // every copy of it
		if i+10 < len(data) && string(data[i:i+10]) == "0000000041" {
			data[i+9] = '7'
		}
	}
	os.WriteFile(path, data, 0o600)
	_, again := open(t, Options{Path: path, Size: 256 << 10, Preflight: child})
	if !again.Reset || again.Epoch == o.Epoch {
		t.Errorf("a counter ran on with a wrong value: %+v", again)
	}
}

// A fault in mid-run ends this process's use of the file; three failures in a
// row end the disk's.
func TestFaultsInARow(t *testing.T) {
	opt := Options{Path: filepath.Join(t.TempDir(), "db"), Size: 256 << 10, Preflight: child}
	want := []struct{ reset, ram bool }{{false, false}, {true, false}, {false, true}, {true, true}, {false, false}}
	for i, w := range want {
		s, o := open(t, opt)
		if o.Reset != w.reset || o.RAM != w.ram {
			t.Fatalf("start %d: %+v, want %+v", i, o, w)
		}
		if o.RAM {
			if err := s.Update(func(tx *Tx) error { return tx.Put("a", []byte("k"), nil) }); err != nil {
				t.Fatal(err)
			}
			s.Close()
			continue
		}
		if err := os.Truncate(opt.Path, 0); err != nil {
			t.Fatal(err)
		}
		err := s.View(func(tx *Tx) error { _, err := tx.Get("a", []byte("k")); return err })
		if !errors.Is(err, ErrUnknown) {
			t.Fatalf("start %d: read of a vanished file: %v", i, err)
		}
		select {
		case <-s.Broken():
		default:
			t.Error("Broken is not closed")
		}
		if again := s.Update(func(*Tx) error { return nil }); again != err {
			t.Errorf("after the fault: %v", again)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		// What the next process finds: the same bytes, but not our lock, which
		// ends with the process only.
		os.Remove(opt.Path)
		if err := os.WriteFile(opt.Path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSettledRunForgetsFailures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	os.WriteFile(path, []byte("not a database"), 0o600)
	s, o := open(t, Options{Path: path, Size: 256 << 10, Preflight: child})
	if !o.Reset || readFailures(path) != 1 {
		t.Fatalf("%+v, %d failures", o, readFailures(path))
	}
	for i := range settled {
		if err := s.Update(func(tx *Tx) error { return tx.Put("a", []byte("k"), []byte{byte(i)}) }); err != nil {
			t.Fatal(err)
		}
	}
	if n := readFailures(path); n != 0 {
		t.Errorf("%d failures after %d commits", n, settled)
	}
}

func TestPreflightThatDoesNotSay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s, first := open(t, Options{Path: path, Size: 256 << 10})
	s.Close()
	tests := []struct {
		name  string
		pre   func(context.Context, string) error
		reset bool
	}{
		{"cannot start", func(context.Context, string) error { return errors.New("fork: cannot allocate memory") }, false},
		{"hangs", func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }, true},
	}
	for _, tt := range tests {
		s, o := open(t, Options{Path: path, Size: 256 << 10, Preflight: tt.pre, PreflightLimit: 10 * time.Millisecond})
		if o.Reset != tt.reset || (o.Epoch == first.Epoch) == tt.reset {
			t.Errorf("%s: %+v", tt.name, o)
		}
		s.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := Open(ctx, Options{Path: path, Preflight: func(ctx context.Context, _ string) error { cancel(); return ctx.Err() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("a cancelled start moved the file: %v", err)
	}
}

func TestCheckMessages(t *testing.T) {
	dir := t.TempDir()
	short := filepath.Join(dir, "short")
	os.WriteFile(short, []byte("x"), 0o600)
	none := filepath.Join(dir, "none")
	tests := []struct{ path, want string }{
		{short, "check store: damaged: 1 bytes"},
		{none, "check store: stat " + none + ": no such file or directory"},
	}
	for _, tt := range tests {
		if err := Check(tt.path); err == nil || err.Error() != tt.want {
			t.Errorf("%q, want %q", err, tt.want)
		}
	}
}
