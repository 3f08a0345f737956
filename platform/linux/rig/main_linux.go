package rig

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// inside marks the re-executed test process.
const inside = "WARDKEEPER_RIG"

// Main runs the tests in a fresh network and mount namespace, inside a user
// namespace unless we are root (or WARDKEEPER_RIG_USERNS is set), and returns
// the exit code. Call it from TestMain: os.Exit(rig.Main(m)). Where the kernel
// forbids it the tests run all the same and Open skips.
func Main(m *testing.M) int {
	if os.Getenv(inside) != "" {
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, "rig:", err)
			return 1
		}
		return m.Run()
	}
	// Pdeathsig speaks of the thread that started the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Env:   append(os.Environ(), inside+"=1"),
		Sys:   namespaces(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "rig: no namespace:", err)
		return m.Run()
	}
	state, err := child.Wait()
	if err != nil {
		fmt.Fprintln(os.Stderr, "rig: wait for the tests:", err)
		return 1
	}
	if code := state.ExitCode(); code >= 0 {
		return code
	}
	fmt.Fprintln(os.Stderr, "rig: the tests ended with", state)
	return 1
}

func namespaces() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 || os.Getenv("WARDKEEPER_RIG_USERNS") != "" {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// settle makes the new namespace habitable.
func settle() error {
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// /sys shows the network namespace of whoever mounted it. In some containers
	// it may not be mounted again; only the tests of /sys/class/net miss it.
	_ = unix.Mount("sysfs", "/sys", "sysfs", 0, "")
	// No router solicitations or MLD reports between the frames of the tests.
	if err := sysctl("net/ipv6/conf/default/disable_ipv6", "1"); err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set loopback up: %w", err)
	}
	return nil
}

func sysctl(name, value string) error {
	if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0o644); err != nil {
		return fmt.Errorf("set sysctl %s: %w", name, err)
	}
	return nil
}
