package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// newEpoch names a store that did not exist before; the bytes are random since
// a box that lost its disk has also lost every counter.
func newEpoch() string {
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// create makes the file under another name and renames it: a power cut while
// bbolt lays out its first pages leaves files that open but are not sound, so
// the final name appears only on a finished file.
func create(ctx context.Context, path string, size int64) error {
	tmp, err := lay(ctx, path, size, func() {})
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		os.Remove(tmp)
		return fmt.Errorf("create store: %w", err)
	}
	return syncDir(path)
}

// lay makes the file under its other name: finished, but for the name.
func lay(ctx context.Context, path string, size int64, alive func()) (_ string, err error) {
	tmp := path + ".tmp"
	if err := os.Remove(tmp); err != nil && !os.IsNotExist(err) {
		return "", err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp)
		}
	}()
	var used int64
	err = guard(func() error {
		b, err := openBolt(tmp, size)
		if err != nil {
			return err
		}
		err = b.update(func(r raw) error {
			return (&Tx{raw: r, writable: true}).Put(Vital, []byte(epochKey), []byte(newEpoch()))
		})
		if err == nil {
			err = b.view(func(r raw) error { used = r.(*boltTx).tx.Size(); return nil })
		}
		return errors.Join(err, b.close())
	})
	if err != nil {
		return "", fmt.Errorf("create store: %w", err)
	}
	// bbolt grew the file by a hole; cut it off, so that extend writes there.
	if err := os.Truncate(tmp, used); err != nil {
		return "", fmt.Errorf("create store: %w", err)
	}
	if err := extend(ctx, tmp, size, alive); err != nil {
		return "", fmt.Errorf("create store: preallocate %d KiB: %w", size>>10, err)
	}
	return tmp, nil
}

// stretch is what extend has on the disk before it goes on, in bytes: who commits
// elsewhere meanwhile waits for no more than that.
const stretch = 4 << 20

// extend writes zeros up to size, so that no later write needs a new block. It
// takes seconds on a slow disk, calls alive after each stretch, and ends with ctx.
func extend(ctx context.Context, path string, size int64, alive func()) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	st, err := f.Stat()
	if err != nil || st.Size() >= size {
		return err
	}
	zeros := make([]byte, 256<<10)
	for at, synced := st.Size(), st.Size(); at < size; {
		n, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && at-synced >= stretch {
			err, synced = f.Sync(), at
			alive()
		}
		if err != nil {
			f.Truncate(st.Size()) // give back what is of no use
			return err
		}
		at += int64(n)
	}
	return f.Sync()
}

// moveAside renames a condemned file to the next free PATH.corrupt.N and keeps
// only that one.
func moveAside(path string) (string, error) {
	old, err := filepath.Glob(escape(path) + ".corrupt.*")
	if err != nil {
		return "", err
	}
	next := 1
	for _, o := range old {
		var n int
		if _, err := fmt.Sscanf(strings.TrimPrefix(o, path), ".corrupt.%d", &n); err == nil && n >= next {
			next = n + 1
		}
	}
	to := fmt.Sprintf("%s.corrupt.%d", path, next)
	for _, o := range old { // first: its blocks may be what the new file needs
		if err := os.Remove(o); err != nil {
			return "", err
		}
	}
	if err := os.Rename(path, to); err != nil {
		return "", err
	}
	return to, syncDir(path)
}

// escape makes a path a Glob pattern for itself.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// syncDir makes a rename in the folder of path durable.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
