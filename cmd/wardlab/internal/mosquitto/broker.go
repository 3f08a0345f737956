package mosquitto

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrMissing says what to install.
var ErrMissing = errors.New("needs the apt package mosquitto")

// Find returns the broker's program. Debian puts it where only root looks.
func Find() (string, error) {
	if p, err := exec.LookPath("mosquitto"); err == nil {
		return p, nil
	}
	const sbin = "/usr/sbin/mosquitto"
	if _, err := os.Stat(sbin); err != nil {
		return "", ErrMissing
	}
	return sbin, nil
}

// Broker is a running mosquitto.
type Broker struct {
	cmd  *exec.Cmd
	port int
	log  string
	done chan struct{}
}

// Start runs the program on a loopback port of the current network namespace,
// with its files in dir, and returns once it listens.
func Start(program, dir string) (*Broker, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return launch(program, dir, port, config(port, dir))
}

// launch runs the program with a configuration that listens on the port; where
// it logs to, and as whom it runs, is added.
func launch(program, dir string, port int, config string) (*Broker, error) {
	b := &Broker{port: port, log: filepath.Join(dir, "mosquitto.log"), done: make(chan struct{})}
	config += "\nlog_dest file " + b.log + "\nlog_type error\nlog_type warning\n"
	if os.Geteuid() == 0 { // else it becomes the user mosquitto, which dir is closed to
		config += "user root\n"
	}
	conf := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(conf, []byte(config), 0o600); err != nil {
		return nil, fmt.Errorf("mosquitto: %w", err)
	}
	b.cmd = exec.Command(program, "-c", conf)
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start mosquitto: %w", err)
	}
	go func() {
		b.cmd.Wait()
		close(b.done)
	}()
	if err := b.awaitListener(5 * time.Second); err != nil {
		b.cmd.Process.Kill()
		<-b.done
		return nil, err
	}
	return b, nil
}

// config keeps sessions on disk and drops nothing for want of room in a queue:
// the broker's own limits are not what is measured.
func config(port int, dir string) string {
	return strings.Join([]string{
		"listener " + strconv.Itoa(port) + " 127.0.0.1",
		"allow_anonymous true",
		"persistence true",
		"persistence_location " + dir + "/",
		"max_queued_messages 0",
	}, "\n")
}

// freePort is a port nobody listens on just now.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("mosquitto: find a port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (b *Broker) awaitListener(patience time.Duration) error {
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp4", b.Addr())
		if err == nil {
			return c.Close()
		}
		if !b.Running() {
			break
		}
	}
	log, _ := os.ReadFile(b.log)
	return fmt.Errorf("mosquitto does not listen on %s: %s", b.Addr(), strings.TrimSpace(string(log)))
}

// Addr is where it listens.
func (b *Broker) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)) }

// Running reports whether the process is alive.
func (b *Broker) Running() bool {
	select {
	case <-b.done:
		return false
	default:
		return true
	}
}

// Stop ends it.
func (b *Broker) Stop() error {
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop mosquitto: %w", err)
	}
	select {
	case <-b.done:
		return nil
	case <-time.After(5 * time.Second):
	}
	err := b.cmd.Process.Kill()
	<-b.done
	return errors.Join(errors.New("mosquitto did not stop within 5 s of SIGTERM"), err)
}
