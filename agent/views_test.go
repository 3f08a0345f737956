package agent

import (
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/observe/capture"
)

// TestLostPortIsNotShownAsCaptured: the capture remembers the mode of its last
// opening, which must not look as if it went on.
func TestLostPortIsNotShownAsCaptured(t *testing.T) {
	var a Agent
	for _, port := range []string{"w1", "w2"} {
		if got := a.mode(capture.Status{Port: port, Mode: "ring"}); got != "ring" {
			t.Errorf("%s: %q before anything is wrong", port, got)
		}
	}
	a.board.Set(health.Condition{Code: "capture.port_gone:w1", Severity: health.Failure})
	if got := a.mode(capture.Status{Port: "w1", Mode: "ring"}); got != "" {
		t.Errorf("w1 is gone and shown as %q", got)
	}
	if got := a.mode(capture.Status{Port: "w2", Mode: "ring"}); got != "ring" {
		t.Errorf("w2 is well and shown as %q", got)
	}
}
