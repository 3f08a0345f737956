package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestMissingNamesAllAtOnce(t *testing.T) {
	err := missing([]tool{{"no-such-b", "pkg-b"}, {"no-such-a", "pkg-a"}, {"no-such-c", "pkg-b"}, {"go", "golang"}})
	const want = "no-such-b, no-such-a, no-such-c missing: apt-get install pkg-a pkg-b"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if err := missing(nil); err != nil {
		t.Error(err)
	}
}

// needTools skips where the image cannot be built.
func needTools(t *testing.T) {
	t.Helper()
	if err := missing(tools()); err != nil {
		t.Skip(err)
	}
}

func TestCommand(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "5")
	t.Setenv("TZ", "Asia/Tokyo")
	out, err := command(t.Context(), t.TempDir(), []string{"X=1"}, "sh", "-c", "echo $X $TZ $SOURCE_DATE_EPOCH")
	if err != nil || out != "1 UTC\n" {
		t.Errorf("printed %q, %v", out, err)
	}
	_, err = command(t.Context(), "", nil, "sh", "-c", "for i in 1 2 3 4 5 6; do echo line $i >&2; done; exit 3")
	if err == nil || err.Error() != "run sh: exit status 3: line 2; line 3; line 4; line 5; line 6" {
		t.Errorf("failed with %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := command(ctx, "", nil, "sh", "-c", "true"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := command(t.Context(), "", nil, "no-such-tool"); err == nil || !strings.Contains(err.Error(), "no-such-tool") {
		t.Errorf("not there: %v", err)
	}
}

// write makes a file for a test.
func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
