package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// both runs a test on the file and on the memory that stands in for it.
func both(t *testing.T, f func(t *testing.T, s *Store)) {
	t.Run("file", func(t *testing.T) {
		s, _ := open(t, Options{Path: filepath.Join(t.TempDir(), "db"), Size: 1 << 20})
		f(t, s)
	})
	t.Run("ram", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s, o := open(t, Options{Path: filepath.Join(dir, "db"), Size: 1 << 20})
		if !o.RAM {
			t.Fatal("a folder that is a file did not lead to RAM")
		}
		f(t, s)
	})
}

func dump(t *testing.T, s *Store, bucket string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := s.View(func(tx *Tx) error {
		tx.Each(bucket, nil, func(k, v []byte, err error) bool {
			if err != nil {
				v = []byte(err.Error())
			}
			got[string(k)] = string(v)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTransactions(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		own := errors.New("own")
		steps := []struct {
			name string
			fn   func(*Tx) error
			want error
		}{
			{"put", func(tx *Tx) error {
				return errors.Join(tx.Put("a", []byte("1"), []byte("one")), tx.Put("a", []byte("2"), []byte("two")), tx.Put("a", []byte("3"), nil))
			}, nil},
			{"roll back", func(tx *Tx) error {
				tx.Put("a", []byte("1"), []byte("changed"))
				tx.Put("b", []byte("new"), []byte("new"))
				tx.Delete("a", []byte("2"))
				tx.Delete("a", []byte("2"))
				return own
			}, own},
			{"change", func(tx *Tx) error {
				return errors.Join(tx.Put("a", []byte("1"), []byte("uno")), tx.Delete("a", []byte("2")), tx.Delete("none", []byte("x")))
			}, nil},
		}
		for _, st := range steps {
			if err := s.Update(st.fn); err != st.want {
				t.Fatalf("%s: %v, want %v", st.name, err, st.want)
			}
		}
		if diff := cmp.Diff(map[string]string{"1": "uno", "3": ""}, dump(t, s, "a")); diff != "" {
			t.Errorf("a (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]string{}, dump(t, s, "b")); diff != "" {
			t.Errorf("b (-want +got):\n%s", diff)
		}
		err := s.View(func(tx *Tx) error {
			if v, err := tx.Get("a", []byte("1")); string(v) != "uno" || err != nil {
				t.Errorf("Get = %q, %v", v, err)
			}
			if v, err := tx.Get("a", []byte("2")); v != nil || err != nil {
				t.Errorf("Get of a deleted key = %q, %v", v, err)
			}
			if k := tx.Last("a"); string(k) != "3" {
				t.Errorf("Last = %q", k)
			}
			if k := tx.Last("none"); k != nil {
				t.Errorf("Last of no bucket = %q", k)
			}
			var from []string
			tx.Each("a", []byte("2"), func(k, _ []byte, _ error) bool { from = append(from, string(k)); return true })
			if diff := cmp.Diff([]string{"3"}, from); diff != "" {
				t.Errorf("Each from 2 (-want +got):\n%s", diff)
			}
			return tx.Put("a", []byte("1"), nil)
		})
		if err == nil || err.Error() != "put into a: the transaction only reads" {
			t.Errorf("Put in View: %v", err)
		}
		err = s.Update(func(tx *Tx) error { return tx.Put("a", nil, nil) })
		if err == nil || err.Error() != "put into a: key of 0 bytes, want 1 to 1024" {
			t.Errorf("Put without key: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.View(func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestFullStore(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		key := func(i int) []byte { return fmt.Appendf(nil, "%06d", i) }
		value := bytes.Repeat([]byte("x"), 500)
		n := 0
		var err error
		for ; err == nil && n < 100000; n++ {
			err = s.Update(func(tx *Tx) error { return tx.Put("q", key(n), value) })
		}
		if !errors.Is(err, ErrFull) {
			t.Fatalf("after %d records: %v", n, err)
		}
		n--
		if n < 1000 {
			t.Errorf("full after %d records of 500 bytes in 1 MiB", n)
		}
		if len(dump(t, s, "q")) != n {
			t.Errorf("%d records, want %d", len(dump(t, s, "q")), n)
		}
		// For ever at the limit: where there is no room, eight out, and again.
		out := 0
		for end := n + 4000; n < end; n++ {
			for try := 0; ; try++ {
				err := s.Update(func(tx *Tx) error { return tx.Put("q", key(n), value) })
				if err == nil {
					break
				}
				if !errors.Is(err, ErrFull) || try == 3 {
					t.Fatalf("put %d, try %d: %v", n, try, err)
				}
				err = s.Update(func(tx *Tx) error {
					for i := range 8 {
						if err := tx.Delete("q", key(out+i)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatalf("delete eight at %d: %v", out, err)
				}
				out += 8
			}
		}
		if s.RAM() {
			return
		}
		st, err := os.Stat(s.path)
		if err != nil || st.Size() != 1<<20 {
			t.Errorf("file of %d bytes (%v), want 1 MiB: it must not grow", st.Size(), err)
		}
	})
}

func TestRoom(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		r := s.Room("inventory")
		if err := r.Save(map[string][]byte{"a": []byte("1"), "b": []byte("2")}); err != nil {
			t.Fatal(err)
		}
		if err := r.Save(map[string][]byte{"a": nil, "c": []byte("3")}); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		if err := r.Load(func(k string, v []byte) error { got[k] = string(v); return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"b": "2", "c": "3"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func FuzzUnseal(f *testing.F) {
	f.Add("b", []byte("k"), seal("b", []byte("k"), []byte("value")))
	f.Add("b", []byte("k"), []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, bucket string, key, rec []byte) {
		v, err := unseal(bucket, key, rec)
		if err == nil && !bytes.Equal(seal(bucket, key, v), rec) {
			t.Error("a record was taken that seal does not make")
		}
		if v, err := unseal(bucket, key, seal(bucket, key, rec)); err != nil || !bytes.Equal(v, rec) {
			t.Errorf("own record: %v", err)
		}
		if len(key) > 0 && len(key) < 1<<16 {
			other := append([]byte{key[0] ^ 1}, key[1:]...)
			if _, err := unseal(bucket, other, seal(bucket, key, rec)); err == nil {
				t.Error("the record of another key was taken")
			}
		}
	})
}
