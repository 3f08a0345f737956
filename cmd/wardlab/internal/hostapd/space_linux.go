package hostapd

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/vishvananda/netns"
)

// space is a network namespace.
type space struct{ handle netns.NsHandle }

// onThread runs fn on a thread of its own that is thrown away: one that was in
// another namespace is never used again.
func onThread(fn func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- fn()
	}()
	return <-done
}

func newSpace() (s space, err error) {
	err = onThread(func() (err error) {
		if s.handle, err = netns.New(); err != nil {
			return fmt.Errorf("new network namespace: %w", err)
		}
		// No router solicitations and MLD reports: a device says what the test says.
		return os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
	})
	return s, err
}

func (s space) do(fn func() error) error {
	return onThread(func() error {
		if err := netns.Set(s.handle); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
		return fn()
	})
}

func (s space) close() error { return s.handle.Close() }

// daemon is a program that runs until it is stopped.
type daemon struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{}
}

// start runs the program in the namespace, its output goes to the file.
func (s space) start(log string, argv ...string) (*daemon, error) {
	f, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	d := &daemon{cmd: exec.Command(argv[0], argv[1:]...), log: f, done: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = f, f
	if err := s.do(d.cmd.Start); err != nil {
		f.Close()
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	go func() {
		defer close(d.done)
		_ = d.cmd.Wait() // its log says why
	}()
	return d, nil
}

// running reports that the program has not ended.
func (d *daemon) running() bool {
	select {
	case <-d.done:
		return false
	default:
		return true
	}
}

// stop ends the program, gently first.
func (d *daemon) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-d.done:
	case <-time.After(3 * time.Second):
		_ = d.cmd.Process.Kill()
		<-d.done
	}
	d.log.Close()
}

// said is what the program wrote.
func (d *daemon) said() string {
	b, _ := os.ReadFile(d.log.Name())
	return string(b)
}

// until waits for ok, while the daemon runs.
func (d *daemon) until(what string, patience time.Duration, ok func() bool) error {
	for begin := time.Now(); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > patience || !d.running() {
			return fmt.Errorf("%s: not %s within %s:\n%s", d.cmd.Path, what, patience, d.said())
		}
	}
	return nil
}
