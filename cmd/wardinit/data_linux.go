package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/images"
	"github.com/wardkeeper/wardkeeper/platform/linux"
)

const dataFolder = root + "/data"

// mountData grows and mounts the data partition. Where there is none to be had,
// memory takes its place, so that the agent runs all the same.
func (s *storage) mountData() {
	dev, err := s.disk.partition(images.PartData)
	if err != nil {
		s.forget(err)
		return
	}
	bytes, err := growPartition(dev)
	if err != nil {
		s.errs = append(s.errs, fmt.Errorf("grow the data partition: %w", err))
	}
	fs, err := readExt4(dev)
	if err == nil {
		err = mount(dev, "ext4", dataFolder, unix.MS_NOATIME|partitionFlags, "errors=remount-ro")
	}
	if err != nil {
		s.forget(err)
		return
	}
	s.data = faults(fs)
	if blocks := uint64(bytes / fs.BlockSize); blocks > fs.Blocks {
		s.grow = func() error { return linux.GrowExt4(dataFolder, blocks) }
	}
}

// forget has the agent keep its state in memory.
func (s *storage) forget(why error) {
	s.data = "what is kept is lost at the next restart: " + why.Error()
	s.errs = append(s.errs, mount("tmpfs", "tmpfs", dataFolder, partitionFlags, "mode=0700,size=64m"),
		// A key made now would be lost: nobody shall sign a request for it.
		mount("tmpfs", "tmpfs", keyFolder, partitionFlags|unix.MS_RDONLY, "mode=0700,size=4k"))
}

func readExt4(dev string) (linux.Ext4, error) {
	f, err := os.Open(dev)
	if err != nil {
		return linux.Ext4{}, err
	}
	defer f.Close()
	return linux.ReadExt4(f)
}

// faults is what an earlier boot found wrong with the file system. It is used
// all the same: its journal has mended what can be.
func faults(fs linux.Ext4) string {
	switch {
	case fs.Errors > 0:
		return fmt.Sprintf("the kernel found %d faults in its file system, the last on %s", fs.Errors, fs.LastError.Format("2006-01-02 15:04:05"))
	case fs.Unclean:
		return "its file system is marked as faulty"
	}
	return ""
}

// growPartition has the data partition reach to the end of its disk, on the disk
// and in the kernel, and returns its size in bytes, also beside an error.
func growPartition(dev string) (bytes int64, err error) {
	place, err := filepath.EvalSymlinks(filepath.Join("/sys/class/block", filepath.Base(dev)))
	if err != nil {
		return 0, err
	}
	sectors, err := number(filepath.Join(place, "size")) // of 512 bytes, whatever the disk's are
	if err != nil {
		return 0, err
	}
	bytes = sectors * 512
	start, err := number(filepath.Join(place, "start"))
	if err != nil {
		return bytes, err
	}
	whole, err := number(filepath.Join(place, "../size"))
	if err != nil {
		return bytes, err
	}
	disk, err := os.OpenFile(filepath.Join("/dev", filepath.Base(filepath.Dir(place))), os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return bytes, err
	}
	defer disk.Close()
	p, n, err := growTable(disk, uint64(whole))
	switch {
	case err != nil:
		return bytes, err
	case p.Offset() != start*512:
		return bytes, errors.New("the kernel has another partition table than the disk")
	case p.Bytes() == bytes:
		return bytes, nil
	}
	if err := linux.ResizePartition(disk, n, p.Offset(), p.Bytes()); err != nil {
		return bytes, err
	}
	return p.Bytes(), nil
}

// number reads a file of sysfs.
func number(file string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
