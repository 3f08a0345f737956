package console

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJournal(t *testing.T) {
	var out bytes.Buffer
	j := NewJournal(slog.NewTextHandler(&out, nil), 4)
	log := slog.New(j)
	for i := range 5 {
		log.Info("earlier", "i", i)
	}
	log.Debug("nobody wants it")
	log.With("task", "x").WithGroup("g").Warn("two\x1b[2J\nlines", "k", "v")
	log.Error(strings.Repeat("long ", 200))
	var got []string
	for _, l := range j.Last(3) {
		when, rest, _ := strings.Cut(l, " ")
		if len(when) != len("time=01-02T15:04:05") {
			t.Errorf("time %q", when)
		}
		got = append(got, rest)
	}
	want := []string{"level=INFO msg=earlier i=4", `level=WARN msg="two\x1b[2J\nlines" task=x g.k=v`}
	if diff := cmp.Diff(want, got[:2]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(j.Last(1)[0]); n != maxJournalLine {
		t.Errorf("%d bytes of a long line, want %d", n, maxJournalLine)
	}
	if n := len(j.Last(99)); n != 4 {
		t.Errorf("%d lines kept, want 4", n)
	}
	if n := strings.Count(out.String(), "\n"); n != 7 {
		t.Errorf("%d lines handed on, want 7: %s", n, fmt.Sprint(out.String()))
	}
}
