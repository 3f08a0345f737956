package child

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRun(t *testing.T) {
	t.Setenv("SECRET", "of the agent")
	for _, tt := range []struct {
		name  string
		argv  []string
		stdin string
		want  Ended
		err   string
	}{
		{"it reads stdin", []string{"/bin/cat"}, "hello", Ended{true, 0, []byte("hello")}, ""},
		{"no shell reads its arguments", []string{"/bin/echo", "$(id); `id` | cat"}, "", Ended{true, 0, []byte("$(id); `id` | cat\n")}, ""},
		{"it has none of our environment", []string{"/usr/bin/env"}, "", Ended{true, 0, []byte("PATH=/usr/sbin:/usr/bin:/sbin:/bin\n")}, ""},
		{"its status is told", []string{"/bin/sh", "-c", "echo no >&2; exit 3"}, "", Ended{true, 3, []byte("no\n")}, "run /bin/sh: exit status 3"},
		{"a signal is no status", []string{"/bin/sh", "-c", "kill -9 $$"}, "", Ended{true, -1, nil}, "run /bin/sh: signal: killed"},
		{"there is none", []string{"/nowhere"}, "", Ended{false, -1, nil}, "start /nowhere: fork/exec /nowhere: no such file or directory"},
		{"it does not read", []string{"/bin/true"}, strings.Repeat("x", 1<<20), Ended{true, 0, nil}, ""},
		{"it says too much", []string{"/bin/sh", "-c", "yes | head -c 1000000"}, "", Ended{true, 0, []byte(strings.Repeat("y\n", maxOutput/2))}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Run(t.Context(), tt.argv, []byte(tt.stdin), 10*time.Second)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if text := said(err); text != tt.err {
				t.Errorf("error %q, want %q", text, tt.err)
			}
		})
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A program that hangs is ended at its limit, and one that left others behind
// leaves nobody: they would act when nobody expects them any more.
func TestRunEndsTheGroup(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		limit        time.Duration
	}{
		{"it hangs", `(sleep 1; touch "$0") & sleep 60`, 300 * time.Millisecond},
		{"it ignores SIGTERM", `trap "" TERM; (sleep 1; touch "$0") & while :; do sleep 1; done`, 300 * time.Millisecond},
		{"it ends and leaves a child", `(sleep 1; touch "$0") >/dev/null 2>&1 & exit 0`, 10 * time.Second},
		{"it ends and leaves a child that holds its output", `(sleep 3; touch "$0") & exit 0`, 10 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			mark := filepath.Join(t.TempDir(), "acted")
			begin := time.Now()
			e, err := Run(context.Background(), []string{"/bin/sh", "-c", tt.script, mark}, nil, tt.limit)
			if took := time.Since(begin); took > 2900*time.Millisecond {
				t.Errorf("took %s", took)
			}
			if hung := tt.limit < time.Second; hung != (err != nil) || hung != (e.Code == -1) {
				t.Errorf("ended %+v, %v", e, err)
			}
			time.Sleep(time.Until(begin.Add(3500 * time.Millisecond)))
			if _, err := os.Stat(mark); err == nil {
				t.Error("a child lived on and acted")
			}
		})
	}
}
