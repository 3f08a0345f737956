package lab

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// width is what a terminal line holds; a serial console wraps at 80.
const width = 79

// screen prints what happens, one line each, with the seconds since the start.
type screen struct {
	mu    sync.Mutex
	to    io.Writer
	begun time.Time
}

func newScreen(to io.Writer) *screen { return &screen{to: to, begun: time.Now()} }

// say prints one line.
func (s *screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprintf("%5.1fs  ", time.Since(s.begun).Seconds()) + fmt.Sprintf(format, args...)
	fmt.Fprintln(s.to, cut(line))
}

// cut shortens a line to the width, without trailing blanks.
func cut(line string) string {
	line = strings.TrimRight(line, " ")
	if r := []rune(line); len(r) > width {
		return string(r[:width-1]) + "~"
	}
	return line
}

// wrap breaks a text into lines of the width, the further ones indented.
func wrap(first, rest, text string) string {
	var b strings.Builder
	line := first
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case len(line)+1+len(word) > width:
			b.WriteString(line + "\n")
			line = rest + word
		default:
			line += " " + word
		}
	}
	b.WriteString(line + "\n")
	return b.String()
}
