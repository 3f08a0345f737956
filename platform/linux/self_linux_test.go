package linux

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// TestKeepMemory is tried in a child: there is no way back.
func TestKeepMemory(t *testing.T) {
	const child = "WARDKEEPER_TEST_KEEPS_MEMORY"
	if os.Getenv(child) == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestKeepMemory$")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if err := KeepMemory(); err != nil {
		t.Fatal(err)
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core != (unix.Rlimit{}) {
		t.Errorf("RLIMIT_CORE %+v, %v", core, err)
	}
	if dumps, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumps != 0 {
		t.Errorf("PR_GET_DUMPABLE %d, %v", dumps, err)
	}
	// It can still start itself, and knows how much memory it has.
	if err := exec.Command("/proc/self/exe", "-test.run=^$").Run(); err != nil {
		t.Error(err)
	}
	if _, err := (self{}).Memory(); err != nil {
		t.Error(err)
	}
}
