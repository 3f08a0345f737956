package fake

import (
	"fmt"
	"os"
	"sync"

	"github.com/wardkeeper/wardkeeper/platform"
)

var _ platform.Disk = (*Disk)(nil)

// Disk is one file system with 1 GiB, half of it free. Its paths are those of
// the machine the test runs on; only what it tells of itself is made up, so
// a write does not fail because the knobs say that it is full.
type Disk struct {
	mu    sync.Mutex
	usage platform.DiskUsage
	err   error
}

func newDisk() *Disk { return &Disk{usage: platform.DiskUsage{Total: 1 << 30, Free: 1 << 29}} }

// Usage describes the file system.
func (d *Disk) Usage(path string) (platform.DiskUsage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.err
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return platform.DiskUsage{}, fmt.Errorf("usage of file system of %s: %w", path, err)
	}
	return d.usage, nil
}

// Set sets what the disk tells: no free bytes for a full one, ReadOnly as after
// an error of the medium.
func (d *Disk) Set(usage platform.DiskUsage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.usage = usage
}

// Fail makes Usage fail, until err is nil again.
func (d *Disk) Fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}
