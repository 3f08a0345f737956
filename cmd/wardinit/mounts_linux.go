package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/images"
)

// mountKernel mounts what the kernel shows of itself.
func mountKernel() error {
	var errs []error
	for _, m := range []struct {
		kind, at string
		flags    uintptr
		data     string
	}{
		{"devtmpfs", "/dev", unix.MS_NOSUID, "mode=0755"},
		{"proc", "/proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", "/sys", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"tmpfs", "/run", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, "mode=0700,size=8m"},
	} {
		errs = append(errs, mount(m.kind, m.kind, m.at, m.flags, m.data))
	}
	return errors.Join(errs...)
}

func mount(what, kind, at string, flags uintptr, data string) error {
	if err := os.MkdirAll(at, 0o755); err != nil && !errors.Is(err, unix.EROFS) {
		return err
	}
	if err := unix.Mount(what, at, kind, flags, data); err != nil {
		return fmt.Errorf("mount %s on %s: %w", kind, at, err)
	}
	return nil
}

// diskWait is how long a disk may take to appear. Its partitions come together.
const diskWait = 5 * time.Second

// storage is what became of the disk.
type storage struct {
	rooted bool   // the slot's file system is there
	disk   disk   // it lies on
	data   string // what is wrong with the data partition; "": nothing
	errs   []error
	grow   func() error // what is left to do once the ward is connected
}

// mountSlot makes the agent's root: the slot read-only, the data partition and
// the kernel's file systems. Only the slot itself is needed to run.
func mountSlot() storage {
	d, err := awaitDisk(diskWait)
	var slot string
	if err == nil {
		slot, err = d.partition("root-" + slotName())
	}
	if err == nil {
		err = mount(slot, "squashfs", root, unix.MS_RDONLY|unix.MS_NODEV|unix.MS_NOSUID, "")
	}
	if err != nil {
		return storage{errs: []error{fmt.Errorf("mount slot: %w", err)}}
	}
	s := storage{rooted: true, disk: d}
	if len(d.others) > 0 {
		s.errs = append(s.errs, fmt.Errorf("%s is used: %s hold an image, too", d.name, strings.Join(d.others, ", ")))
	}
	s.errs = append(s.errs, mount("/run", "", root+"/run", unix.MS_BIND, ""), mountDevices("/dev", root+"/dev"),
		mountToRead("/proc", root+"/proc"), mountToRead("/sys", root+"/sys"))
	s.mountData()
	return s
}

// mountToRead shows a folder of ours to the agent, which is not to change
// anything there: its user is the one that the kernel lets.
func mountToRead(from, at string) error {
	if err := mount(from, "", at, unix.MS_BIND, ""); err != nil {
		return err
	}
	// A bind takes no other flags at once.
	return mount("", "", at, unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}

// mountESP takes over what lies there. It is not on the way to the rules: a
// laptop may have written anything to it.
func mountESP(d disk) error {
	dev, err := d.partition(images.PartESP)
	if err != nil {
		return err
	}
	if err := mount(dev, "vfat", root+"/esp", unix.MS_RDONLY|partitionFlags, ""); err != nil {
		return err
	}
	return provision()
}

const partitionFlags = unix.MS_NODEV | unix.MS_NOSUID | unix.MS_NOEXEC

// slotName is the slot that the command line names, a by default.
func slotName() string {
	line, _ := os.ReadFile("/proc/cmdline") // one that cannot be read names none
	return cmp.Or(images.ReadCmdline(string(line)).Slot, "a")
}
