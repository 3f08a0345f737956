package agent

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/config"
	"github.com/wardkeeper/wardkeeper/agent/store"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// gateway is a whole agent on a box in memory, in the time of a synctest
// bubble: its ports, serial line and broker are in the hands of the test, its
// database is a real file.
type gateway struct {
	t      *testing.T
	dir    string // with the configuration and the state
	host   *fake.Host
	line   *fake.Line
	broker *broker
	log    *logBook
	agent  *Agent
	by     Supervisor
	end    func() error // nil: not running
}

const gatewayConfig = `gateway = "gw1"
lab     = %v
[site]
name     = "s1"
internal = ["10.0.0.0/8"]
[ports]
uplink = "up0"
ward   = ["w1", "w2"]
[uplink]
url = "mqtt://127.0.0.1:1883"
[console]
device = "ttyS0"
[policy]
file = %q
[state]
dir = %q
[outbox]
cap_mib = 1
`

// inGateway runs a test on a gateway that is not started yet; the policy may be
// empty.
func inGateway(t *testing.T, policy string, test func(g *gateway)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, dir, policy)
		test(g)
		if g.end != nil {
			g.stop()
		}
	})
}

// newGateway makes one with its state in the folder dir.
func newGateway(t *testing.T, dir, policy string) *gateway {
	g := &gateway{t: t, dir: dir, host: fake.New(), broker: &broker{}, log: &logBook{}}
	for _, name := range []string{"up0", "w1", "w2"} {
		g.host.Ports.Add(platform.Link{Name: name, Master: "br0"})
	}
	g.line = g.host.Serial.Add("ttyS0")
	g.host.Self.Register("db-check", func(_ context.Context, args []string) error { return store.Check(args[0]) })
	g.configure(true, policy)
	return g
}

// configure writes the files of the gateway.
func (g *gateway) configure(lab bool, policy string) {
	file := ""
	if policy != "" {
		file = filepath.Join(g.dir, "policy.toml")
		g.write(file, policy)
	}
	g.write(filepath.Join(g.dir, "wardkeeper.toml"), fmt.Sprintf(gatewayConfig, lab, file, g.state()))
}

func (g *gateway) write(file, text string) {
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) state() string { return filepath.Join(g.dir, "state") }
func (g *gateway) db() string    { return filepath.Join(g.state(), storeFile) }

func (g *gateway) config() *config.Config {
	file := filepath.Join(g.dir, "wardkeeper.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		g.t.Fatal(err)
	}
	cfg, err := Configured(file, text, g.host.Clock, time.Now().Add(-time.Hour), slog.New(slog.DiscardHandler))
	if err != nil {
		g.t.Fatal(err)
	}
	return cfg
}

func (g *gateway) platform() platform.Host {
	h := g.host.Host()
	h.Dial = g.broker.dial
	return h
}

// start runs the agent and lets it come up.
func (g *gateway) start() {
	g.t.Helper()
	a, err := New(context.Background(), g.config(), g.platform(), slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Build{Version: "test", Time: time.Now().Add(-time.Hour)}, g.by)
	if err != nil {
		g.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	g.agent, g.end = a, func() error { cancel(); return <-ended }
	g.wait(2 * time.Second)
}

// stop ends the agent as SIGTERM does.
func (g *gateway) stop() {
	g.t.Helper()
	if err := g.end(); err != nil {
		g.t.Errorf("agent ended: %v", err)
	}
	g.end = nil
	time.Sleep(time.Minute) // paho's goroutines end in their own time
}

// wait lets time pass.
func (g *gateway) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// show is what the console answers to a command, to its last page.
func (g *gateway) show(command string) string {
	g.t.Helper()
	if _, err := g.line.Write([]byte(command + "\r")); err != nil {
		g.t.Fatal(err)
	}
	var out bytes.Buffer
	for buf := make([]byte, 4096); ; {
		_ = g.line.SetReadDeadline(time.Now().Add(2 * time.Second))
		n, err := g.line.Read(buf)
		out.Write(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if !bytes.HasSuffix(out.Bytes(), []byte("q ends")) {
				break
			}
			_, err = g.line.Write([]byte(" "))
		}
		if err != nil {
			g.t.Fatal(err)
		}
	}
	return strings.ReplaceAll(out.String(), "\r\n", "\n")
}

// shows fails the test unless the console's answer has all the texts.
func (g *gateway) shows(command string, want ...string) {
	g.t.Helper()
	got := g.show(command)
	for _, w := range want {
		if !strings.Contains(got, w) {
			g.t.Errorf("%s does not show %q:\n%s", command, w, got)
		}
	}
}

// conditions are the codes on the health board.
func (g *gateway) conditions() []string {
	out := []string{}
	for _, c := range g.agent.board.Conditions() {
		out = append(out, c.Code)
	}
	return out
}

// reachesPump asks the kernel what becomes of a telnet connection from another
// ward port to the pump.
func (g *gateway) reachesPump() bool {
	pump := pumpMAC()
	syn := hosttest.IPv4("10.40.122.66", "10.40.122.103", 6, 0, hosttest.TCP(40000, 23, 2))
	return g.host.Firewall.Decide(fake.Packet{In: "w2", Out: "w1", Frame: hosttest.Ethernet(pump, [6]byte{0, 0x11, 0x22, 0, 0, 0x66}, 0x0800, syn)}).Accepted
}

// replay lets the recorded frames of a virtual ward's port pass the port, with
// their pauses. mac is the device on the port.
func (g *gateway) replay(port, file string, mac [6]byte) {
	g.t.Helper()
	last := time.Duration(0)
	for _, r := range recorded(g.t, filepath.Join("../cmd/wardctl/testdata/ward", file)) {
		dir := platform.Egress
		if bytes.Equal(r.frame[6:12], mac[:]) {
			dir = platform.Ingress
		}
		time.Sleep(r.at - last)
		last = r.at
		g.host.Ports.Inject(port, dir, r.frame)
	}
	g.wait(3 * time.Second)
}

// record is a frame of a capture file.
type record struct {
	at    time.Duration // since the first
	frame []byte
}

// recorded reads a little-endian pcap file of microseconds.
func recorded(t *testing.T, file string) (out []record) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var first time.Duration
	for data = data[24:]; len(data) > 16; {
		field := func(n int) int { return int(binary.LittleEndian.Uint32(data[4*n:])) }
		at := time.Duration(field(0))*time.Second + time.Duration(field(1))*time.Microsecond
		if len(out) == 0 {
			first = at
		}
		end := 16 + field(2)
		out = append(out, record{at - first, data[16:end]})
		data = data[end:]
	}
	if len(out) == 0 {
		t.Fatalf("%s has no frames", file)
	}
	return out
}

// logBook keeps what is logged.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// lines are those with the text.
func (l *logBook) lines(text string) (out []string) {
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, text) {
			out = append(out, line)
		}
	}
	return out
}
