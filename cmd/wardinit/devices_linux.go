package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mountDevices gives the agent the devices that it has a use for, and no other:
// no disk, no watchdog, no memory.
func mountDevices(from, at string) error {
	if err := mount("tmpfs", "tmpfs", at, unix.MS_NOSUID|unix.MS_NOEXEC, "mode=0755,size=64k"); err != nil {
		return err
	}
	names, err := agentDevices("/sys")
	errs := []error{err}
	for _, name := range names {
		errs = append(errs, copyNode(filepath.Join(from, name), filepath.Join(at, name)))
	}
	errs = append(errs, mount("", "", at, unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NOEXEC, "mode=0755,size=64k"))
	return errors.Join(errs...)
}

// agentDevices are the names below /dev of what the agent gets: what programs
// expect, and the serial ports that are there at boot, for its console. A port
// has a driver behind it, a terminal of the kernel's own has none.
func agentDevices(sys string) ([]string, error) {
	ports, err := filepath.Glob(filepath.Join(sys, "class/tty/*/device"))
	names := []string{"null", "zero", "random", "urandom"}
	for _, p := range ports {
		names = append(names, filepath.Base(filepath.Dir(p)))
	}
	return names, err
}

// copyNode makes the same device again.
func copyNode(from, to string) error {
	var st unix.Stat_t
	if err := unix.Stat(from, &st); err != nil {
		return &os.PathError{Op: "look at device", Path: from, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return fmt.Errorf("device %s: mode %#o is no character device", from, st.Mode)
	}
	if err := unix.Mknod(to, st.Mode, int(st.Rdev)); err != nil {
		return &os.PathError{Op: "make device", Path: to, Err: err}
	}
	return nil
}
