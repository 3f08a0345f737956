package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/images"
)

// machine is the disks of a made-up one, in two folders.
type machine struct {
	t             *testing.T
	hw, sys, devs string
}

func newMachine(t *testing.T) *machine {
	dir := t.TempDir()
	m := &machine{t: t, hw: filepath.Join(dir, "devices"), sys: filepath.Join(dir, "block"), devs: filepath.Join(dir, "dev")}
	m.must(errors.Join(os.Mkdir(m.hw, 0o755), os.Mkdir(m.sys, 0o755), os.Mkdir(m.devs, 0o755)))
	return m
}

func (m *machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// plug adds a disk of a bus with the partitions of an image; separator stands
// between its name and their numbers.
func (m *machine) plug(bus, name, separator string, removable int, edit func(g *images.GPT)) {
	m.t.Helper()
	g, err := images.Layout(images.MinDisk())
	m.must(err)
	if edit != nil {
		edit(&g)
	}
	f, err := os.Create(filepath.Join(m.devs, name))
	m.must(err)
	defer f.Close()
	m.must(errors.Join(f.Truncate(images.MinDisk()), g.WriteTo(f)))
	at := filepath.Join(m.hw, bus, "block", name)
	put := func(file, text string) {
		m.t.Helper()
		m.must(errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)))
	}
	put(filepath.Join(at, "size"), fmt.Sprintln(images.MinDisk()/512))
	put(filepath.Join(at, "removable"), fmt.Sprintln(removable))
	put(filepath.Join(at, "uevent"), "DEVNAME="+name+"\nDEVTYPE=disk\n")
	m.must(os.Symlink(at, filepath.Join(m.sys, name)))
	for i, p := range g.Partitions {
		part := fmt.Sprint(name, separator, i+1)
		put(filepath.Join(at, part, "partition"), fmt.Sprintln(i+1))
		put(filepath.Join(at, part, "uevent"), fmt.Sprintf("DEVNAME=%s\nDEVTYPE=partition\nPARTN=%d\nPARTNAME=%s\n", part, i+1, p.Name))
		m.must(os.Symlink(filepath.Join(at, part), filepath.Join(m.sys, part)))
	}
}

// TestFindDisk: the gateway takes its partitions from the disk with its image,
// and from no other.
func TestFindDisk(t *testing.T) {
	stranger := func(g *images.GPT) { g.Disk = images.GUID{1} }
	for _, c := range []struct {
		name  string
		plug  func(m *machine)
		slot  string // device of slot b
		other []string
		fault string
	}{
		{"none", func(*machine) {}, "", nil, "no disk has the partitions of an image"},
		{"its own", func(m *machine) { m.plug("pci0/virtio1", "vda", "", 0, nil) }, "vda3", nil, ""},
		{"an eMMC", func(m *machine) { m.plug("soc/mmc0", "mmcblk0", "p", 0, nil) }, "mmcblk0p3", nil, ""},
		{"a stranger with the same names", func(m *machine) { m.plug("pci0/usb1", "sda", "", 1, stranger) }, "", nil, "no disk has the partitions of an image"},
		{"a stranger before it", func(m *machine) {
			m.plug("a/usb1", "sda", "", 1, stranger)
			m.plug("pci0/nvme", "nvme0n1", "p", 0, nil)
		}, "nvme0n1p3", nil, ""},
		{"the stick it was installed from", func(m *machine) {
			m.plug("a/usb1", "sda", "", 0, nil)
			m.plug("a/reader", "sdb", "", 1, nil)
			m.plug("soc/mmc0", "sdc", "", 0, nil)
		}, "sdc3", []string{"sdb", "sda"}, ""},
		{"a table that cannot be read", func(m *machine) {
			m.plug("soc/mmc0", "vda", "", 0, nil)
			m.must(os.Truncate(filepath.Join(m.devs, "vda"), 0))
		}, "", nil, "disk vda: read partition table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t)
			c.plug(m)
			d, err := findDisk(m.sys, m.devs)
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("disk %q, %v; want %q", d.name, err, c.fault)
				}
				return
			}
			slot, perr := d.partition(images.PartRootB)
			if err := errors.Join(err, perr); err != nil || slot != filepath.Join(m.devs, c.slot) {
				t.Errorf("slot %q, %v; want %q", slot, err, c.slot)
			}
			if diff := cmp.Diff(c.other, d.others); diff != "" {
				t.Errorf("other disks (-want +got):\n%s", diff)
			}
			if _, err := d.partition("swap"); err == nil {
				t.Error("a partition that no image has was found")
			}
		})
	}
}
