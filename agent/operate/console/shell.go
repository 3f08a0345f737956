package console

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/operate/onsite"
)

// Glass is break-glass for the whole gateway. Both calls end with ctx.
type Glass interface {
	BreakGlass(ctx context.Context, d time.Duration, who string) error
	EndBreakGlass(ctx context.Context, who string) error
}

// shell is who answers lines: one for each session.
type shell struct {
	Options
	ask *question // takes the next line; nil: the next line is a command
}

// question is asked before something is done.
type question struct {
	prompt string
	answer func(ctx context.Context, line string) string
}

// who is this console's name in the audit.
const who = "console"

// Values of Options.BreakGlass, as in the configuration.
const (
	glassOpen      = "open"
	glassChallenge = "challenge"
)

// Bounds of break-glass.
const (
	mostMinutes = 60
	actLimit    = 5 * time.Second // the kernel answers in milliseconds
)

// breakGlass asks before it opens, and closes without.
func breakGlass(ctx context.Context, s *shell, arg string) string {
	var p page
	switch s.BreakGlass {
	case glassOpen:
	case glassChallenge:
		p.words("", "Refused: this gateway wants a signed challenge for it ([console] break_glass), which comes with the signed commands and is not built yet.")
		return p.String()
	default:
		p.words("", "Refused: break-glass at the console is switched off ([console] break_glass).")
		return p.String()
	}
	if arg == "off" {
		return s.closeGlass(ctx)
	}
	minutes, err := strconv.Atoi(arg)
	if err != nil || minutes < 1 || minutes > mostMinutes {
		p.line("%q: want 1 to %d minutes, or off", cut(clean(arg), 20), mostMinutes)
		return p.String()
	}
	d := time.Duration(minutes) * time.Minute
	p.words("", "This lets everything pass through the gateway for "+count(minutes, "minute")+", whatever the rules say. Then it closes by itself. It is reported.")
	if left := s.Source.Policy().Open; left > 0 {
		p.line("It is open already, for %s; this replaces that.", openSpan(left))
	}
	s.ask = &question{prompt: "type open to do it: ", answer: func(ctx context.Context, line string) string {
		if !strings.EqualFold(strings.TrimSpace(line), "open") {
			return "Nothing was opened.\r\n"
		}
		return s.openGlass(ctx, d)
	}}
	return p.String()
}

func (s *shell) openGlass(ctx context.Context, d time.Duration) string {
	var p page
	ctx, cancel := context.WithTimeout(ctx, actLimit)
	defer cancel()
	if err := s.Glass.BreakGlass(ctx, d, who); err != nil {
		p.words("", "NOT OPEN, as far as is known: "+err.Error())
		return p.String()
	}
	p.line("OPEN for %s, until %s.", span(d), moment(s.Source.Status().Now.Wall.Add(d)))
	p.line("break-glass off closes it before.")
	return p.String()
}

func (s *shell) closeGlass(ctx context.Context) string {
	var p page
	ctx, cancel := context.WithTimeout(ctx, actLimit)
	defer cancel()
	switch err := s.Glass.EndBreakGlass(ctx, who); {
	case err != nil:
		p.words("", "PERHAPS STILL OPEN: "+err.Error())
	default:
		p.line("Closed: the rules decide again.")
	}
	return p.String()
}

// openSpan says for how long break-glass is open.
func openSpan(d time.Duration) string {
	if d > 24*time.Hour { // nothing of ours opens for so long
		return "an unlimited time"
	}
	return span(d) + " more"
}

// showCode shows a one-time code for a device, or for the gateway itself.
func showCode(_ context.Context, s *shell, word string) string {
	var p page
	st := s.Source.Status()
	subject, about := st.Gateway, device.ID("")
	if !strings.EqualFold(word, st.Gateway) {
		d, refused := findOne(s.Source.Inventory(), word)
		if d == nil {
			return refused
		}
		subject, about = string(d.ID), d.ID
	}
	now := s.Clock.Now()
	code, err := s.Codes.Make(subject, now.Mono)
	switch {
	case errors.Is(err, onsite.ErrTooMany):
		p.line("Too many codes were asked for: try again in a minute.")
		return p.String()
	case err != nil:
		p.words("", err.Error())
		return p.String()
	}
	s.Log.Info("a one-time code was shown", "task", who, "subject", subject)
	s.Events.Emit(event.Event{Class: event.Audit, At: now, Body: event.Act{Act: "code", Who: who, Device: about,
		Seconds: int64(onsite.GoodFor / time.Second), Until: now.Wall.Add(onsite.GoodFor)}})
	p.line("code      %s", code)
	p.line("for       %s", subject)
	p.line("good      once, for %s; the code shown before is void", count(int(onsite.GoodFor/time.Minute), "minute"))
	return p.String()
}

// Lines of the log that show log shows, unless it is told how many.
const usualLines = 20

// showLog shows the last lines of the agent's own log.
func showLog(_ context.Context, s *shell, arg string) string {
	var p page
	n := usualLines
	if arg != "" {
		var err error
		if n, err = strconv.Atoi(arg); err != nil || n < 1 {
			p.line("%q: want a number of lines", cut(clean(arg), 20))
			return p.String()
		}
	}
	for _, l := range s.Journal.Last(n) {
		p.words("", l)
	}
	if p.b.Len() == 0 {
		p.line("the log is empty")
	}
	return p.String()
}

// showFirmware says what the gateway was started from.
func showFirmware(s Source) string {
	var p page
	st := s.Status()
	f := st.Firmware
	known := func(s string) string {
		if s == "" {
			return "not known: not started from an image of ours"
		}
		return s
	}
	p.line("slot      %s", known(f.Slot))
	p.line("image     %s", known(f.Image))
	p.line("agent     %s", st.Version)
	if f.Kernel != "" {
		p.line("kernel    %s", f.Kernel)
	}
	switch f.Rescue {
	case "":
		p.line("rescue    no")
	default:
		p.words("rescue    ", "YES: "+f.Rescue)
	}
	return p.String()
}

// showClock says what time it is, and how far that may be believed.
func showClock(s Source) string {
	var p page
	st := s.Status()
	synced := "no: no time server has set it"
	if st.Synced {
		synced = "yes"
	}
	p.line("wall      %s", moment(st.Now.Wall))
	p.line("quality   %s", st.Now.Quality)
	p.line("synced    %s", synced)
	p.line("mono      %s since boot (%d ms)", span(st.Now.Mono), st.Now.Mono.Milliseconds())
	p.line("boot      %s", st.Now.BootID)
	return p.String()
}

// line answers one line that was typed.
func (s *shell) line(ctx context.Context, line string) string {
	if q := s.ask; q != nil {
		s.ask = nil
		return q.answer(ctx, line)
	}
	return s.execute(ctx, line)
}

// prompt names the gateway, or asks.
func (s *shell) prompt() string {
	if s.ask != nil {
		return s.ask.prompt
	}
	return fmt.Sprintf("%s> ", cut(clean(s.Source.Status().Gateway), 24))
}
