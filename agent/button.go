package agent

import (
	"fmt"
	"os"
	"time"
)

// button is the file in which PID 1 notes the last press of the break-glass
// button: when it was, and when what it opened ends, in milliseconds since boot.
type button struct{ file string }

// Pressed reads it. What cannot be read is as good as not there: what the button
// opened is in the kernel's rules, and audited from there.
func (b button) Pressed() (at, until time.Duration, ok bool) {
	f, err := os.Open(b.file)
	if err != nil {
		return 0, 0, false
	}
	defer f.Close()
	var from, to int64
	if _, err := fmt.Fscanf(f, "%d %d\n", &from, &to); err != nil || from < 0 || to <= from {
		return 0, 0, false
	}
	return time.Duration(from) * time.Millisecond, time.Duration(to) * time.Millisecond, true
}

// Forget removes it.
func (b button) Forget() { _ = os.Remove(b.file) } // what stays is told once more
