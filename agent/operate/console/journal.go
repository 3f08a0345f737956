package console

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
)

// maxJournalLine is the most bytes of a line that are kept.
const maxJournalLine = 400

// Journal is a log handler that hands all on and remembers the last lines, for
// show log. Its memory is bounded; it is safe for concurrent use.
type Journal struct {
	next slog.Handler
	text slog.Handler // into lines
	*lines
}

var _ slog.Handler = (*Journal)(nil)

// NewJournal hands on to next and remembers max lines.
func NewJournal(next slog.Handler, max int) *Journal {
	l := &lines{max: max}
	return &Journal{next: next, lines: l, text: slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 {
				a.Value = slog.StringValue(a.Value.Time().UTC().Format("01-02T15:04:05"))
			}
			return a
		}})}
}

// Enabled is what the next handler wants.
func (j *Journal) Enabled(ctx context.Context, l slog.Level) bool { return j.next.Enabled(ctx, l) }

// Handle remembers the line and hands the record on.
func (j *Journal) Handle(ctx context.Context, r slog.Record) error {
	_ = j.text.Handle(ctx, r) // lines takes everything
	return j.next.Handle(ctx, r)
}

// WithAttrs is a handler into the same lines.
func (j *Journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Journal{next: j.next.WithAttrs(attrs), text: j.text.WithAttrs(attrs), lines: j.lines}
}

// WithGroup is a handler into the same lines.
func (j *Journal) WithGroup(name string) slog.Handler {
	return &Journal{next: j.next.WithGroup(name), text: j.text.WithGroup(name), lines: j.lines}
}

// lines takes one line a Write.
type lines struct {
	max int

	mu   sync.Mutex
	list []string // mu; oldest first
}

func (l *lines) Write(b []byte) (int, error) {
	line := string(bytes.TrimRight(b[:min(len(b), maxJournalLine)], "\n"))
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) >= l.max {
		l.list = slices.Delete(l.list, 0, len(l.list)-l.max+1)
	}
	l.list = append(l.list, line)
	return len(b), nil
}

// Last are the last n lines, oldest first.
func (l *lines) Last(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list[max(0, len(l.list)-n):])
}
