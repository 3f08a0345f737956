package agent

import (
	"log/slog"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/health"
)

// TestActOut: who acts out which fault. The hangs, which are every other one, are
// acted out in the image (TestImageTasks).
func TestActOut(t *testing.T) {
	for fault, want := range map[int]string{0: "", 2: "a", 4: "b", 6: "a", 8: "b"} {
		board, got := &health.Board{}, ""
		s := &signs{to: Supervisor{Fault: fault}, board: board, log: slog.New(slog.DiscardHandler), tasks: func() []string { return []string{"a", "b"} }}
		s.actOut()
		for _, task := range s.tasks() {
			func() {
				defer func() {
					if recover() != nil {
						got += task
					}
				}()
				board.Beat(task, 0)
			}()
		}
		if got != want {
			t.Errorf("fault %d: of %q, want %q", fault, got, want)
		}
	}
}
