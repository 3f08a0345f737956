package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// maxOutput is how much of what the program says is kept, in bytes.
const maxOutput = 4096

// patience is how long whoever holds its output may do so once it has ended.
const patience = time.Second

// Ended is how a program ended.
type Ended struct {
	Started bool
	Code    int    // exit status; -1: a signal ended it, or its time was over
	Output  []byte // the first bytes of stdout and stderr together
}

// Run starts argv, hands it stdin and waits until it ends, at most limit; then
// its process group is killed. The error says why it did not start, or that it
// ended with another status than 0.
func Run(ctx context.Context, argv []string, stdin []byte, limit time.Duration) (Ended, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// The kernel ends the program with the thread that started it (see attr).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out head
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"} // nothing of ours
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &out
	cmd.SysProcAttr = attr()
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		return Ended{Code: -1}, fmt.Errorf("start %s: %w", argv[0], err)
	}
	err := cmd.Wait()
	// What it left behind would act when nobody expects it any more.
	_ = killGroup(cmd.Process.Pid) // mostly there is nobody
	e := Ended{Started: true, Code: cmd.ProcessState.ExitCode(), Output: out.kept}
	if errors.Is(err, exec.ErrWaitDelay) { // it ended well, and others held its output
		err = nil
	}
	switch {
	case ctx.Err() != nil:
		return Ended{Started: true, Code: -1, Output: out.kept}, fmt.Errorf("run %s: %w", argv[0], ctx.Err())
	case err != nil:
		return e, fmt.Errorf("run %s: %w", argv[0], err)
	}
	return e, nil
}

func killGroup(leader int) error { return syscall.Kill(-leader, syscall.SIGKILL) }

// head keeps the first bytes and takes the rest: a program that talks much is
// not held.
type head struct{ kept []byte }

func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), maxOutput-len(h.kept))]...)
	return len(p), nil
}
