package agent

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/store"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// The supervisor hears a sign each second, and once that the rules are in place;
// while a task hangs one that says so, and no other.
func TestSignsOfLife(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		heard := &logBook{}
		g.by = Supervisor{Signs: heard}
		g.start()
		g.wait(time.Minute)
		got := heard.String()
		if n := strings.Count(got, "a"); n < 58 || n > 63 || strings.Count(got, "f") != 1 || len(got) != n+1 {
			t.Errorf("signs %q", got)
		}
		// Each task gives beats, so that its hang is seen.
		beating := g.agent.board.Silent(g.agent.clock.Now().Mono+time.Hour, time.Minute)
		want := g.agent.Tasks()
		slices.Sort(want)
		if diff := cmp.Diff(want, beating); diff != "" {
			t.Errorf("tasks that beat (-want +got):\n%s", diff)
		}
		// A task that was there and gives no beat any more.
		g.agent.board.Beat("capture w9", g.agent.clock.Now().Mono)
		before := len(heard.String())
		g.wait(2500 * time.Millisecond)
		if got := strings.Trim(heard.String()[before:], "a"); got != "h" {
			t.Errorf("signs %q within 2.5 s of a hang", heard.String()[before:])
		}
		before = len(heard.String())
		g.wait(30 * time.Second)
		if got := heard.String()[before:]; got != "" {
			t.Errorf("signs %q while a task hangs", got)
		}
		g.agent.board.Beat("capture w9", g.agent.clock.Now().Mono) // nobody has killed it, and it was none
		g.wait(time.Second)
		if got := heard.String()[before:]; strings.Trim(got, "a") != "" || got == "" {
			t.Errorf("signs %q after it", got)
		}
		g.stop()
		if got := heard.String(); strings.Index(got, "e") != len(got)-1 {
			t.Errorf("signs %q until its end", got)
		}
	})
}

// A task that waits for others is slow, and does not hang: nobody may kill an agent
// for its broker or its terminal.
func TestSlowIsNoHang(t *testing.T) {
	for name, slow := range map[string]func(g *gateway){
		"all is well":                     func(*gateway) {},
		"a broker that refuses":           func(g *gateway) { g.broker.down = true },
		"a broker that is not there":      func(g *gateway) { g.broker.away = time.Hour },
		"a broker that is far away":       func(g *gateway) { g.broker.away, g.broker.mute = 9*time.Second, true },
		"a broker that says nothing":      func(g *gateway) { g.broker.mute = true },
		"a terminal that stops its line":  func(g *gateway) { g.line.Stick(true) },
		"a terminal that is gone":         func(g *gateway) { g.line.HangUp() },
		"ports that are gone":             func(g *gateway) { g.host.Ports.Remove("w1") },
		"a kernel that refuses all rules": func(g *gateway) { g.host.Firewall.Inject(slices.Repeat([]fake.Fault{fake.Refused}, 500)...) },
	} {
		t.Run(name, func(t *testing.T) {
			inGateway(t, enforced, func(g *gateway) {
				heard := &logBook{}
				g.by = Supervisor{Signs: heard}
				slow(g)
				g.start()
				longest := map[string]time.Duration{}
				for range 3000 { // of 100 ms
					g.wait(100 * time.Millisecond)
					for d := 500 * time.Millisecond; d < time.Minute; d += 500 * time.Millisecond {
						for _, task := range g.agent.board.Silent(g.agent.clock.Now().Mono, d) {
							longest[task] = max(longest[task], d)
						}
					}
				}
				t.Log(longest)
				if n := strings.Count(heard.String(), "a"); n < 295 || strings.Contains(heard.String(), "h") {
					t.Errorf("%d signs in 300 s, %d hangs", n, strings.Count(heard.String(), "h"))
				}
			})
		})
	}
}

// A flash that takes seconds for a commit holds up whoever reads or writes, and
// nobody hangs. It is in real time: what waits for the database waits at a mutex.
func TestSlowDiskIsNoHang(t *testing.T) {
	t.Parallel()
	g, heard := newGateway(t, t.TempDir(), enforced), &logBook{}
	a, err := New(t.Context(), g.config(), g.platform(), slog.New(slog.NewTextHandler(g.log, nil)), Build{Version: "test"}, Supervisor{Signs: heard})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	for !strings.Contains(heard.String(), "af") && !strings.Contains(heard.String(), "fa") {
		time.Sleep(10 * time.Millisecond)
	}
	err = a.store.Update(func(*store.Tx) error {
		a.recent.Emit(event.Event{Class: event.Alert, At: a.clock.Now(), Body: event.Warning{Signal: "test"}}) // outbox commits it
		time.Sleep(4 * time.Second)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if strings.Contains(heard.String(), "h") {
		t.Errorf("signs %q, log:\n%s", heard, g.log)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A box that PID 1 let through without rules says so, on the console and to the
// broker, until its rules are in the kernel and were read back.
func TestRescueIsToldUntilTheRulesAreThere(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		heard := &logBook{}
		g.by = Supervisor{Signs: heard, Rescue: "no rules after 10s"}
		for range 300 {
			g.host.Firewall.Inject(fake.FailedRead)
		}
		g.start()
		g.wait(10 * time.Second)
		if !slices.Contains(g.conditions(), "rescue") || strings.Contains(heard.String(), "f") {
			t.Errorf("conditions %v, signs %q", g.conditions(), heard.String())
		}
		g.shows("show status", "nothing is filtered", "no rules after")
		alerts := g.broker.of(t, "alert")
		if len(alerts) != 1 || !strings.Contains(alerts[0], `"signal":"rescue"`) {
			t.Errorf("alerts %q", alerts)
		}
		for len(g.host.Firewall.Pending()) > 0 {
			g.wait(time.Minute)
		}
		g.wait(time.Minute)
		if got := g.conditions(); len(got) > 0 || strings.Count(heard.String(), "f") != 1 {
			t.Errorf("conditions %v, signs %q", got, heard.String())
		}
	})
}

// What PID 1 found wrong with the data partition stands on the console and goes
// to the broker, for as long as the agent runs.
func TestDataPartitionIsToldOf(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.by = Supervisor{Signs: &logBook{}, Data: "what is kept is lost at the next restart: no ext4 file system"}
		g.start()
		g.wait(time.Minute)
		if !slices.Contains(g.conditions(), "data") {
			t.Errorf("conditions %v", g.conditions())
		}
		g.shows("show status", "lost at the next")
		if alerts := g.broker.of(t, "alert"); len(alerts) != 1 || !strings.Contains(alerts[0], `"signal":"data"`) {
			t.Errorf("alerts %q", alerts)
		}
	})
}

// brokenLine is a supervisor that is gone.
type brokenLine struct{ bytes.Buffer }

func (*brokenLine) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// An agent whose supervisor is gone ends: a second one will be started.
func TestSupervisorGone(t *testing.T) {
	inGateway(t, "", func(g *gateway) {
		g.by = Supervisor{Signs: &brokenLine{}}
		g.start()
		err := g.end()
		g.end = nil
		time.Sleep(time.Minute)
		if err == nil || err.Error() != "task signs: give a sign: broken pipe" {
			t.Errorf("error %v", err)
		}
	})
}
