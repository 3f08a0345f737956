package nac

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/store"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// lifeIn names the folder in which a re-executed test binary lives as an agent.
const lifeIn = "WARDKEEPER_NAC_LIFE"

func TestMain(m *testing.M) {
	dir := os.Getenv(lifeIn)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := live(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// script is the program of the hook: the folder is the network outside. It says
// when it was called and when it has acted, and waits where it finds a file.
const script = `read request
case "$request" in *'"action":"apply"'*) act=apply ;; *) act=undo ;; esac
echo "$request" >> asked
stop() { touch at-$1; while test -e wait-$1; do sleep 0.02; done; }
stop before-$act
if test $act = apply; then touch held; else rm -f held; fi
stop after-$act`

// live is an agent with the real ledger and a real program, that does what its
// stdin says and says on its stdout what is owed.
func live(dir string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, _, err := store.Open(ctx, store.Options{Path: filepath.Join(dir, "db"), Size: 1 << 20})
	if err != nil {
		return err
	}
	h, err := NewHook(Spec{Name: "switch", Kind: KindExec, Program: []string{"/bin/sh", "-c", "cd " + dir + "\n" + script}, Limit: time.Minute, Reach: ReachPort}, Means{})
	if err != nil {
		return err
	}
	host := fake.New()
	n := New(Options{Hooks: []Hook{h}, Ledger: s.Room("nac"), Inventory: &bench{ready: closed(), snap: &device.Snapshot{Devices: []device.Device{dev(intruder, "w1", "pc")}}}, Wire: blind{},
		Counts: counts, Clock: clock.New(host.Clock, time.Unix(0, 0)), Board: &health.Board{}, Events: &bench{}, Log: slog.New(slog.DiscardHandler)})
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			switch in.Text() {
			case "quarantine":
				err = n.Quarantine(order(time.Hour))
			case "release":
				err = n.Release(intruder, "bob")
			}
			if err != nil {
				fmt.Println(err)
			}
		}
	}()
	go func() {
		for said := "?"; ; time.Sleep(20 * time.Millisecond) {
			now := "nothing"
			for _, c := range n.Status() {
				now = "ordered"
				for _, o := range c.Obligations {
					now = string(o.State)
				}
			}
			if now != said {
				said = now
				fmt.Println(said)
			}
		}
	}()
	return n.Run(ctx)
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// blind sees nothing.
type blind struct{}

func (blind) LastTalk(device.ID) (time.Duration, bool) { return 0, false }

// process is one life as a process of its own.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	said chan string
}

func launch(t *testing.T, dir string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command("/proc/self/exe"), said: make(chan string, 100)}
	p.cmd.Env = append(os.Environ(), lifeIn+"="+dir)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.in = in
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			p.said <- s.Text()
		}
	}()
	return p
}

func (p *process) tell(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, s+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) await(want string) {
	p.t.Helper()
	var heard []string
	for limit := time.After(20 * time.Second); ; {
		select {
		case s := <-p.said:
			if heard = append(heard, s); s == want {
				return
			}
		case <-limit:
			p.t.Fatalf("not %q within 20 s, but %q", want, heard)
		}
	}
}

// kill is kill -9.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	_ = p.cmd.Wait() // it was killed
}

// The ledger is the real one, the process and its program are real, and they are
// really killed, at each step of an obligation.
func TestKill9(t *testing.T) {
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("only Linux ends a program with the agent that started it")
	}
	for _, at := range []string{"before-apply", "after-apply", "applied", "before-undo", "after-undo", "undone"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := func(name string) string { return filepath.Join(dir, name) }
			exists := func(name string) bool { _, err := os.Stat(file(name)); return err == nil }
			if err := os.WriteFile(file("wait-"+at), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			reached := func() {
				t.Helper()
				for begin := time.Now(); !exists("at-" + at); time.Sleep(10 * time.Millisecond) {
					if time.Since(begin) > 20*time.Second {
						t.Fatal("the program did not come to " + at)
					}
				}
			}
			p := launch(t, dir)
			p.await("nothing")
			p.tell("quarantine")
			if strings.HasSuffix(at, "-apply") {
				reached()
			} else {
				p.await("applied")
			}
			ends := strings.Contains(at, "undo")
			if ends {
				p.tell("release")
				if at == "undone" {
					p.await("nothing")
				} else {
					reached()
				}
			}
			p.kill()
			if err := os.Remove(file("wait-" + at)); err != nil {
				t.Fatal(err)
			}
			// What the dead agent's program would still do, it would do by now.
			held := exists("held")
			time.Sleep(200 * time.Millisecond)
			if exists("held") != held {
				t.Error("the program outlived the agent that started it")
			}
			p = launch(t, dir)
			if ends {
				p.await("nothing")
			} else {
				p.await("applied")
				if !exists("held") {
					t.Error("not held after the restart")
				}
				p.kill() // once more, at rest
				p = launch(t, dir)
				p.await("applied")
				p.tell("release")
				p.await("nothing")
			}
			if exists("held") {
				t.Error("still held in the end")
			}
			p.kill()
			p = launch(t, dir)
			p.await("nothing")
			p.kill()
			if asked, err := os.ReadFile(file("asked")); err != nil || strings.Count(string(asked), `"apply"`) > 2 || strings.Count(string(asked), `"undo"`) > 2 {
				t.Errorf("asked more than twice for the same (%v):\n%s", err, asked)
			}
		})
	}
}
