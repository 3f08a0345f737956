package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
)

// agent is the running wardkeeper, or the virtual machine that it runs in.
type agent struct {
	cmd     *exec.Cmd
	log     *os.File
	patches []*ward.Patch // of a virtual machine
	done    chan struct{}
	err     error // of Wait, once done is closed
}

// wait notes how it ends.
func (a *agent) wait() {
	a.err = errors.Join(a.cmd.Wait(), a.unpatch())
	a.log.Close()
	close(a.done)
}

// unpatch takes the machine's cables out.
func (a *agent) unpatch() error {
	var errs []error
	for _, p := range a.patches {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// startAgent starts the program in the current namespaces.
func startAgent(program string, files gatewayFiles) (*agent, error) {
	log, err := os.Create(files.log())
	if err != nil {
		return nil, fmt.Errorf("agent's log: %w", err)
	}
	a := &agent{cmd: exec.Command(program, "run", "--config", files.config()), log: log, done: make(chan struct{})}
	a.cmd.Stdout, a.cmd.Stderr = log, log
	a.cmd.Dir = files.dir
	if err := a.cmd.Start(); err != nil {
		log.Close()
		return nil, fmt.Errorf("start agent: %w", err)
	}
	go a.wait()
	return a, nil
}

// ended says how the agent ended by itself, "" while it runs.
func (a *agent) ended() string {
	select {
	case <-a.done:
	default:
		return ""
	}
	if a.err == nil {
		return "exit status 0"
	}
	return a.err.Error()
}

// stop asks the agent to end, and makes it after patience.
func (a *agent) stop(patience time.Duration) error {
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop agent: %w", err)
	}
	select {
	case <-a.done:
		return nil
	case <-time.After(patience):
	}
	err := a.cmd.Process.Kill()
	<-a.done
	return errors.Join(fmt.Errorf("agent did not stop within %v of SIGTERM", patience), err)
}

// lastLines is the end of a log file.
func lastLines(path string, n int) []string {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return lines
}
