package fake

import (
	"os"
	"sync"
	"time"
)

// lineBuffer is what a line holds in each direction until somebody reads it.
const lineBuffer = 4096

// Line is the far end of a serial line: the terminal.
type Line struct {
	device string

	mu            sync.Mutex
	in, out       []byte // to and from the box
	open          bool   // somebody holds the near end
	stuck, hungUp bool
	deadline      time.Time // for reading
	changed       signal
}

// Read reads what the box wrote.
func (l *Line) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.await(&l.deadline, func() bool { return len(l.out) > 0 }); err != nil {
		return 0, err
	}
	return take(&l.out, b, &l.changed), nil
}

// Write sends to the box, and waits while the line is full.
func (l *Line) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	forever := time.Time{}
	for written := 0; ; {
		if err := l.await(&forever, func() bool { return len(l.in) < lineBuffer }); err != nil {
			return written, err
		}
		written += put(&l.in, b[written:], &l.changed)
		if written == len(b) {
			return written, nil
		}
	}
}

// SetReadDeadline bounds every Read.
func (l *Line) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	l.changed.wake()
	return nil
}

// Break sends a BREAK: the box reads it as one NUL.
func (l *Line) Break() {
	l.mu.Lock()
	defer l.mu.Unlock()
	put(&l.in, []byte{0}, &l.changed)
}

// Stick makes the line take not one byte more from the box, as a terminal that
// was stopped and forgotten would when the kernel's buffer is full.
func (l *Line) Stick(stuck bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stuck = stuck
	l.changed.wake()
}

// HangUp ends the line: the box reads what was sent, then the end.
func (l *Line) HangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hungUp = true
	l.changed.wake()
}

// await waits until ready, at most until the deadline, which may change
// meanwhile; zero is for ever. The lock is held, but not while it waits.
func (l *Line) await(deadline *time.Time, ready func() bool) error {
	for !ready() {
		var late <-chan time.Time
		if at := *deadline; !at.IsZero() {
			left := time.Until(at)
			if left <= 0 {
				return os.ErrDeadlineExceeded
			}
			late = time.After(left)
		}
		changed := l.changed.wait()
		l.mu.Unlock()
		select {
		case <-changed:
		case <-late:
		}
		l.mu.Lock()
	}
	return nil
}

// put appends as much of b as there is room for.
func put(buffer *[]byte, b []byte, changed *signal) int {
	n := min(len(b), lineBuffer-len(*buffer))
	*buffer = append(*buffer, b[:n]...)
	changed.wake()
	return n
}

// take moves to b what is there.
func take(buffer *[]byte, b []byte, changed *signal) int {
	n := copy(b, *buffer)
	*buffer = (*buffer)[n:]
	changed.wake()
	return n
}
