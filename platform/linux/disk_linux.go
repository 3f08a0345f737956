package linux

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// disk asks file systems how full they are.
type disk struct{}

var _ platform.Disk = disk{}

// Usage describes the file system that holds path.
func (disk) Usage(path string) (platform.DiskUsage, error) {
	var s unix.Statfs_t
	for {
		err := unix.Statfs(path, &s)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return platform.DiskUsage{}, fmt.Errorf("usage of file system of %s: %w", path, err)
		}
		break
	}
	unit := uint64(s.Frsize) // the counts are in fragments where there are any
	if unit == 0 {
		unit = uint64(s.Bsize)
	}
	return platform.DiskUsage{
		Total:    s.Blocks * unit,
		Free:     s.Bavail * unit,
		ReadOnly: int64(s.Flags)&unix.ST_RDONLY != 0,
	}, nil
}
