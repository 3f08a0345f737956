package console

import (
	"context"
	"strings"
)

// screenLines of an answer are shown at once: what is left of the rows below the
// command, with the row that says there is more.
func screenLines(rows int) int { return rows - 2 }

// moreRow is that row, and wipe takes it away again.
const moreRow = "--more-- %d lines; space goes on, q ends"

func wipe() string { return "\r" + strings.Repeat(" ", columns) + "\r" }

// split cuts a text after so many lines.
func split(text string, lines int) (head, rest string) {
	at := 0
	for range lines {
		n := strings.IndexByte(text[at:], '\n')
		if n < 0 {
			return text, ""
		}
		at += n + 1
	}
	return text[:at], text[at:]
}

// turn takes a key while the rest of an answer waits. Space and Enter show the
// next screen, q and Ctrl-C end the answer. Any other key ends it as well and is
// not used: whoever types the next command meets a prompt.
func (s *session) turn(ctx context.Context, key byte) (used bool, err error) {
	wasCR := s.editor.cr
	s.editor.cr = key == keyCR
	if key == keyLF && wasCR {
		return true, nil // of the same Enter
	}
	if err := s.term.write(wipe(), nil); err != nil {
		return true, err
	}
	switch key {
	case ' ', keyCR, keyLF:
		return true, s.say(ctx, s.rest)
	case 'q', 'Q', keyC:
		return true, s.say(ctx, "")
	}
	return false, s.say(ctx, "")
}
