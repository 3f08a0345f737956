package main

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Roles that the test binary plays.
const (
	stallRole  = "wardinit-test-stall"
	reportRole = agentBinary // as which the slot's program is started
)

func TestMain(m *testing.M) {
	switch os.Args[0] {
	case slotRole:
		fmt.Fprintln(os.Stderr, enterSlot(os.Args[1:]))
		os.Exit(exitSlot)
	case stallRole:
		if err := startFromStalled(os.Args[1], os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	case reportRole:
		report()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// startFromStalled starts a program from a file system that does not answer, and
// says whether this process lives on: an automounter whose daemon is silent.
func startFromStalled(root, group string) error {
	silent, daemon, err := os.Pipe()
	if err != nil {
		return err
	}
	defer silent.Close()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	options := fmt.Sprintf("fd=%d,pgrp=%s,minproto=5,maxproto=5,indirect", daemon.Fd(), group)
	if err := unix.Mount("stalled", filepath.Join(root, "sbin"), "autofs", 0, options); err != nil {
		return err
	}
	begun := make(chan error, 1)
	go func() { begun <- inSlot(context.Background(), root, "run").Start() }()
	asked := make([]byte, 4)
	if _, err := io.ReadFull(silent, asked); err != nil { // somebody waits for the file
		return err
	}
	runtime.GC() // which waits for every thread
	select {
	case err := <-begun:
		fmt.Println("alive", err)
	case <-time.After(2 * time.Second):
		fmt.Println("alive, but the start hangs")
	}
	return nil
}

// TestStalledDiskHoldsNobody: PID 1 goes on while the program that it starts
// waits for its disk.
func TestStalledDiskHoldsNobody(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a file system that stalls")
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "sbin"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{stallRole, root, fmt.Sprint(unix.Getpgrp())}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Cloneflags: syscall.CLONE_NEWNS}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Skipf("the kernel gives us no mount namespace: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-time.After(20 * time.Second):
		err = errors.New("it hangs")
	}
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
	if text := said.String(); strings.Contains(text, "operation not permitted") || strings.Contains(text, "no such device") {
		t.Skipf("no file system that stalls: %s", text)
	}
	if err != nil || said.String() != "alive <nil>\n" {
		t.Errorf("%v, it said %q", err, said.String())
	}
}

// report says what the program that is started may do, and where.
func report() {
	var caps [2]unix.CapUserData
	err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &caps[0])
	only, perr := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	here, werr := os.Getwd()
	fmt.Println(os.Args[1:], here, only, caps[0].Permitted, caps[0].Effective, caps[1].Permitted, errors.Join(err, perr, werr))
}

// TestSlotProgram: it runs in its root, with what it was told and the rights that
// it needs.
func TestSlotProgram(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change the root")
	}
	root := t.TempDir()
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		if f, err := elf.NewFile(bytes.NewReader(self)); err == nil && f.Section(".interp") != nil {
			t.Skip("the test is linked dynamically: CGO_ENABLED=0")
		}
		err = errors.Join(os.Mkdir(filepath.Join(root, "sbin"), 0o755), os.WriteFile(filepath.Join(root, agentBinary), self, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := inSlot(t.Context(), root, "run", "--signs", "3").CombinedOutput()
	const rights = 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW
	if want := fmt.Sprintf("[run --signs 3] / 1 %d %d 0 <nil>\n", rights, rights); err != nil || string(out) != want {
		t.Errorf("it said %q, %v, want %q", out, err, want)
	}
	if err := os.Remove(filepath.Join(root, agentBinary)); err != nil {
		t.Fatal(err)
	}
	out, err = inSlot(t.Context(), root, "run").CombinedOutput()
	if want := "start /sbin/wardkeeper: no such file or directory\n"; exitCode(err) != exitSlot || string(out) != want {
		t.Errorf("without its file: %q, %v, want %q", out, err, want)
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
