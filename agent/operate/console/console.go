package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/operate/onsite"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Options of a Console.
type Options struct {
	Serial platform.Serial
	Device string
	Baud   int
	Source Source
	Clock  *clock.Clock
	Board  *health.Board
	Log    *slog.Logger

	Glass      Glass
	BreakGlass string // who may: "open" for everybody, "challenge", "off"
	Codes      *onsite.Codes
	Journal    *Journal
	Events     event.Sink // for the audit of what is done here
}

// Console is the Task that serves one serial line.
type Console struct {
	opt   Options
	ready chan struct{}
}

// New makes a console.
func New(opt Options) *Console { return &Console{opt: opt, ready: make(chan struct{})} }

// String names the task.
func (c *Console) String() string { return "console" }

// Ready is closed once Run is at work, whether the line is there or not.
func (c *Console) Ready() <-chan struct{} { return c.ready }

// condition is the code on the health board.
const condition = "console.down"

// Waits between two attempts to open the line.
const (
	firstWait = time.Second
	mostWait  = 30 * time.Second
)

// idleLimit is how long a session may lie idle: then a line half typed is
// forgotten, and who comes next finds the banner.
const idleLimit = 5 * time.Minute

// Run serves the line, and opens it again when it is gone, until ctx ends.
func (c *Console) Run(ctx context.Context) error {
	close(c.ready)
	wait := firstWait
	for ctx.Err() == nil {
		c.busy()
		port, err := c.opt.Serial.Open(c.opt.Device, c.opt.Baud)
		if err == nil {
			if c.opt.Board.Clear(condition) {
				c.opt.Log.Info("console is back", "task", c.String(), "device", c.opt.Device)
			}
			began := time.NewTimer(mostWait)
			err = c.serve(ctx, port)
			if !began.Stop() { // the line was good for a while
				wait = firstWait
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if c.opt.Board.Set(health.Condition{Code: condition, Severity: health.Warning, Text: "serial console: " + err.Error(), Since: c.opt.Clock.Now().Wall}) {
			c.opt.Log.Warn("console is gone", "task", c.String(), "device", c.opt.Device, "err", err)
		}
		health.Rest(ctx, wait, c.beat)
		wait = min(2*wait, mostWait)
	}
	return nil
}

func (c *Console) beat() { c.opt.Board.Beat(c.String(), c.opt.Clock.Now().Mono) }

// busy is for what the line, or what somebody asks for, decides the length of.
func (c *Console) busy() { c.opt.Board.Busy(c.String(), c.opt.Clock.Now().Mono) }

// session is one open line.
type session struct {
	term    terminal
	shell   shell
	editor  editor
	in      <-chan []byte
	pending []byte // read while output was written
	rest    string // of an answer, below the screen that waits for a key
	banner  bool   // the last thing on the screen
	awake   bool   // somebody typed since

	rows   int                  // of the terminal
	now    func() time.Duration // since boot
	asked  bool                 // the terminal has not answered yet how large it is
	probed time.Duration        // when it was asked
}

// serve runs a session until the line or ctx ends.
func (c *Console) serve(ctx context.Context, port platform.SerialPort) error {
	in, failed, stop := make(chan []byte), make(chan error, 1), make(chan struct{})
	read := make(chan struct{})
	go func() {
		defer close(read)
		failed <- pump(port, in, stop)
	}()
	quick := context.AfterFunc(ctx, func() { port.Close() }) // ends a blocked Write, too
	defer func() {
		close(stop)
		if quick() {
			port.Close() // ends a blocked Read
		}
		<-read
	}()
	s := &session{term: terminal{port: port, busy: c.busy}, shell: shell{Options: c.opt}, in: in, rows: usualRows,
		now: func() time.Duration { return c.opt.Clock.Now().Mono }}
	if err := s.hello(); err != nil {
		return err
	}
	idle, beat := time.NewTimer(idleLimit), time.NewTicker(health.BeatEvery)
	defer idle.Stop()
	defer beat.Stop()
	for {
		c.beat()
		chunk := s.pending
		s.pending = nil
		if len(chunk) == 0 {
			select {
			case <-ctx.Done():
				return nil
			case err := <-failed:
				return err
			case chunk = <-in:
			case <-beat.C:
				continue
			case <-idle.C:
				s.rest = ""
				if s.editor.reset(); s.banner {
					continue
				}
				if err := s.hello(); err != nil {
					return err
				}
				continue
			}
		}
		c.busy()
		if err := s.keys(ctx, chunk); err != nil {
			return err
		}
		idle.Reset(idleLimit)
		if ctx.Err() != nil {
			return nil
		}
	}
}

// pump reads the line. What nobody takes stays in the kernel, which drops what
// it has no room for.
func pump(port io.Reader, in chan<- []byte, stop <-chan struct{}) error {
	buf := make([]byte, 256)
	for {
		n, err := port.Read(buf)
		if n > 0 {
			select {
			case in <- append([]byte(nil), buf[:n]...):
			case <-stop:
				return nil
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return errors.New("the other end hung up")
		case err != nil:
			return err
		}
	}
}

// keys works off what was typed.
func (s *session) keys(ctx context.Context, chunk []byte) error {
	// What a person sees at once is written at once: a write for each byte of
	// noise would keep a slow processor busy long after it.
	var echo strings.Builder
	for i, k := range chunk {
		if s.banner && k != keyBreak && !s.awake {
			s.awake = true
			if err := s.probe(); err != nil {
				return err
			}
		}
		if s.rest != "" && !s.answering(k) {
			s.pending = append([]byte(nil), chunk[i+1:]...)
			used, err := s.turn(ctx, k)
			if !used {
				s.pending = append([]byte{k}, s.pending...)
			}
			return err
		}
		act := s.editor.key(k)
		switch act {
		case actNone:
			continue
		case actReport:
			s.sized(s.editor.report)
			continue
		}
		if act != actEcho {
			// An answer may be long: what is still typed meanwhile comes first
			// to it, so that Ctrl-C can end it.
			s.pending = append([]byte(nil), chunk[i+1:]...)
			if err := s.term.write(echo.String(), nil); err != nil {
				return err
			}
			return s.act(ctx, act)
		}
		s.banner = false
		echo.WriteString(s.editor.echo)
	}
	return s.term.write(echo.String(), nil)
}

// act does what a key asked for.
func (s *session) act(ctx context.Context, act action) error {
	line := string(s.editor.line)
	switch act {
	case actBreak:
		s.pending = nil
		if s.banner { // a line that is cut reads as endless BREAKs
			return nil
		}
		return s.hello()
	case actCancel:
		s.pending = nil // a paste that was not meant
		s.shell.ask = nil
		return s.say(ctx, "^C\r\n")
	case actRun:
		return s.say(ctx, "\r\n"+s.shell.line(ctx, s.editor.take()))
	case actHelp:
		if s.shell.ask != nil {
			return s.say(ctx, "?\r\nthe word, or anything else to leave it\r\n")
		}
		return s.say(ctx, "?\r\n"+candidates(line))
	case actRedraw:
		return s.say(ctx, "\r\n")
	case actTab:
		if s.shell.ask != nil {
			return nil
		}
		if more := complete(line); more != "" && s.editor.add(more) == actEcho {
			return s.term.write(s.editor.echo, nil)
		}
	}
	return nil
}

// say writes an answer, then the prompt with what stands in the line. Of a long
// answer it writes one screen and leaves the rest for turn: the task waits for
// nobody.
func (s *session) say(ctx context.Context, text string) error {
	s.banner = false
	text, s.rest = split(text, screenLines(s.rows))
	cancelled := false
	err := s.term.write(text, func() bool {
		cancelled = s.cancelled(ctx)
		return cancelled
	})
	if err != nil {
		return err
	}
	end := s.shell.prompt() + string(s.editor.line)
	switch {
	case cancelled:
		s.rest, end = "", "^C\r\n"+end
	case s.rest != "":
		end = fmt.Sprintf(moreRow, strings.Count(s.rest, "\n"))
	}
	return s.term.write(end, nil)
}

// maxPending is how much is read ahead while an answer is written.
const maxPending = 1 << 10

// cancelled looks for a Ctrl-C among what was typed meanwhile.
func (s *session) cancelled(ctx context.Context) bool {
	if ctx.Err() != nil {
		return true
	}
	if len(s.pending) < maxPending {
		select {
		case more := <-s.in:
			s.pending = append(s.pending, more...)
		default:
		}
	}
	for _, k := range s.pending {
		if k == keyC {
			s.pending = nil
			return true
		}
	}
	return false
}

// hello is what a person sees who plugs in, or sends a BREAK.
func (s *session) hello() error {
	st := s.shell.Source.Status()
	s.shell.ask = nil
	var p page
	p.line("")
	p.line("Wardkeeper on %s at %s. Type ? for help.", st.Gateway, st.Site)
	if err := s.term.write(p.String()+s.shell.prompt(), nil); err != nil {
		return err
	}
	s.banner, s.awake = true, false
	return nil
}
