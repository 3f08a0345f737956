package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestButtonFile(t *testing.T) {
	b := button{filepath.Join(t.TempDir(), "button")}
	for text, want := range map[string]bool{"3609900 5409900\n": true, "": false, "1\n": false, "2 1\n": false, "-5 1\n": false, "a b\n": false} {
		if err := os.WriteFile(b.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		at, until, ok := b.Pressed()
		if ok != want || ok && (at != 3609900*time.Millisecond || until != 5409900*time.Millisecond) {
			t.Errorf("%q: %s %s %v", text, at, until, ok)
		}
	}
	b.Forget()
	b.Forget()
	if _, _, ok := b.Pressed(); ok {
		t.Error("a record that is gone was read")
	}
}

// A press that PID 1 noted while the agent was dead reaches the broker.
func TestButtonPressIsTold(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		file := filepath.Join(t.TempDir(), "button")
		g.by = Supervisor{Signs: &logBook{}, Button: file}
		if err := os.WriteFile(file, []byte("1 1000\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		g.wait(time.Minute)
		g.start()
		g.wait(time.Minute)
		if got := g.broker.of(t, "act"); len(got) != 1 || !strings.Contains(got[0], `"act":"break-glass","who":"button"`) {
			t.Errorf("audit %q", got)
		}
		if _, err := os.Stat(file); err == nil {
			t.Error("the record is still there")
		}
	})
}
