package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/lab"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// mortal is an agent that is killed and started again on the same files.
type mortal struct {
	program, dir string
	cmd          *exec.Cmd
	begin        time.Time // of the last start
	done         chan struct{}
}

// newMortal writes the agent's files; it is not started.
func newMortal(program, dir string, c *cast.Cast, mqttPort int) (*mortal, error) {
	m := &mortal{program: program, dir: dir}
	policy, err := lab.Policy(c, "enforce")
	if err != nil {
		return nil, err
	}
	q := strconv.Quote
	ports := make([]string, 0, 5)
	for _, p := range ward.WardPorts() {
		ports = append(ports, q(p))
	}
	config := strings.Join([]string{
		"gateway = " + q(c.Gateway), "lab = true", `mode = "bridge"`,
		"[site]", "name = " + q(c.Site), "internal = [" + q(c.Subnet.String()) + "]",
		"[ports]", "uplink = " + q(ward.Uplink), "ward = [" + strings.Join(ports, ", ") + "]",
		"[uplink]", "url = " + q(fmt.Sprintf("mqtt://127.0.0.1:%d", mqttPort)),
		"[policy]", "file = " + q(m.path("policy.toml")),
		"[state]", "dir = " + q(m.path("state")),
		"[outbox]", "cap_mib = 8", // room for a run; a small file is quickly made
	}, "\n") + "\n"
	if err := os.MkdirAll(m.path("state"), 0o700); err != nil {
		return nil, err
	}
	err = os.WriteFile(m.path("policy.toml"), []byte(policy), 0o600)
	return m, errors.Join(err, os.WriteFile(m.path("wardkeeper.toml"), []byte(config), 0o600))
}

func (m *mortal) path(name string) string { return filepath.Join(m.dir, name) }

// start runs it; its log grows over its lives.
func (m *mortal) start() error {
	log, err := os.OpenFile(m.path("agent.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	m.cmd = exec.Command(m.program, "run", "--config", m.path("wardkeeper.toml"))
	m.cmd.Stdout, m.cmd.Stderr, m.cmd.Dir = log, log, m.dir
	m.begin, m.done = time.Now(), make(chan struct{})
	if err := m.cmd.Start(); err != nil {
		return fmt.Errorf("start agent: %w", err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		cmd.Wait()
		close(done)
	}(m.cmd, m.done)
	return nil
}

// kill is kill -9; it returns when the process is no more. That it had ended
// before is an error.
func (m *mortal) kill() error {
	if err := m.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill agent: %w", err)
	}
	<-m.done
	if s := m.cmd.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != syscall.SIGKILL {
		return fmt.Errorf("the agent ended by itself before it was killed: %v", m.cmd.ProcessState)
	}
	return nil
}

// stop asks it to end.
func (m *mortal) stop() error {
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop agent: %w", err)
	}
	select {
	case <-m.done:
	case <-time.After(10 * time.Second):
		return errors.Join(errors.New("the agent did not end within 10 s of SIGTERM"), m.kill())
	}
	if !m.cmd.ProcessState.Success() {
		return fmt.Errorf("the agent ended with %v after SIGTERM", m.cmd.ProcessState)
	}
	return nil
}

// end makes sure that nothing runs on.
func (m *mortal) end() {
	if m.cmd != nil && m.cmd.Process != nil {
		m.cmd.Process.Kill()
		<-m.done
	}
}

// forget removes the database, as a failing disk does.
func (m *mortal) forget() error {
	files, err := filepath.Glob(m.path("state/*"))
	if err == nil && len(files) == 0 {
		err = errors.New("no database to remove")
	}
	for _, f := range files {
		err = errors.Join(err, os.RemoveAll(f))
	}
	return err
}

// lastWords is the end of the log.
func (m *mortal) lastWords() string {
	b, _ := os.ReadFile(m.path("agent.log"))
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-25):], "\n")
}
