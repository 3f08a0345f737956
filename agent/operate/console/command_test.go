package console

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// said is the answer to a line.
func said(line string) string {
	s := shell{Options: Options{Source: ward{}}}
	return s.execute(context.Background(), line)
}

// TestShortWords: of several commands that begin alike, the number of words
// says which is meant.
func TestShortWords(t *testing.T) {
	for short, long := range map[string]string{
		"sh dev":        "show devices",
		"s dev 53:01":   "show device 53:01",
		"show device":   "show device",
		"sh devices pu": "show devices pu",
		"sh den":        "show denies",
	} {
		if diff := cmp.Diff(said(long), said(short)); diff != "" {
			t.Errorf("%q is not %q (-long +short):\n%s", short, long, diff)
		}
	}
	for line, want := range map[string]string{
		"sh d":        "\"d\" could be devices or denies\r\n",
		"show device": "a word is missing: show device ID\r\n",
		"show x":      "unknown word \"x\": type ? for what could stand there\r\n",
	} {
		if diff := cmp.Diff(want, said(line)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
}

// TestIdleSessionStartsOver: what the last person left half typed is not there
// for the next; the banner comes once.
func TestIdleSessionStartsOver(t *testing.T) {
	rig(t, ward{}, func(t *testing.T, s *screen, _ *fake.Serial, _ *health.Board) {
		banner := s.String()
		s.typed(t, "show pol")
		time.Sleep(idleLimit - time.Second)
		synctest.Wait()
		if diff := cmp.Diff(banner+"show pol", s.String()); diff != "" {
			t.Errorf("before its time (-want +got):\n%s", diff)
		}
		time.Sleep(3 * idleLimit)
		synctest.Wait()
		s.typed(t, "help x\r")
		want := banner + "show pol" + banner + "help x\r\ntoo many words: help\r\nst-mary-7b> "
		if diff := cmp.Diff(want, s.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
