package ward

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

// insideEnv tells the re-executed program that it is in its own namespaces.
const insideEnv = "WARDLAB_INSIDE"

// Inside reports whether this process already runs in the lab's namespaces.
func Inside() bool { return os.Getenv(insideEnv) == "1" }

// Reexec runs this program again with the same arguments in network, mount and
// process namespaces of its own, and in a user namespace unless it is root, and
// returns its exit code. When the inner process ends, everything in the lab
// ends with it: it is process 1 there.
func Reexec() (int, error) {
	flags := uintptr(syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID)
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		flags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	attr.Cloneflags = flags
	// os.Args[1:] are ours; the program file may have been replaced meanwhile,
	// /proc/self/exe is the one that runs.
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil {
		return 0, Diagnose(err, readSwitch)
	}
	// The terminal signals the whole foreground group: the child ends by itself
	// and says its summary; this process only passes on what was meant for it.
	sig := make(chan os.Signal, 4)
	signal.Notify(sig, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(sig)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case s := <-sig:
			if s == syscall.SIGTERM {
				_ = cmd.Process.Signal(s)
			}
		case err := <-done:
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.Exited() {
				return exit.ExitCode(), nil
			}
			if err != nil {
				return 0, fmt.Errorf("run the lab in its namespaces: %w", err)
			}
			return 0, nil
		}
	}
}

// Mounts gives the namespaces a /proc and a /sys of their own, so that what
// the agent reads there is the lab and not the host. A container may forbid it:
// then the old ones stay, which only hides ports from /sys.
func Mounts() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return Diagnose(fmt.Errorf("make mounts private: %w", err), readSwitch)
	}
	const quiet = syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC
	_ = syscall.Mount("proc", "/proc", "proc", quiet, "")
	_ = syscall.Mount("sysfs", "/sys", "sysfs", quiet, "")
	return nil
}

// readSwitch returns a kernel setting, "" if this kernel has none such.
func readSwitch(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
