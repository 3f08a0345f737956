package console

import "strings"

// maxLine is the longest line that is kept; more is typed into the void.
const maxLine = 100

// Bytes that mean something.
const (
	keyBreak = 0x00 // a BREAK reads as NUL
	keyC     = 0x03 // Ctrl-C
	keyBS    = 0x08
	keyTab   = 0x09
	keyLF    = 0x0a
	keyL     = 0x0c // Ctrl-L
	keyCR    = 0x0d
	keyU     = 0x15 // Ctrl-U
	keyW     = 0x17 // Ctrl-W
	keyEsc   = 0x1b
	keyDel   = 0x7f
)

// action is what a key asks of the console.
type action uint8

const (
	actNone   action = iota + 1
	actEcho          // show editor.echo
	actRun           // the line is complete
	actHelp          // '?': what could come here
	actTab           // complete the word
	actRedraw        // prompt and line once more
	actCancel        // Ctrl-C
	actBreak         // start over
	actReport        // the terminal told editor.report
)

// maxReport is the most bytes of a control sequence that are kept.
const maxReport = 16

// editor assembles a line from keys. It never grows beyond maxLine.
type editor struct {
	line   []byte
	echo   string
	report string // parameters of a cursor position report: "ROWS;COLUMNS"
	params []byte // of the control sequence that is under way
	state  uint8  // of an escape sequence (ECMA-48): 0 none, 1 after ESC, 2 in CSI, 3 after SS3
	cr     bool   // the last key was CR: an LF right behind it is the same end
	full   bool   // the bell was rung for this line
}

// key takes one byte.
func (e *editor) key(c byte) action {
	wasCR := e.cr
	e.cr = c == keyCR
	if c == keyC || c == keyBreak || c == keyCR {
		e.state = 0 // these get through whatever noise was before
	}
	if swallowed, act := e.escape(c); swallowed {
		return act
	}
	switch {
	case c == keyBreak:
		e.reset()
		return actBreak
	case c == keyC:
		e.reset()
		return actCancel
	case c == keyCR, c == keyLF && !wasCR:
		return actRun
	case c == keyBS, c == keyDel:
		return e.erase(1)
	case c == keyU:
		return e.erase(len(e.line))
	case c == keyW:
		s := strings.TrimRight(string(e.line), " ")
		return e.erase(len(e.line) - (strings.LastIndexByte(s, ' ') + 1))
	case c == keyTab:
		return actTab
	case c == keyL:
		return actRedraw
	case c == '?':
		return actHelp
	case c >= 0x20 && c < 0x7f:
		return e.add(string(c))
	}
	return actNone
}

// escape swallows cursor keys and other sequences.
func (e *editor) escape(c byte) (swallowed bool, act action) {
	switch e.state {
	case 1:
		switch c {
		case '[':
			e.state, e.params = 2, e.params[:0]
		case 'O':
			e.state = 3
		case keyEsc:
		default:
			e.state = 0
		}
		return true, actNone
	case 2:
		if c >= 0x40 && c <= 0x7e {
			e.state = 0
			if c == 'R' {
				e.report = string(e.params)
				return true, actReport
			}
		} else if len(e.params) < maxReport {
			e.params = append(e.params, c)
		}
		return true, actNone
	case 3:
		e.state = 0
		return true, actNone
	}
	if c == keyEsc {
		e.state = 1
		return true, actNone
	}
	return false, actNone
}

// add appends text that is printable.
func (e *editor) add(s string) action {
	if len(e.line)+len(s) > maxLine {
		if e.full {
			return actNone
		}
		e.full, e.echo = true, "\a"
		return actEcho
	}
	e.line = append(e.line, s...)
	e.echo = s
	return actEcho
}

func (e *editor) erase(n int) action {
	n = min(n, len(e.line))
	if n == 0 {
		return actNone
	}
	e.line = e.line[:len(e.line)-n]
	e.full = false
	e.echo = strings.Repeat("\b \b", n)
	return actEcho
}

// take returns the line and starts the next.
func (e *editor) take() string {
	s := string(e.line)
	e.reset()
	return s
}

func (e *editor) reset() { e.line, e.full = e.line[:0], false }
