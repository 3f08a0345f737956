package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// What is run of the slot, seen from its root.
const agentBinary = "/sbin/wardkeeper"

// slotRole is the name under which PID 1 starts itself, to become a program of
// the slot.
const slotRole = "wardinit-slot"

// exitSlot is EX_OSFILE of sysexits.h: the program could not be started.
const exitSlot = 72

// inSlot is a command of the slot, whose file system is at root. What is started
// is this binary, which lies in memory, and becomes the program: Go holds one of
// its threads, and with it the collection of garbage and so all of them, until
// the file of a new program is read. PID 1 must not wait for a disk.
func inSlot(ctx context.Context, root string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = append([]string{slotRole, root, agentBinary}, args...)
	// A crash prints no memory of others; the heap is collected before a small box
	// runs out (a full one needs some 110 MiB).
	cmd.Env = []string{"GOTRACEBACK=single", "GOMEMLIMIT=192MiB"}
	cmd.Dir = "/"
	return cmd
}

// enterSlot makes this process a program of the slot, without what PID 1 may and
// the program need not. It returns with an error only.
func enterSlot(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("start a program of the slot: %d arguments", len(args))
	}
	root, args := args[0], args[1:]
	runtime.LockOSThread() // what is given up is the thread's
	if err := unix.Chroot(root); err != nil {
		return fmt.Errorf("start %s: enter %s: %w", args[0], root, err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("start %s: enter %s: %w", args[0], root, err)
	}
	if err := giveUp(); err != nil {
		return fmt.Errorf("start %s: %w", args[0], err)
	}
	return fmt.Errorf("start %s: %w", args[0], unix.Exec(args[0], args, os.Environ()))
}

// giveUp leaves to this thread, and the program it becomes, what the agent's work
// needs: ports and rules. It can neither mount nor load modules, make devices,
// leave its root, set the clock, reboot, nor look into PID 1; nothing that it
// starts gets any of that back.
func giveUp() error {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if c == unix.CAP_NET_ADMIN || c == unix.CAP_NET_RAW {
			continue
		}
		// EINVAL: the kernel is older than the list.
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL {
			return fmt.Errorf("give up capability %d: %w", c, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	return nil
}
