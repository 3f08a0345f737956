package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFeeder: what feeds the watchdog and what starves it, and that a state is
// said once.
func TestFeeder(t *testing.T) {
	heard, err := os.Create(filepath.Join(t.TempDir(), "kmsg"))
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	fed := 0
	refuse := error(nil)
	f := newFeeder(nil, func() error { fed++; return refuse }, &speaker{kmsg: heard})
	for _, c := range []struct {
		name   string
		answer error
		refuse error
		fed    bool
		said   string // "": nothing new
	}{
		{"well", nil, nil, true, ""},
		{"one port is down", degraded{errors.New("port eth2 is down")}, nil, true, "the watchdog is fed, but: port eth2 is down"},
		{"still", degraded{errors.New("port eth2 is down")}, nil, true, ""},
		{"nothing is forwarded", errors.New("bridge br0 is down"), nil, false, "the watchdog is not fed: bridge br0 is down"},
		{"well again", nil, nil, true, "the ward is connected, the watchdog is fed"},
		{"the dog refuses", nil, errors.New("input/output error"), true, "the watchdog is not fed: input/output error"},
	} {
		before, was := fed, text(t, heard)
		refuse = c.refuse
		f.answered(c.answer)
		if (fed > before) != c.fed {
			t.Errorf("%s: fed %v, want %v", c.name, fed > before, c.fed)
		}
		said := strings.TrimPrefix(text(t, heard), was)
		if !strings.Contains(said, c.said) || c.said == "" && said != "" {
			t.Errorf("%s: said %q, want %q", c.name, said, c.said)
		}
	}
}

func text(t *testing.T, f *os.File) string {
	t.Helper()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestWatchdogThatRefusesItsTime: it runs, and whoever opened it must feed it.
func TestWatchdogThatRefusesItsTime(t *testing.T) {
	dev := filepath.Join(t.TempDir(), "watchdog") // a file knows no WDIOC_SETTIMEOUT
	if err := os.WriteFile(dev, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := &box{say: newSpeaker()}
	b.board.Watchdog.Device, b.board.Watchdog.Seconds = dev, 30
	b.openWatchdog()
	b.step("something", nil)
	if got, err := os.ReadFile(dev); err != nil || len(got) == 0 {
		t.Errorf("not fed by a step of the boot: %q, %v", got, err)
	}
}

// TestRescueIsSaidWhateverItsReason: the kernel's log refuses long records, and
// the reason is an argument of the agent.
func TestRescueIsSaidWhateverItsReason(t *testing.T) {
	heard, err := os.Create(filepath.Join(t.TempDir(), "kmsg"))
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	s := &speaker{kmsg: heard}
	long := strings.Repeat("rules: step failed, reading back\n", 200) + "wardkeeper: load policy 4: " + strings.Repeat("x", 5000)
	s.alarm("RESCUE: %v", long)
	if got := text(t, heard); len(got) > 900 || !strings.HasPrefix(got, "<3>wardinit: RESCUE: rules") {
		t.Errorf("%d bytes: %.60q", len(got), got)
	}
	if got := lastWords(long); len(got) != 300 || strings.Contains(got, "\n") {
		t.Errorf("last words of %d bytes", len(got))
	}
	if got := lastWords("a\nwardkeeper: no such file\n"); got != "wardkeeper: no such file" {
		t.Errorf("last words %q", got)
	}
}
