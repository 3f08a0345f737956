package linux

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ResizePartition tells the kernel that partition number n of an open disk now
// goes from start, so many bytes long. It may be mounted. The table on the disk
// is not touched.
func ResizePartition(disk *os.File, n int, start, length int64) error {
	p := unix.BlkpgPartition{Start: start, Length: length, Pno: int32(n)}
	arg := unix.BlkpgIoctlArg{Op: unix.BLKPG_RESIZE_PARTITION, Datalen: int32(unsafe.Sizeof(p)), Data: (*byte)(unsafe.Pointer(&p))}
	err := ioctl(disk, unix.BLKPG, unsafe.Pointer(&arg))
	runtime.KeepAlive(&p)
	if err != nil {
		return fmt.Errorf("resize partition %d: %w", n, err)
	}
	return nil
}

// ext4ResizeFS is EXT4_IOC_RESIZE_FS, _IOW('f', 16, __u64) of fs/ext4/ext4.h.
const ext4ResizeFS = 0x40086610

// GrowExt4 extends the mounted ext4 file system of a folder to so many blocks.
func GrowExt4(folder string, blocks uint64) error {
	f, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("grow file system: %w", err)
	}
	defer f.Close()
	if err := ioctl(f, ext4ResizeFS, unsafe.Pointer(&blocks)); err != nil {
		return fmt.Errorf("grow file system on %s to %d blocks: %w", folder, blocks, err)
	}
	return nil
}

// Ext4 is what the superblock of an ext4 file system says of it
// (Documentation/filesystems/ext4/super.rst).
type Ext4 struct {
	Blocks    uint64
	BlockSize int64     // bytes
	Errors    uint32    // that the kernel found since the last complete check
	LastError time.Time // zero: none
	Unclean   bool      // marked as faulty, beyond what the journal mends
}

// ErrNoExt4 marks a partition that has no ext4 file system that can be read.
var ErrNoExt4 = errors.New("no ext4 file system")

// ReadExt4 reads the superblock of a partition, mounted or not.
func ReadExt4(partition io.ReaderAt) (Ext4, error) {
	b := make([]byte, 1024)
	if _, err := partition.ReadAt(b, 1024); err != nil {
		return Ext4{}, fmt.Errorf("read superblock: %w", err)
	}
	le := binary.LittleEndian
	const magic, faulty = 0xef53, 0x2
	shift := le.Uint32(b[0x18:])
	if le.Uint16(b[0x38:]) != magic || shift > 6 {
		return Ext4{}, fmt.Errorf("read superblock: %w", ErrNoExt4)
	}
	e := Ext4{Blocks: uint64(le.Uint32(b[0x4:])), BlockSize: 1024 << shift, Errors: le.Uint32(b[0x194:]),
		Unclean: le.Uint16(b[0x3a:])&faulty != 0}
	const incompat64bit = 0x80
	if le.Uint32(b[0x60:])&incompat64bit != 0 {
		e.Blocks |= uint64(le.Uint32(b[0x150:])) << 32
	}
	if s := le.Uint32(b[0x1cc:]); s != 0 {
		e.LastError = time.Unix(int64(s), 0).UTC()
	}
	return e, nil
}

func ioctl(f *os.File, request uintptr, arg unsafe.Pointer) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno unix.Errno
	if err := raw.Control(func(fd uintptr) { _, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg)) }); err != nil {
		return err
	}
	if errno != 0 {
		return errno
	}
	return nil
}
