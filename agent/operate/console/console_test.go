package console

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/health/healthtest"
	"github.com/wardkeeper/wardkeeper/agent/operate/onsite"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// screen is the far end of the line, with somebody who looks at it.
type screen struct {
	line *fake.Line
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) watch() {
	buf := make([]byte, 1024)
	for {
		n, err := s.line.Read(buf)
		s.mu.Lock()
		s.text.Write(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// raw is all that came.
func (s *screen) raw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// String is what a terminal shows.
func (s *screen) String() string { return strings.ReplaceAll(s.raw(), sizeProbe, "") }

// parts are the options of a console that looks at src; tests may change them.
func parts(src Source) Options {
	journal := NewJournal(slog.NewTextHandler(io.Discard, nil), 100)
	return Options{Device: "ttyS0", Baud: 115200, Source: src, Clock: clock.New(fake.New().Clock, time.Time{}), Board: &health.Board{}, Log: slog.New(journal),
		BreakGlass: glassOpen, Codes: onsite.NewCodes(), Journal: journal, Events: &sink{}}
}

// rig runs a console in a synctest bubble until the end of f.
func rig(t *testing.T, src Source, f func(t *testing.T, s *screen, serial *fake.Serial, board *health.Board)) {
	t.Helper()
	rigWith(t, func() Options { return parts(src) }, f)
}

// rigWith does so with other options, made in the bubble.
func rigWith(t *testing.T, with func() Options, f func(t *testing.T, s *screen, serial *fake.Serial, board *health.Board)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		serial := fake.New().Serial
		s := &screen{line: serial.Add("ttyS0")}
		opt := with()
		opt.Serial = serial
		board := opt.Board
		c := New(opt)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx) }()
		<-c.Ready()
		watching := make(chan struct{})
		go func() { defer close(watching); s.watch() }()
		synctest.Wait()
		f(t, s, serial, board)
		cancel()
		began := time.Now()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d > time.Second {
			t.Errorf("Run took %v to end", d)
		}
		s.line.SetReadDeadline(time.Unix(1, 0))
		<-watching
	})
}

func (s *screen) typed(t *testing.T, keys string) {
	t.Helper()
	if _, err := s.line.Write([]byte(keys)); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// Transcripts of whole sessions. UPDATE_GOLDEN=1 writes them anew, for a person
// to read.
func TestTranscripts(t *testing.T) {
	tests := []struct {
		name  string
		src   ward
		keys  string
		glass string // [console] break_glass, "" for open
	}{
		{name: "first-look", src: ward{}, keys: "?help\rsh st\rsh ?\r\x03show devices\rshow device 53:01\rshow device 00:00:5e:00:53:01\r"},
		{name: "policy-and-denies", src: ward{}, keys: "show policy\rshow denies\rshow uplink\rshow devices print\rshow device 00:00:5e:00:53:02\r"},
		{name: "unhealthy", src: ward{unhealthy: true}, keys: "show status\rshow uplink\rshow request\r"},
		{name: "quiet", src: ward{quiet: true}, keys: "show status\rshow devices\rshow policy\rshow denies\rshow uplink\rshow request\r"},
		{name: "editing", src: ward{}, keys: "shwo\b\bow stat\tx\x7f\rsh\t\tde\t\x15" + "show policy now\rshow device\rshow dev\rfoo\rshow bar\rshow devices nothing\r\r\n\nshow policy\x03" +
			"\x1b[A\x1b[D\x1bOPshow denies nothing \x17\x17\x17help x\rshow status ?" + "\x15show device ?\x15show f?\x0c" + "\x15" + "show\r"},
		{name: "hostile-names", src: ward{hostile: true}, keys: "show devices evil\rshow device evil\r"},
		{name: "long-list", src: ward{devices: 250}, keys: "show devices workstation\r \r\nqshow devices\r\x03show devices\rshow device 00:00:5e:00:54\r"},
		{name: "firmware-clock-log", src: ward{}, keys: "show firmware\rshow clock\rshow log\rshow log 2\rshow log 0\rshow log x\r"},
		{name: "rescue", src: ward{unhealthy: true}, keys: "show firmware\rshow clock\r"},
		{name: "code", src: ward{}, keys: "show code\rshow code 53:01\rshow code 53\rshow code 00:00:5e:00:53:01\rshow code st-mary-7b\rshow code nobody\r"},
		{name: "break-glass", src: ward{glass: &latch{}}, keys: "br\rbreak-glass 0\rbreak-glass 61\rbreak-glass x\rbr 30\r\rbr 30\r?\tno\rshow status\rbr 30\rope\x03br 30\ropen\r" +
			"show status\rshow policy\rbr 5\r OPEN \rbr off\rshow policy\r"},
		{name: "break-glass-challenge", src: ward{glass: &latch{}}, keys: "break-glass 30\ropen\rbreak-glass off\r", glass: "challenge"},
		{name: "break-glass-off", src: ward{glass: &latch{}}, keys: "break-glass 30\ropen\rbreak-glass off\r", glass: "off"},
		{name: "break-glass-fails", src: ward{glass: &latch{err: errors.New("open the gateway: read it back: no buffer space")}}, keys: "break-glass 30\ropen\rbreak-glass off\r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rigWith(t, func() Options {
				o := parts(tt.src)
				o.Glass, o.BreakGlass = tt.src.glass, cmp.Or(tt.glass, glassOpen)
				for _, l := range []string{"agent starts", "port is not observed", "evil\x1b[2J", strings.Repeat("a long line ", 12)} {
					r := slog.NewRecord(at0(7), slog.LevelWarn, l, 0)
					r.Add("task", "capture w1")
					_ = o.Journal.Handle(t.Context(), r)
				}
				return o
			}, func(t *testing.T, s *screen, _ *fake.Serial, _ *health.Board) {
				for _, k := range tt.keys { // as a person types
					s.typed(t, string(k))
				}
				got := s.String()
				harmless(t, got)
				if strings.Contains(got, "canary") || strings.Contains(got, "SECRET") {
					t.Error("a name or serial number is on the screen")
				}
				got = strings.NewReplacer(wipe(), "<WIPE>", "\r\n", "\n", "\b", "<BS>", "\a", "<BEL>").Replace(got) + "\n"
				got = regexp.MustCompile(`code {6}[2-9A-Z]{4}-[2-9A-Z]{4}`).ReplaceAllString(got, "code      XXXX-XXXX")
				file := filepath.Join("testdata", tt.name+".txt")
				if os.Getenv("UPDATE_GOLDEN") != "" {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(string(want), got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// harmless checks what reaches a terminal: printable ASCII, line ends, the
// backspace and the bell; and no line of more than 79 columns.
func harmless(t *testing.T, out string) {
	t.Helper()
	for i := range len(out) {
		if c := out[i]; (c < 0x20 || c > 0x7e) && !strings.ContainsRune("\r\n\b\a", rune(c)) {
			t.Fatalf("byte %#02x at %d: %q", c, i, out[max(0, i-20):min(len(out), i+20)])
		}
	}
	for l := range strings.FieldsFuncSeq(out, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if strings.Contains(l, "> ") || strings.Contains(l, "\b") {
			continue // the person's own line
		}
		if len(l) > columns {
			t.Errorf("%d columns: %s", len(l), l)
		}
	}
}

// The whole inventory can be read, screen by screen, and while somebody reads
// the task lives.
func TestPagesOfAFullInventory(t *testing.T) {
	rig(t, ward{devices: 4093}, func(t *testing.T, s *screen, _ *fake.Serial, board *health.Board) {
		s.typed(t, "show devices\r")
		for range 4096 / screenLines(usualRows) {
			s.typed(t, " ")
		}
		got := s.String()
		harmless(t, got)
		if rows := strings.Count(got, "workstation-pc"); rows != 4093 {
			t.Errorf("%d of 4093 rows", rows)
		}
		if !strings.HasSuffix(got, "\n4096 devices; show devices WORD finds some of them\r\nst-mary-7b> ") {
			t.Errorf("end %q", got[len(got)-200:])
		}
		s.typed(t, "show devices\r")
		time.Sleep(idleLimit - time.Second)
		synctest.Wait()
		if end := s.String(); !strings.HasSuffix(end, "--more-- 4077 lines; space goes on, q ends") {
			t.Errorf("end %q", end[len(end)-200:])
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if end := s.String(); !strings.HasSuffix(end, "Type ? for help.\r\nst-mary-7b> ") {
			t.Errorf("left alone, it does not come back to the banner: %q", end[len(end)-200:])
		}
	})
}

// Nobody types, the line is gone, or takes nothing: none of it is a hang.
func TestHeartbeat(t *testing.T) {
	rig(t, ward{devices: 200}, func(t *testing.T, s *screen, serial *fake.Serial, board *health.Board) {
		began := time.Now()
		alive := func(when string) {
			t.Helper()
			if hung, after := healthtest.Watch(board, 300*time.Second, func() time.Duration { return time.Since(began) }); hung != nil {
				t.Fatalf("%s: %v took for hung after %s", when, hung, after)
			}
		}
		alive("idle")
		s.line.Stick(true)
		s.typed(t, "show devices\r")
		alive("stuck")
		s.line.Stick(false)
		s.line.HangUp()
		alive("gone")
		if got := board.Silent(time.Since(began)+time.Hour, time.Minute); len(got) != 1 || got[0] != "console" {
			t.Errorf("with a heartbeat: %v, want console", got)
		}
	})
}

// An hour of a terminal that takes nothing: nothing waits, and afterwards the
// console says that output is missing, and works.
func TestStuckTerminal(t *testing.T) {
	rig(t, ward{devices: 200}, func(t *testing.T, s *screen, _ *fake.Serial, _ *health.Board) {
		s.line.Stick(true)
		for range 60 {
			s.typed(t, "show devices\r")
			time.Sleep(time.Minute)
		}
		before := len(s.String())
		s.line.Stick(false)
		s.typed(t, "\x15show denies\r")
		got := s.String()[before:]
		if !strings.Contains(got, "[output was dropped: the terminal did not take it]") || !strings.Contains(got, "41 packets denied") {
			t.Errorf("%q", got)
		}
	})
}

// A terminal without a reader fills the line's buffer: the same as stuck, and
// the end of the agent is not held up by it (rig measures that).
func TestNobodyReads(t *testing.T) {
	rig(t, ward{devices: 200}, func(t *testing.T, s *screen, _ *fake.Serial, _ *health.Board) {
		s.line.Stick(true)
		s.typed(t, "show devices\rshow devices\r")
		time.Sleep(time.Second) // a write is under way
	})
}

func TestFloods(t *testing.T) {
	noise := make([]byte, 10<<20)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	for name, flood := range map[string][]byte{
		"noise":      noise,
		"one line":   []byte(strings.Repeat("x", 2<<20)),
		"CR storm":   []byte(strings.Repeat("\r", 100<<10)),
		"NUL storm":  make([]byte, 2<<20),
		"paste":      []byte(strings.Repeat("show status\r", 2000)),
		"escapes":    []byte(strings.Repeat("\x1b[", 1<<20)),
		"unreadable": []byte(strings.Repeat("\xff", 2<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			rig(t, ward{}, func(t *testing.T, s *screen, _ *fake.Serial, _ *health.Board) {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				s.typed(t, string(flood))
				written := len(s.String())
				harmlessBytes := s.String()
				s.typed(t, "\x03") // takes with it what stands behind it in the line
				s.typed(t, "show denies\r")
				if got := s.String()[written:]; !strings.Contains(got, "41 packets denied") {
					t.Errorf("afterwards: %q", got)
				}
				for i := range len(harmlessBytes) {
					if c := harmlessBytes[i]; (c < 0x20 || c > 0x7e) && !strings.ContainsRune("\r\n\b\a", rune(c)) {
						t.Fatalf("byte %#02x came back", c)
					}
				}
				if name == "NUL storm" && strings.Count(harmlessBytes, "Type ? for help") > 2 {
					t.Error("a line that is cut shows the banner again and again")
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				// What is left is the screen's own text, kept twice.
				if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > int64(4*written)+(2<<20) {
					t.Errorf("%d KiB kept", kept>>10)
				}
			})
		})
	}
}

func TestCtrlCEndsALongAnswer(t *testing.T) {
	rig(t, ward{devices: 200}, func(t *testing.T, s *screen, _ *fake.Serial, _ *health.Board) {
		s.line.Stick(true)
		s.typed(t, "show devices\rshow status\rshow pol\x03")
		s.line.Stick(false)
		time.Sleep(time.Second)
		got := s.String()
		if n := strings.Count(got, "workstation-pc"); n > 100 {
			t.Errorf("%d rows were shown after Ctrl-C", n)
		}
		if !strings.HasSuffix(got, "^C\r\nst-mary-7b> ") || strings.Contains(got, "frames") {
			t.Errorf("%q", got[max(0, len(got)-200):])
		}
	})
}

func TestBreakStartsOver(t *testing.T) {
	rig(t, ward{}, func(t *testing.T, s *screen, _ *fake.Serial, _ *health.Board) {
		s.typed(t, "show sta")
		before := len(s.String())
		s.line.Break()
		synctest.Wait()
		s.line.Break()
		synctest.Wait()
		want := "\r\nWardkeeper on st-mary-7b at st-mary. Type ? for help.\r\nst-mary-7b> "
		if got := s.String()[before:]; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// The cable's other end goes and comes back; the board says so meanwhile.
func TestHangUp(t *testing.T) {
	rig(t, ward{}, func(t *testing.T, s *screen, serial *fake.Serial, board *health.Board) {
		s.line.HangUp()
		synctest.Wait()
		got := board.Conditions()
		if len(got) != 1 || got[0].Code != "console.down" || got[0].Text != "serial console: the other end hung up" {
			t.Errorf("%v", got)
		}
		again := &screen{line: serial.Add("ttyS0")}
		go again.watch()
		time.Sleep(time.Minute)
		again.typed(t, "show denies\r")
		if !strings.Contains(again.String(), "41 packets denied") || len(board.Conditions()) != 0 {
			t.Errorf("%q, %v", again.String(), board.Conditions())
		}
		again.line.SetReadDeadline(time.Unix(1, 0))
	})
}

func TestNoSuchLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		board := &health.Board{}
		o := parts(ward{})
		o.Serial, o.Device, o.Baud, o.Board = fake.New().Serial, "ttyX", 9600, board
		c := New(o)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if got := board.Conditions(); len(got) != 1 || got[0].Text != "serial console: open serial line ttyX: file does not exist" {
			t.Errorf("%v", got)
		}
	})
}

func TestPumpErrors(t *testing.T) {
	want := errors.New("io")
	if err := pump(io.MultiReader(readerFunc(func([]byte) (int, error) { return 0, want })), nil, nil); err != want {
		t.Error(err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// FuzzKeys: whatever is typed, the line stays bounded and every answer is
// printable and narrow.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("show device 00:00:5e:00:53:01\r"), true)
	f.Add([]byte("break-glass 9\ropen\rshow code 53:01\rshow log\r\x1b[24;80R"), false)
	f.Add([]byte("sh ?\t\x1b[A\x08\x7f\x15\x17\x00\xffshow devices \xe2\x80\xae\r"), false)
	f.Fuzz(func(t *testing.T, keys []byte, hostile bool) {
		o := parts(ward{hostile: hostile, unhealthy: hostile})
		o.Glass = &latch{}
		sh := shell{Options: o}
		var e editor
		answer := func(s string) {
			harmless(t, strings.ReplaceAll(s, "> ", "  ")) // no line is excused here
		}
		for _, k := range keys {
			switch e.key(k) {
			case actRun:
				answer(sh.line(t.Context(), e.take()))
				answer(sh.prompt())
			case actHelp:
				answer(candidates(string(e.line)))
			case actTab:
				if more := complete(string(e.line)); more != "" {
					e.add(more)
				}
			case actEcho:
				if s := strings.Trim(e.echo, "\b \a"); len(s) > 1 {
					t.Errorf("echo %q", e.echo)
				}
			}
			if len(e.line) > maxLine {
				t.Fatalf("%d bytes in the line", len(e.line))
			}
		}
	})
}
