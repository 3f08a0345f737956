package console

import (
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	// piece is written at once; at 1200 baud it takes a second.
	piece = 128
	// stuckAfter is how long a piece may take before the terminal counts as
	// stuck and the output is dropped.
	stuckAfter = 3 * time.Second
)

const droppedNotice = "\r\n[output was dropped: the terminal did not take it]\r\n"

// terminal writes to a port without ever waiting for long.
type terminal struct {
	port    platform.SerialPort
	busy    func() // called before each piece: on a slow or stuck line they take long, and it is no hang
	dropped bool   // since the last write that went through
}

// write sends text in pieces. Between two it asks stop, and leaves the rest if
// that says so. The error ends the session; a stuck line is none.
func (t *terminal) write(text string, stop func() bool) error {
	if t.dropped {
		text = droppedNotice + text
	}
	for len(text) > 0 {
		n := min(piece, len(text))
		t.busy()
		stuck, err := t.bounded([]byte(text[:n]))
		if stuck {
			t.dropped = true
			return nil
		}
		if err != nil {
			return err
		}
		t.dropped = false
		text = text[n:]
		if stop != nil && stop() {
			return nil
		}
	}
	return nil
}

// bounded writes one piece. A timer moves the deadline into the past: so no
// wall clock is involved, which may jump.
func (t *terminal) bounded(b []byte) (stuck bool, err error) {
	var mu sync.Mutex
	done := false
	timer := time.AfterFunc(stuckAfter, func() {
		mu.Lock()
		defer mu.Unlock()
		if !done {
			stuck = true
			t.port.SetWriteDeadline(time.Unix(1, 0))
		}
	})
	_, err = t.port.Write(b)
	timer.Stop()
	mu.Lock()
	defer mu.Unlock()
	done = true
	if !stuck {
		return false, err
	}
	return true, t.port.SetWriteDeadline(time.Time{})
}
