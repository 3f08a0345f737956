package kept

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/atomicfile"
)

// Dir is a folder of values. Two processes must not write the same key at once.
type Dir struct{ path string }

// Open names the folder; it is made when the first value is put.
func Open(path string) Dir { return Dir{path} }

// magic begins every file: a digest of the value follows, then the value.
const magic = "wardkeeper kept 1 "

// maxValue bounds a file, in bytes: a ward's rules are made of far less.
const maxValue = 16 << 20

// ErrDamaged marks a file whose value is not what was written.
var ErrDamaged = errors.New("damaged")

// Put returns once the value is on disk, beside its predecessor.
func (d Dir) Put(key string, value []byte) error {
	if len(value) > maxValue {
		return fmt.Errorf("keep %s: %d bytes, more than %d", key, len(value), maxValue)
	}
	have, err := d.versions(key)
	if err != nil {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	next := uint64(1)
	if len(have) > 0 {
		next = have[0] + 1
	}
	sum := sha256.Sum256(value)
	text := append([]byte(magic+hex.EncodeToString(sum[:])+"\n"), value...)
	if err := atomicfile.Write(d.file(key, next), text); err != nil {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	predecessor := false
	for _, old := range have {
		if _, err := read(d.file(key, old)); err == nil && !predecessor {
			predecessor = true
			continue
		}
		if err := os.Remove(d.file(key, old)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget an old %s: %w", key, err)
		}
	}
	return nil
}

// All returns the values that are whole, the newest first, and says of the
// others what is wrong with them.
func (d Dir) All(key string) ([][]byte, error) {
	have, err := d.versions(key)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	var out [][]byte
	var errs []error
	for _, n := range have {
		v, err := read(d.file(key, n))
		if err != nil {
			errs = append(errs, fmt.Errorf("read %s: %w", key, err))
			continue
		}
		out = append(out, v)
	}
	return out, errors.Join(errs...)
}

func read(file string) ([]byte, error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if st.Size() > maxValue+1024 {
		return nil, fmt.Errorf("%s: %w: %d bytes", filepath.Base(file), ErrDamaged, st.Size())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	head, value, ok := bytes.Cut(text, []byte("\n"))
	digest, known := bytes.CutPrefix(head, []byte(magic))
	sum := sha256.Sum256(value)
	if !ok || !known || string(digest) != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("%s: %w", filepath.Base(file), ErrDamaged)
	}
	return value, nil
}

// versions are the numbers of the files of a key, the newest first.
func (d Dir) versions(key string) ([]uint64, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []uint64
	for _, e := range entries {
		if s, ok := strings.CutPrefix(e.Name(), key+"."); ok {
			if n, err := strconv.ParseUint(s, 10, 63); err == nil && e.Type().IsRegular() {
				out = append(out, n)
			}
		}
	}
	slices.SortFunc(out, func(a, b uint64) int {
		if a > b {
			return -1
		}
		return 1
	})
	return out, nil
}

func (d Dir) file(key string, n uint64) string {
	return filepath.Join(d.path, key+"."+strconv.FormatUint(n, 10))
}
