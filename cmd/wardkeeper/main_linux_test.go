package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/operate/desired"
	"github.com/wardkeeper/wardkeeper/agent/protect/kept"
)

// asAgent in the environment makes the test binary the agent, also where the
// agent runs itself again for the preflight.
const asAgent = "WARDKEEPER_TEST_AS_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(asAgent) != "" {
		main()
	}
	os.Exit(m.Run())
}

// box is a gateway whose ports are missing and whose broker cannot be found.
type box struct {
	config, db string
	log        bytes.Buffer // of all starts
}

func newBox(t *testing.T, uplink string) *box {
	t.Helper()
	dir := t.TempDir()
	b := &box{config: filepath.Join(dir, "wardkeeper.toml"), db: filepath.Join(dir, "state", "wardkeeper.db")}
	text := fmt.Sprintf("gateway = \"gw1\"\nlab = true\n[site]\nname = \"s1\"\n[ports]\nuplink = \"up0\"\nward = [\"w1\"]\n[uplink]\nurl = %q\n[console]\ndevice = \"\"\n[state]\ndir = %q\n[policy]\nfile = \"\"\n[outbox]\ncap_mib = 1\n",
		uplink, filepath.Dir(b.db))
	if err := os.WriteFile(b.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// ownNamespaces are those of the agent: no test may touch the ports and rules of
// this machine.
func ownNamespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
}

// start runs the agent in namespaces of its own. meanwhile is called once it is at work; then
// it is asked to end, unless it does so by itself.
func (b *box) start(t *testing.T, meanwhile func()) (code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "run", "--config", b.config)
	cmd.Env = append(os.Environ(), asAgent+"=1")
	cmd.SysProcAttr = ownNamespaces()
	out, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stderr = out
	if err := cmd.Start(); err != nil {
		t.Skipf("the kernel gives us no user namespace: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	said := func() string { s, _ := os.ReadFile(out.Name()); return string(s) }
	asked := false
	for {
		select {
		case err = <-ended:
			b.log.WriteString(said())
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			return cmd.ProcessState.ExitCode()
		case <-time.After(20 * time.Millisecond):
		}
		if !asked && strings.Contains(said(), "agent starts") && strings.Contains(said(), "uplink is down") {
			asked = true
			if meanwhile != nil {
				meanwhile()
				continue // it ends by itself, or the context ends it
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestStartsWithoutBrokerAndPorts: nothing of the network is needed to run, and
// it ends within seconds when asked.
func TestStartsWithoutBrokerAndPorts(t *testing.T) {
	for name, url := range map[string]string{
		"refused":    "mqtt://127.0.0.1:1",
		"no address": "mqtt://broker.invalid:1883",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, url)
			began := time.Now()
			if code := b.start(t, nil); code != 0 {
				t.Errorf("exit code %d\n%s", code, b.log.String())
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// TestBrokenDatabaseNeverLoops plays the supervisor: exit code 75 is started
// again, anything else but 0 is not, and soon it must stay up.
func TestBrokenDatabaseNeverLoops(t *testing.T) {
	cut := func(n int64) func(*testing.T, *box) {
		return func(t *testing.T, b *box) {
			if err := os.Truncate(b.db, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name   string
		before func(*testing.T, *box) // between two runs
		during func(*testing.T, *box) // while it runs
		again  bool                   // it must end with 75 at first
		says   string
	}{
		{name: "empty", before: cut(0), says: "database damaged"},
		{name: "cut between pages", before: cut(3 * 4096), says: "database damaged"},
		{name: "noise", before: func(t *testing.T, b *box) {
			if err := os.WriteFile(b.db, bytes.Repeat([]byte("noise"), 1<<16), 0o600); err != nil {
				t.Fatal(err)
			}
		}, says: "database damaged"},
		{name: "a folder", before: func(t *testing.T, b *box) {
			if err := errors.Join(os.Remove(b.db), os.Mkdir(b.db, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, says: "database damaged"},
		{name: "cut while it is used", during: cut(2 * 4096), again: true, says: "database damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t, "mqtt://127.0.0.1:1")
			if code := b.start(t, nil); code != 0 {
				t.Fatalf("first run: exit code %d\n%s", code, b.log.String())
			}
			if c.before != nil {
				c.before(t, b)
			}
			if c.during != nil {
				code := b.start(t, func() { c.during(t, b) })
				if c.again && code != exitAgain {
					t.Fatalf("exit code %d, want %d\n%s", code, exitAgain, b.log.String())
				}
			}
			if code := b.start(t, nil); code != 0 {
				t.Errorf("exit code %d\n%s", code, b.log.String())
			}
			if !strings.Contains(b.log.String(), c.says) {
				t.Errorf("does not say %q:\n%s", c.says, b.log.String())
			}
		})
	}
}

// TestExitCodes: a supervisor gives up at 78 and tries again at 75.
func TestExitCodes(t *testing.T) {
	t.Run("config", func(t *testing.T) {
		b := newBox(t, "mqtt://127.0.0.1:1")
		if err := os.WriteFile(b.config, []byte("gatway = \"x\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if code := b.start(t, nil); code != exitConfig {
			t.Errorf("exit code %d, want %d", code, exitConfig)
		}
	})
	t.Run("database in use", func(t *testing.T) {
		b := newBox(t, "mqtt://127.0.0.1:1")
		if code := b.start(t, nil); code != 0 {
			t.Fatalf("exit code %d\n%s", code, b.log.String())
		}
		f, err := os.Open(b.db)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		if code := b.start(t, nil); code != exitAgain || !strings.Contains(b.log.String(), "in use by another process") {
			t.Errorf("exit code %d, want %d\n%s", code, exitAgain, b.log.String())
		}
	})
}

// TestSentConfigurationThatIsRefused: the agent works with the file, also where
// it had worked with the one that was sent before, and the trial goes on.
func TestSentConfigurationThatIsRefused(t *testing.T) {
	for _, state := range []desired.State{desired.Settled, desired.Applying} {
		b := newBox(t, "mqtt://127.0.0.1:1")
		text, err := os.ReadFile(b.config)
		if err != nil {
			t.Fatal(err)
		}
		bad := string(text) + "[[nac.hook]]\nname = \"soc\"\nkind = \"webhook\"\nurl = \"https://soc.invalid/\"\nsecret = \"/nowhere\"\n"
		trial := desired.Trial{State: state, Old: bad}
		if state != desired.Settled {
			trial = desired.Trial{State: state, New: bad, ID: "statement-1"}
		}
		keep := kept.Open(filepath.Join(filepath.Dir(b.db), "desired"))
		if err := trial.Save(keep); err != nil {
			t.Fatal(err)
		}
		if code := b.start(t, nil); code != 0 || !strings.Contains(b.log.String(), "the configuration that was sent is not used") {
			t.Errorf("%s: exit code %d\n%s", state, code, b.log.String())
		}
		if now, err := desired.LoadTrial(keep); err != nil || state == desired.Applying && now.Starts != 1 {
			t.Errorf("%s: the start is not counted: %+v, %v", state, now, err)
		}
	}
}
