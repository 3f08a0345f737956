package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/images"
)

// disk is the one that the gateway's image is on.
type disk struct {
	name   string // as sda
	sys    string // folder of sysfs that has one for each block device
	dev    string // folder with the devices
	table  images.GPT
	others []string // disks with an image that are not used
}

// awaitDisk waits for the disk. Its partitions come together.
func awaitDisk(wait time.Duration) (disk, error) {
	for end := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		d, err := findDisk("/sys/class/block", "/dev")
		if err == nil || time.Now().After(end) {
			return d, err
		}
	}
}

// findDisk finds the disk with the image by the ids in its partition table,
// which the kernel of the image does not tell. Of a stranger's disk nothing is
// taken, whatever its partitions are called. A second disk with an image, as the
// stick that a gateway was installed from, has the same ids: one that is fixed
// comes before one that can be taken away, then the place on the bus decides.
func findDisk(sys, dev string) (disk, error) {
	names, err := filepath.Glob(filepath.Join(sys, "*"))
	if err != nil {
		return disk{}, err
	}
	type candidate struct {
		disk
		fixed bool
		place string
	}
	var found []candidate
	var errs []error
	for _, path := range names {
		d := disk{name: filepath.Base(path), sys: sys, dev: dev}
		if !d.claims() {
			continue // nor is it read: it may be slow, or broken
		}
		c := candidate{disk: d}
		var is bool
		if c.place, err = filepath.EvalSymlinks(path); err == nil {
			is, err = c.read()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("disk %s: %w", d.name, err))
		}
		if !is {
			continue
		}
		removable, err := number(filepath.Join(path, "removable"))
		c.fixed = err == nil && removable == 0 && !strings.Contains(c.place, "/usb")
		found = append(found, c)
	}
	if len(found) == 0 {
		return disk{}, errors.Join(append(errs, errors.New("no disk has the partitions of an image"))...)
	}
	slices.SortFunc(found, func(a, b candidate) int {
		switch {
		case a.fixed && !b.fixed:
			return -1
		case b.fixed && !a.fixed:
			return 1
		}
		return strings.Compare(a.place, b.place)
	})
	d := found[0].disk
	for _, o := range found[1:] {
		d.others = append(d.others, o.name)
	}
	return d, nil
}

// claims reports whether it has a partition with the name of a root slot.
func (d disk) claims() bool {
	files, _ := filepath.Glob(filepath.Join(d.sys, d.name, d.name+"*", "uevent")) // the pattern is right
	return slices.ContainsFunc(files, func(f string) bool {
		text, err := os.ReadFile(f)
		return err == nil && strings.Contains("\n"+string(text), "\nPARTNAME="+images.PartRootA+"\n")
	})
}

// read reads the partition table, and reports whether it is an image's.
func (d *disk) read() (bool, error) {
	sectors, err := number(filepath.Join(d.sys, d.name, "size")) // of 512 bytes, whatever the disk's are
	if err != nil {
		return false, err
	}
	f, err := os.Open(filepath.Join(d.dev, d.name))
	if err != nil {
		return false, err
	}
	defer f.Close()
	d.table, err = images.ReadGPT(f, uint64(sectors))
	return err == nil && d.table.OfImage(), err
}

// partition is the device of a partition of the disk.
func (d disk) partition(name string) (string, error) {
	p, err := d.table.Partition(name)
	if err != nil {
		return "", err
	}
	want := int64(slices.Index(d.table.Partitions, p) + 1)
	files, _ := filepath.Glob(filepath.Join(d.sys, d.name, d.name+"*", "partition")) // the pattern is right
	for _, f := range files {
		if n, err := number(f); err == nil && n == want {
			return filepath.Join(d.dev, filepath.Base(filepath.Dir(f))), nil
		}
	}
	return "", fmt.Errorf("find partition %s: the kernel has no partition %d of %s", name, want, d.name)
}
