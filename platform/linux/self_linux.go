package linux

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	// stderrTail is how much of a child's last words is kept, in bytes.
	stderrTail = 2 << 10
	// killDelay is how long a killed child's output may stay open.
	killDelay = time.Second
)

// self is this process. It is the only place that starts another.
type self struct{}

var _ platform.Self = self{}

// Run starts the binary that this process is, also if the file was replaced.
func (self) Run(ctx context.Context, args ...string) error {
	var last tail
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	// A fault is told in two lines; the stacks behind it would push them out.
	cmd.Env = append(os.Environ(), "GOTRACEBACK=none")
	cmd.Stderr = &last
	cmd.WaitDelay = killDelay
	err := cmd.Run()
	if ended := ctx.Err(); err != nil && ended != nil {
		err = ended
	}
	if err == nil {
		return nil
	}
	words := strings.TrimSpace(string(last.b))
	if words == "" {
		return fmt.Errorf("run %s: %w", strings.Join(args, " "), err)
	}
	return fmt.Errorf("run %s: %w: %s", strings.Join(args, " "), err, words)
}

// KeepMemory has no core file made of this process, whose memory holds frames.
// RLIMIT_CORE = 0 also keeps its children from making one; it does not count
// where the kernel hands cores to a program, which PR_SET_DUMPABLE forbids, as it
// does that another process reads the memory (prctl(2), core(5)).
func KeepMemory() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core files of this process: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid dumps of this process: %w", err)
	}
	return nil
}

// Memory reads proc_pid_statm(5): the second number is the resident set in pages.
func (self) Memory() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("read memory of this process: %w", err)
	}
	var size, resident uint64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0, fmt.Errorf("read memory of this process: %w", err)
	}
	return resident * uint64(os.Getpagesize()), nil
}

// tail keeps the last bytes that were written.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	t.b = append(t.b, p[max(0, n-stderrTail):]...)
	if over := len(t.b) - stderrTail; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return n, nil
}
