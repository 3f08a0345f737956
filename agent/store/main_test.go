package store

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestMain is also the child process of the preflight.
func TestMain(m *testing.M) {
	if path := os.Getenv("STORE_TEST_CHECK"); path != "" {
		if err := Check(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child runs Check as wardkeeper does.
func child(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_CHECK="+path, "GOTRACEBACK=none")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %.200s", err, out)
	}
	return nil
}

func open(t *testing.T, opt Options) (*Store, Opened) {
	t.Helper()
	s, o, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, o
}
