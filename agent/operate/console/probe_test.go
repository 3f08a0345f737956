package console

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// TestSizeProbe: a terminal that answers in time gets pages of its own height;
// one that does not, answers late, or answers nonsense, pages of 24 rows.
func TestSizeProbe(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		after        time.Duration
		page         int // lines
	}{
		{"no answer", "", 0, 22},
		{"as usual", "\x1b[24;80R", 0, 22},
		{"large", "\x1b[43;132R", 200 * time.Millisecond, 41},
		{"late", "\x1b[43;132R", 400 * time.Millisecond, 22},
		{"tiny", "\x1b[1;1R", 0, leastRows - 2},
		{"huge", "\x1b[9999;9999R", 0, mostRows - 2},
		{"nonsense", "\x1b[;R", 0, 22},
		{"endless", "\x1b[" + strings.Repeat("9", 1000) + ";80R", 0, 22},
		{"twice", "\x1b[30;80R\x1b[50;80R", 0, 28},
	} {
		t.Run(c.name, func(t *testing.T) {
			rig(t, ward{devices: 250}, func(t *testing.T, s *screen, _ *fake.Serial, _ *health.Board) {
				if strings.Contains(s.raw(), sizeProbe) {
					t.Error("the terminal is asked before anybody is there")
				}
				s.typed(t, "s")
				time.Sleep(c.after)
				s.typed(t, c.answer)
				s.typed(t, "h devices\r")
				got := s.String()
				if !strings.Contains(got, "--more--") {
					t.Fatalf("%q", got)
				}
				if n := strings.Count(got[strings.Index(got, "\r\nid "):strings.Index(got, "--more--")], "\n"); n != c.page {
					t.Errorf("%d lines, want %d", n, c.page)
				}
				if n := strings.Count(s.raw(), sizeProbe); n != 1 {
					t.Errorf("asked %d times, want once a session", n)
				}
				harmless(t, got)
			})
		})
	}
}

// TestSizeOfTheNextTerminal: behind each banner sits perhaps another one; the
// answer may come while an answer of ours waits for a key.
func TestSizeOfTheNextTerminal(t *testing.T) {
	rig(t, ward{devices: 250}, func(t *testing.T, s *screen, _ *fake.Serial, _ *health.Board) {
		s.typed(t, "?\x1b[50;80R")
		s.line.Break()
		synctest.Wait()
		before := len(s.String())
		s.typed(t, "show devices\r\x1b[30;80R ")
		got := s.String()[before:]
		pages := strings.Split(got, "--more--")
		if len(pages) != 3 || strings.Count(pages[0], "\n") != 22 || strings.Count(pages[1], "\n") != 28 {
			t.Errorf("%d pages:\n%s", len(pages)-1, got)
		}
		if n := strings.Count(s.raw(), sizeProbe); n != 2 {
			t.Errorf("asked %d times, want 2", n)
		}
	})
}

// opening runs a console whose break-glass is watched.
func opening(t *testing.T, f func(t *testing.T, s *screen, l *latch)) {
	l := &latch{}
	rigWith(t, func() Options { o := parts(ward{glass: l}); o.Glass = l; return o },
		func(t *testing.T, s *screen, _ *fake.Serial, _ *health.Board) { f(t, s, l) })
}

// TestNothingOpensByAccident: no noise on the line, no Enter too many, nobody
// who comes later opens a gateway that somebody was asked about.
func TestNothingOpensByAccident(t *testing.T) {
	noise := make([]byte, 10<<20)
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	for name, then := range map[string]func(t *testing.T, s *screen){
		"noise":    func(t *testing.T, s *screen) { s.typed(t, string(noise)) },
		"CR storm": func(t *testing.T, s *screen) { s.typed(t, strings.Repeat("\r", 100<<10)) },
		"BREAK":    func(t *testing.T, s *screen) { s.line.Break(); synctest.Wait(); s.typed(t, "open\r") },
		"Ctrl-C":   func(t *testing.T, s *screen) { s.typed(t, "ope\x03open\r") },
		"left":     func(t *testing.T, s *screen) { time.Sleep(idleLimit + time.Second); s.typed(t, "open\r") },
		"no":       func(t *testing.T, s *screen) { s.typed(t, "opened\ropen\r") },
		"command":  func(t *testing.T, s *screen) { s.typed(t, "show status\ropen\r") },
	} {
		t.Run(name, func(t *testing.T) {
			opening(t, func(t *testing.T, s *screen, l *latch) {
				s.typed(t, "break-glass 10\r")
				then(t, s)
				s.typed(t, "\x03") // takes with it what stands behind it in the line
				s.typed(t, "show denies\r")
				if got := s.String(); !strings.Contains(got[max(0, len(got)-600):], "41 packets denied") {
					t.Error("the console does not work afterwards")
				}
				if len(l.did) > 0 {
					t.Errorf("%v", l.did)
				}
			})
		})
	}
}

// TestStuckTerminalOpens: who cannot see the answer is asked, and obeyed, all
// the same; and the console lives.
func TestStuckTerminalOpens(t *testing.T) {
	opening(t, func(t *testing.T, s *screen, l *latch) {
		s.line.Stick(true)
		s.typed(t, "break-glass 10\r")
		time.Sleep(time.Minute)
		s.typed(t, "open\r")
		time.Sleep(time.Minute)
		s.line.Stick(false)
		s.typed(t, "break-glass off\r")
		if diff := cmp.Diff([]string{"console opens for 10m0s", "console closes"}, l.did); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := s.String(); !strings.Contains(got, "[output was dropped") {
			t.Errorf("%q", got)
		}
	})
}

// acts collects what goes to the audit.
type acts struct{ got []event.Act }

func (a *acts) Emit(e event.Event) {
	if act, ok := e.Body.(event.Act); ok && e.Class == event.Audit {
		a.got = append(a.got, act)
	}
}

// TestCodesAreAudited: who showed a code is told, and how long it is good; the
// code itself stands on the screen only.
func TestCodesAreAudited(t *testing.T) {
	var a acts
	o := parts(ward{})
	o.Events = &a
	s := shell{Options: o}
	answer := s.execute(t.Context(), "show code 00:00:5e:00:53:01")
	at := strings.Index(answer, "code      ")
	if at < 0 {
		t.Fatal(answer)
	}
	code := answer[at+10 : at+19]
	if len(a.got) != 1 || a.got[0].Act != "code" || a.got[0].Who != "console" || a.got[0].Device != "00:00:5e:00:53:01" || a.got[0].Seconds != 600 {
		t.Errorf("%+v", a.got)
	}
	if log := strings.Join(o.Journal.Last(10), "\n"); strings.Contains(log, code) || !strings.Contains(log, "a one-time code was shown") {
		t.Errorf("log: %s", log)
	}
	if !o.Codes.Use("00:00:5e:00:53:01", code, o.Clock.Now().Mono) {
		t.Errorf("%q is no good", code)
	}
	for range 4 {
		s.execute(t.Context(), "show code st-mary-7b")
	}
	if got := s.execute(t.Context(), "show code st-mary-7b"); got != "Too many codes were asked for: try again in a minute.\r\n" || len(a.got) != 5 {
		t.Errorf("%q, %d audited", got, len(a.got))
	}
}

// TestGlassThatHangs: the kernel's silence ends by itself.
func TestGlassThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := parts(ward{})
		o.Glass = hanging{}
		s := shell{Options: o}
		s.line(t.Context(), "break-glass 5")
		began := time.Now()
		if got := s.line(t.Context(), "open"); got != "NOT OPEN, as far as is known: context deadline exceeded\r\n" || time.Since(began) != actLimit {
			t.Errorf("%q after %v", got, time.Since(began))
		}
	})
}

type hanging struct{}

func (hanging) BreakGlass(ctx context.Context, _ time.Duration, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}
func (hanging) EndBreakGlass(context.Context, string) error { return errors.ErrUnsupported }

// port counts what is written.
type port struct {
	platform.SerialPort
	writes int
	text   strings.Builder
}

func (p *port) Write(b []byte) (int, error) {
	p.writes++
	return p.text.Write(b)
}

// TestEchoInOne: what was read at once is echoed at once. In QEMU, where a write
// takes longest, noise kept the console busy for minutes after it.
func TestEchoInOne(t *testing.T) {
	p := &port{}
	s := session{term: terminal{port: p, busy: func() {}}, shell: shell{Options: parts(ward{})}, rows: usualRows}
	if err := s.keys(t.Context(), []byte("shwo\b\bow polzz\b\b")); err != nil {
		t.Fatal(err)
	}
	if got := p.text.String(); p.writes != 1 || got != "shwo\b \b\b \bow polzz\b \b\b \b" {
		t.Errorf("%q in %d writes", got, p.writes)
	}
}
