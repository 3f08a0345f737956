package policy

import (
	"fmt"
	"strings"
)

// source knows where in the file things stand, for errors: the TOML library
// keeps positions to itself, and a segment is one of several of the same name.
type source struct {
	file  string
	lines []string
}

func newSource(file string, data []byte) source {
	return source{file, strings.Split(string(data), "\n")}
}

// errorf is an error at a line, counted from 1.
func (s source) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", s.file, line, fmt.Sprintf(format, args...))
}

// header is the line of the nth (from 0) table header of that text, with its
// brackets; 1 if there is none (an inline table, for instance).
func (s source) header(text string, nth int) int {
	for i, l := range s.lines {
		l, _, _ = strings.Cut(l, "#")
		if strings.Join(strings.Fields(l), "") != text {
			continue
		}
		if nth == 0 {
			return i + 1
		}
		nth--
	}
	return 1
}

// value is the first line after the header, and within its table, that holds
// the value (as TOML writes it: in quotes) or the bare word; else the header's.
func (s source) value(header int, text string) int {
	for i := header; i < len(s.lines); i++ {
		l := strings.TrimSpace(s.lines[i])
		if strings.HasPrefix(l, "[") && !strings.Contains(l, "=") && !strings.HasPrefix(l, "[\"") {
			break
		}
		if strings.HasPrefix(l, "#") {
			continue
		}
		if strings.Contains(l, `"`+text+`"`) || strings.Contains(l, "'"+text+"'") {
			return i + 1
		}
	}
	return header
}

// segment is the line of a value of the nth segment.
func (s source) segment(nth int, text string) int {
	return s.value(s.header("[[segment]]", nth), text)
}

// peer is the line of a value of the peer.
func (s source) peer(name, text string) int {
	return s.value(s.header("[peers."+name+"]", 0), text)
}
