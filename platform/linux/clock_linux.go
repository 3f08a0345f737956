package linux

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// clock is the kernel's time.
type clock struct{ boot string }

var _ platform.Clock = clock{}

// newClock reads the boot's id once: it cannot change under a process.
func newClock() clock {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return clock{} // no /proc: one boot cannot be told from another
	}
	return clock{boot: strings.TrimSpace(string(id))}
}

// Now is the wall clock.
func (clock) Now() time.Time { return time.Now() }

// Mono is the time since boot; CLOCK_BOOTTIME goes on while suspended.
func (clock) Mono() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0 // only a bad pointer or a kernel before 2.6.39
	}
	return time.Duration(ts.Nano())
}

// Synced asks the kernel what its NTP client last told it.
func (clock) Synced() bool {
	var state unix.Timex // no modes: read only, needs no privilege
	_, err := unix.Adjtimex(&state)
	return err == nil && state.Status&unix.STA_UNSYNC == 0
}

// BootID names this boot.
func (c clock) BootID() string { return c.boot }
