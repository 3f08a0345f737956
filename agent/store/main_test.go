package store

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// TestMain is also the child process of the preflight: it checks one path, or
// all that it reads from its standard input, until one kills it.
func TestMain(m *testing.M) {
	switch path := os.Getenv("STORE_TEST_CHECK"); path {
	case "":
		os.Exit(m.Run())
	case "-":
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			fmt.Println(Check(in.Text()))
		}
	default:
		if err := Check(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func childCommand(ctx context.Context, path string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_CHECK="+path, "GOTRACEBACK=none")
	return cmd
}

// child runs Check as wardkeeper does.
func child(ctx context.Context, path string) error {
	if out, err := childCommand(ctx, path).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %.200s", err, out)
	}
	return nil
}

// checker is a child for many paths: hundreds of starts would take minutes.
type checker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func newChecker(t *testing.T) *checker {
	c := &checker{}
	t.Cleanup(func() {
		if c.cmd != nil {
			c.in.Close()
			c.cmd.Wait()
		}
	})
	return c
}

func (c *checker) check(_ context.Context, path string) error {
	if c.cmd == nil {
		c.cmd = childCommand(context.Background(), "-")
		out, err := c.cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if c.in, err = c.cmd.StdinPipe(); err != nil {
			return err
		}
		c.out = bufio.NewScanner(out)
		if err := c.cmd.Start(); err != nil {
			return err
		}
	}
	fmt.Fprintln(c.in, path)
	if c.out.Scan() {
		if c.out.Text() == "<nil>" {
			return nil
		}
		return fmt.Errorf("%w: child: %s", ErrDamaged, c.out.Text())
	}
	err := c.cmd.Wait() // the file was its death
	c.cmd = nil
	return fmt.Errorf("%w: child died: %v", ErrDamaged, err)
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
