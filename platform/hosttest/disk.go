package hosttest

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Disk runs the cases of platform.Disk on a folder that can be written to.
func Disk(t *testing.T, disk platform.Disk, folder string) {
	got, err := disk.Usage(folder)
	if err != nil {
		t.Fatal(err)
	}
	if got.Total == 0 || got.Free == 0 || got.Free > got.Total || got.ReadOnly {
		t.Errorf("usage %+v", got)
	}
	missing := filepath.Join(folder, "missing")
	_, err = disk.Usage(missing)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: error %v", err)
	}
}
