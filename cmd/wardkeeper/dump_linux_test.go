package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCrashLeavesNoMemory: the agent's memory holds frames, and so patients. No
// crash puts it into a file, whatever whoever started it asks for.
func TestCrashLeavesNoMemory(t *testing.T) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &before); err != nil {
		t.Fatal(err)
	}
	// Where the hard limit is 0 the kernel writes no core file by itself.
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: before.Max, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &before) }()
	b, dir := newBox(t, "mqtt://127.0.0.1:1"), t.TempDir()
	said, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "run", "--config", b.config)
	cmd.Env, cmd.Dir, cmd.Stderr, cmd.SysProcAttr = append(os.Environ(), asAgent+"=1", "GOTRACEBACK=crash"), dir, said, ownNamespaces()
	if err := cmd.Start(); err != nil {
		t.Skipf("the kernel gives us no user namespace: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	words := func() string { s, _ := os.ReadFile(said.Name()); return string(s) }
	for asked := false; ; {
		select {
		case <-ended:
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if files, err := os.ReadDir(dir); err != nil || len(files) > 0 || status.CoreDump() {
				t.Errorf("it left %v, %v; %v", files, err, cmd.ProcessState)
			}
			if !strings.Contains(words(), "SIGQUIT: quit") || status.Signal() != syscall.SIGABRT {
				t.Errorf("it did not crash: %v\n%s", cmd.ProcessState, words())
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
		if !asked && strings.Contains(words(), "agent starts") {
			asked = true
			if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
				t.Fatal(err)
			}
		}
	}
}
