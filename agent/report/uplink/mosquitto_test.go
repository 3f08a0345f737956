//go:build unix

package uplink

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/event"
)

// mosquitto is the real broker as a child process, with a database that it
// writes after every change, so that a kill does not lose what it acknowledged.
type mosquitto struct {
	t    *testing.T
	bin  string
	conf string
	cmd  *exec.Cmd
	addr string
}

func newMosquitto(t *testing.T) *mosquitto {
	t.Helper()
	bin, err := exec.LookPath("mosquitto")
	if err != nil {
		if bin = "/usr/sbin/mosquitto"; !exists(bin) {
			if os.Getenv("CI") == "true" {
				t.Fatal("needs the apt package mosquitto")
			}
			t.Skip("needs the apt package mosquitto")
		}
	}
	dir := t.TempDir()
	m := &mosquitto{t: t, bin: bin, conf: filepath.Join(dir, "mosquitto.conf"), addr: freeAddr(t)}
	conf := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\nautosave_on_changes true\nautosave_interval 1\nmax_queued_messages 0\nlog_type none\n",
		m.addr[strings.LastIndex(m.addr, ":")+1:], dir)
	if os.Getuid() == 0 {
		conf += "user root\n"
	}
	if err := os.WriteFile(m.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(m.kill)
	return m
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (m *mosquitto) start() {
	m.t.Helper()
	m.cmd = exec.Command(m.bin, "-c", m.conf)
	m.cmd.Stderr = os.Stderr
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	until(m.t, "mosquitto listens", 5*time.Second, func() bool {
		c, err := net.Dial("tcp", m.addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (m *mosquitto) kill() {
	if m.cmd == nil {
		return
	}
	m.cmd.Process.Kill()
	m.cmd.Wait()
	m.cmd = nil
}

// The broker is killed in mid-stream and comes back: what was in flight is sent
// again, and the collector has every number.
func TestMosquittoKilled(t *testing.T) {
	m := newMosquitto(t)
	c := collect(t, m.addr, nil)
	s := openStore(t, dbPath(t))
	defer s.Close()
	r := start(t, s, at(m.addr))
	n := 0
	emit := func(count int) {
		for range count {
			r.emit(event.Alert, n)
			n++
			time.Sleep(2 * time.Millisecond)
		}
	}
	for range 3 {
		emit(60)
		until(t, "something acknowledged", 10*time.Second, func() bool { return r.up.Status().Acked > 0 })
		emit(20)
		m.kill()
		emit(20)
		until(t, "the loss is seen", 5*time.Second, func() bool { return !r.up.Status().Connected })
		m.start()
		until(t, "a new session", 10*time.Second, func() bool { return r.up.Status().Connected })
	}
	until(t, "all acknowledged", 20*time.Second, func() bool { return r.box.Stats().Pending["alert"] == 0 && r.box.Stats().Seq["alert"] == uint64(n) })
	until(t, "the collector has all", 10*time.Second, func() bool { missing, _ := c.missing("alert", uint64(n)); return len(missing) == 0 })
	_, twice := c.missing("alert", uint64(n))
	t.Logf("%d alerts, %d of them twice, %d sessions", n, twice, r.up.Status().Sessions)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
}

// A broker that is stopped, not dead: the kernel takes our data, nobody
// answers. The session ends by the limit for acknowledgements.
func TestMosquittoStopped(t *testing.T) {
	m := newMosquitto(t)
	s := openStore(t, dbPath(t))
	defer s.Close()
	d := at(m.addr)
	r := start(t, s, d, func(u *Uplink) { u.ackLimit = 300 * time.Millisecond })
	until(t, "a session", 5*time.Second, func() bool { return r.up.Status().Connected })
	m.cmd.Process.Signal(syscall.SIGSTOP)
	r.emit(event.Alert, 0)
	until(t, "the loss is seen", 5*time.Second, func() bool { return !r.up.Status().Connected })
	if st := r.up.Status(); !strings.Contains(st.LastError, errSlow.Error()) && !strings.Contains(st.LastError, "connect") {
		t.Errorf("%+v", st)
	}
	if p := r.box.Stats().Pending["alert"]; p != 1 {
		t.Errorf("%d alerts are kept, want 1", p)
	}
	m.cmd.Process.Signal(syscall.SIGCONT)
	c := collect(t, m.addr, nil)
	r.emit(event.Alert, 1)
	until(t, "both acknowledged", 30*time.Second, func() bool { return r.box.Stats().Pending["alert"] == 0 && r.box.Stats().Seq["alert"] == 2 })
	if missing, _ := c.missing("alert", 2); len(missing) > 1 || len(missing) == 1 && missing[0] != 1 {
		t.Errorf("missing %v", missing) // the first may have been there before the collector
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
}

// The will tells of a gateway that dies without a word.
func TestMosquittoWill(t *testing.T) {
	m := newMosquitto(t)
	c := collect(t, m.addr, nil)
	will := Message{Topic: "wardkeeper/v1/st-mary/gw1/state", Retained: true, Payload: []byte(`{"v":1,"site":"st-mary","gw":"gw1","online":false}`)}
	s, err := at(m.addr).Connect(t.Context(), will, ignore)
	if err != nil {
		t.Fatal(err)
	}
	s.Close(false)
	until(t, "the will", 5*time.Second, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.states) == 1 && c.states[0] == string(will.Payload)
	})
}

func TestHearsAtMosquitto(t *testing.T) { hears(t, newMosquitto(t).addr) }
