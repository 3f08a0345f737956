package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// What the agent starts, hooks of NAC, must not speak with PID 1 in its name: a
// byte there has the gateway start anew.
func TestSignsAreNotInherited(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fd, err := syscall.Dup(int(w.Fd())) // as PID 1 hands it over: it outlives exec
	if err != nil {
		t.Fatal(err)
	}
	seen := func() bool {
		t.Helper()
		out, err := exec.Command("/bin/ls", "-l", "/proc/self/fd").Output()
		if err != nil {
			t.Fatal(err)
		}
		name, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(out), name)
	}
	if !seen() {
		t.Fatal("not inherited to begin with")
	}
	f := signsFile(fd)
	defer f.Close()
	if seen() {
		t.Error("a program that the agent starts has it, too")
	}
}
