package console

import (
	"fmt"
	"strings"
	"time"
)

const (
	// columns is the width of a line: one less than a terminal's, which would
	// otherwise wrap or not, as it likes.
	columns = 79
	// pageLimit bounds one answer in memory; a full inventory fits.
	pageLimit = 384 << 10
)

// page is an answer. Whatever is put in, only printable ASCII in lines of at
// most 79 columns comes out.
type page struct {
	b    strings.Builder
	full bool
}

// line adds one line; what is too long is cut.
func (p *page) line(format string, args ...any) {
	s := cut(clean(fmt.Sprintf(format, args...)), columns)
	if p.b.Len()+len(s) > pageLimit {
		if !p.full {
			p.b.WriteString("... the rest is too long for this line\r\n")
		}
		p.full = true
		return
	}
	p.b.WriteString(strings.TrimRight(s, " "))
	p.b.WriteString("\r\n")
}

// words adds a text under a label, broken at spaces.
func (p *page) words(label, text string) {
	text = clean(text)
	for first := true; first || text != ""; first = false {
		room := columns - len(label)
		part := text
		if len(part) > room {
			at := strings.LastIndexByte(part[:room+1], ' ')
			if at <= 0 {
				at = room
			}
			part = part[:at]
		}
		text = strings.TrimLeft(text[len(part):], " ")
		p.line("%s%s", label, part)
		label = strings.Repeat(" ", len(label))
	}
}

func (p *page) String() string { return p.b.String() }

// clean replaces all that is not printable ASCII: a host name must not move the
// cursor, or worse.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return '_'
		}
		return r
	}, s)
}

// cut shortens a text to n columns and shows that it did.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n-1] + "~"
}

// cell is a text of exactly n columns.
func cell(s string, n int) string {
	return fmt.Sprintf("%-*s", n, cut(clean(s), n))
}

// moment writes a time of day with its date, in UTC as everywhere.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// span writes a duration as a person would say it.
func span(d time.Duration) string {
	d = d.Truncate(time.Second)
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// size writes bytes in the largest unit that leaves a digit.
func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
