package hostapd

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/nac"
	"github.com/wardkeeper/wardkeeper/agent/store"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/linux"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

const secret = "ward secret"

// What the tests take for the effect to set in, and for silence.
const (
	settle = 500 * time.Millisecond
	quiet  = 1500 * time.Millisecond
)

func newSwitch(t *testing.T, opt Options) *Switch {
	t.Helper()
	p, err := Find()
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	opt.Dir, opt.Secret = t.TempDir(), secret
	s, err := New(p, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("hostapd:\n%s", s.Log())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ears is the gateway's capture of its ward port.
type ears struct {
	clock platform.Clock
	done  chan struct{}
	end   atomic.Bool

	mu   sync.Mutex
	last map[fact.MAC]time.Duration
	n    map[fact.MAC]int
}

func listen(t *testing.T, host platform.Host) *ears {
	t.Helper()
	src, err := host.Capture.Open(Uplink, platform.CaptureOptions{RingBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	e := &ears{clock: host.Clock, done: make(chan struct{}), last: make(map[fact.MAC]time.Duration), n: make(map[fact.MAC]int)}
	go func() {
		defer close(e.done)
		defer src.Close()
		for !e.end.Load() {
			f, err := src.Next(50 * time.Millisecond)
			if err == nil && f.Dir == platform.Ingress && len(f.Data) > 14 {
				e.hear(fact.MAC(f.Data[6:12]))
			}
		}
	}()
	t.Cleanup(func() { e.end.Store(true); <-e.done })
	return e
}

func (e *ears) hear(m fact.MAC) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last[m] = e.clock.Mono()
	e.n[m]++
}

// LastTalk makes the ears the Wire of nac.
func (e *ears) LastTalk(id device.ID) (time.Duration, bool) {
	m, err := fact.ParseMAC(strings.TrimPrefix(string(id), "local:"))
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last[m], err == nil
}

// heard counts the frames of the device in a while.
func (e *ears) heard(d *Device, while time.Duration) int {
	count := func() int {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.n[fact.MAC(d.MAC)]
	}
	before := count()
	time.Sleep(while)
	return count() - before
}

// gateway is the agent's room with the real clock, ledger and wire.
type gateway struct {
	*nac.Task
	ears *ears
	host platform.Host

	mu   sync.Mutex
	told []string
}

func (g *gateway) Emit(e event.Event) {
	n := e.Body.(event.NAC)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = append(g.told, strings.TrimSpace(n.Hook+" "+n.State+" "+n.Effect)+": "+n.Text)
}

func (g *gateway) said() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.told)
}

type inventory struct {
	snap  device.Snapshot
	ready chan struct{}
}

func (i inventory) Snapshot() *device.Snapshot { return &i.snap }
func (i inventory) Ready() <-chan struct{}     { return i.ready }

func idOf(d *Device) device.ID { return device.IDOf(fact.MAC(d.MAC)) }

// newGateway starts the room with the hooks; specs get the secret of the gateway
// where they name none.
func newGateway(t *testing.T, s *Switch, host platform.Host, specs ...nac.Spec) *gateway {
	t.Helper()
	g := &gateway{ears: listen(t, host), host: host}
	ck := clock.New(host.Clock, time.Unix(0, 0))
	opt := nac.Options{Wire: g.ears, Counts: func(*device.Device) bool { return false }, Clock: ck, Board: &health.Board{}, Events: g,
		Log: slog.New(slog.DiscardHandler), Settle: settle, Quiet: quiet}
	good := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(good, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, spec := range specs {
		if spec.Secret == "" {
			spec.Secret = good
		}
		h, err := nac.NewHook(spec, nac.Means{Clock: ck, Dial: host.Dial, Prompt: host.Prompt})
		if err != nil {
			t.Fatal(err)
		}
		opt.Hooks = append(opt.Hooks, h)
	}
	inv := inventory{ready: make(chan struct{})}
	close(inv.ready)
	for _, d := range []*Device{s.Guarded(), s.Open()} {
		inv.snap.Devices = append(inv.snap.Devices, device.Device{ID: idOf(d), MAC: fact.MAC(d.MAC), Port: Uplink})
	}
	opt.Inventory = inv
	st, _, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "db"), Size: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	opt.Ledger = st.Room("nac")
	g.Task = nac.New(opt)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, st.Close()); err != nil {
			t.Error(err)
		}
	})
	<-g.Ready()
	return g
}

func (g *gateway) quarantine(t *testing.T, d *Device, how time.Duration) {
	t.Helper()
	if err := g.Quarantine(nac.Order{ID: "cmd-1", Device: idOf(d), By: "alice", Code: "test", For: how}); err != nil {
		t.Fatal(err)
	}
}

// await waits for an event that begins so.
func (g *gateway) await(t *testing.T, begins string, patience time.Duration) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		said := g.said()
		if slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, begins) }) {
			return
		}
		if time.Since(begin) > patience {
			t.Fatalf("not %q within %s, but:\n%s", begins, patience, strings.Join(said, "\n"))
		}
	}
}

// settled waits until nothing is owed.
func (g *gateway) settled(t *testing.T, patience time.Duration) {
	t.Helper()
	for begin := time.Now(); len(g.Status()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("still owed after %s: %+v", patience, g.Status())
		}
	}
}

func linuxHost() platform.Host { return linux.New(linux.Options{}) }

func disconnect(name string) nac.Spec {
	return nac.Spec{Name: name, Kind: nac.KindDisconnect, Reach: nac.ReachDevice, Limit: 5 * time.Second, Server: DAS, NASIdentifier: NAS}
}

// shut is a program that takes a port of the switch down, and up again.
func shut(s *Switch, name, port string) nac.Spec {
	script := `read request; case "$request" in *'"action":"apply"'*) to=down ;; *) to=up ;; esac; exec "$@" $to`
	argv := append([]string{"/bin/sh", "-c", script, name}, s.InSpace()...)
	argv = append(argv, s.programs.IP, "link", "set", "dev", port)
	return nac.Spec{Name: name, Kind: nac.KindExec, Reach: nac.ReachDevice, Limit: 5 * time.Second, Program: argv}
}

// The whole way: let in by EAP, quarantined by a Disconnect-Request, seen silent
// on the wire, released, and let in again when asked to authenticate.
func TestQuarantineAndRelease(t *testing.T) {
	s := newSwitch(t, Options{})
	g := newGateway(t, s, linuxHost(), disconnect("radius"), shut(s, "port", GuardedPort))
	d := s.Guarded()
	if n := g.ears.heard(d, time.Second); n != 0 {
		t.Fatalf("%d frames before it was let in: the port is not locked", n)
	}
	if err := d.Supplicate(); err != nil {
		t.Fatal(err)
	}
	if n := g.ears.heard(d, time.Second); n < 3 {
		t.Fatalf("%d frames in 1 s after it was let in", n)
	}
	g.quarantine(t, d, time.Hour)
	g.await(t, "radius applied confirmed", 20*time.Second)
	if n := g.ears.heard(d, time.Second); n != 0 {
		t.Errorf("%d frames after it was confirmed to be silent", n)
	}
	if n := g.ears.heard(s.Open(), time.Second); n < 3 {
		t.Errorf("%d frames in 1 s of the other device: it was not meant", n)
	}
	if err := g.Release(idOf(d), "bob"); err != nil {
		t.Fatal(err)
	}
	g.settled(t, 30*time.Second)
	back := 0
	for begin := time.Now(); back == 0 && time.Since(begin) < 20*time.Second; {
		back = g.ears.heard(d, 200*time.Millisecond)
	}
	if back == 0 {
		t.Error("released, and it does not come back")
	}
	want := []string{"radius applying: ", "radius applied: Disconnect-ACK", "radius applied confirmed: Disconnect-ACK", "radius undoing confirmed: Disconnect-ACK",
		"radius undone confirmed: asked the device to authenticate again"}
	if diff := cmp.Diff(want, g.said()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// An order ends by itself.
func TestExpiry(t *testing.T) {
	s := newSwitch(t, Options{})
	g := newGateway(t, s, linuxHost(), shut(s, "port", OpenPort))
	if n := g.ears.heard(s.Open(), time.Second); n < 3 {
		t.Fatalf("%d frames in 1 s before", n)
	}
	g.quarantine(t, s.Open(), 6*time.Second)
	g.await(t, "port applied confirmed", 6*time.Second)
	g.settled(t, 15*time.Second)
	if n := g.ears.heard(s.Open(), 2*time.Second); n < 3 {
		t.Errorf("%d frames in 2 s after the end", n)
	}
}

// A hook that does not get through, or has no effect, hands over to the next.
func TestNextHook(t *testing.T) {
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("another secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*nac.Spec) // of the first hook
		opt    Options
		open   bool   // it is about the device that hostapd does not know
		late   bool   // our clock is
		want   string // of the first hook
	}{
		{"wrong secret", func(s *nac.Spec) { s.Secret = wrong }, Options{}, false, false, "radius doubtful: no answer from 192.0.2.2:3799"},
		{"nobody there", func(s *nac.Spec) { s.Server = "192.0.2.2:3800" }, Options{}, true, false, "radius doubtful: no answer from 192.0.2.2:3800"},
		{"another NAS is meant", func(s *nac.Spec) { s.NASIdentifier = "sw-8a" }, Options{}, true, false, "radius failed: Disconnect-NAK 403 NAS-Identification-Mismatch"},
		{"it has no session", func(*nac.Spec) {}, Options{}, true, false, "radius failed: Disconnect-NAK 503 Session-Context-Not-Found"},
		{"our clock is off", func(*nac.Spec) {}, Options{}, true, true, "radius doubtful: no answer from 192.0.2.2:3799"},
		{"acknowledged, and the device talks on", func(*nac.Spec) {}, Options{Untied: true}, false, false, "radius applied not-effective: Disconnect-ACK"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSwitch(t, tt.opt)
			d, port := s.Guarded(), GuardedPort
			if tt.open {
				d, port = s.Open(), OpenPort
			} else if err := d.Supplicate(); err != nil {
				t.Fatal(err)
			}
			first := disconnect("radius")
			first.Limit = 1500 * time.Millisecond
			tt.change(&first)
			host := linuxHost()
			if tt.late {
				host.Clock = off{host.Clock}
			}
			g := newGateway(t, s, host, first, shut(s, "port", port))
			if n := g.ears.heard(d, time.Second); n < 3 {
				t.Fatalf("%d frames in 1 s before", n)
			}
			g.quarantine(t, d, time.Hour)
			g.await(t, "port applied confirmed", 20*time.Second)
			g.await(t, tt.want, 0)
			if n := g.ears.heard(d, 500*time.Millisecond); n != 0 {
				t.Errorf("%d frames after it was confirmed to be silent", n)
			}
			if err := g.Release(idOf(d), "bob"); err != nil {
				t.Fatal(err)
			}
			g.await(t, "port undone", 10*time.Second)
		})
	}
}

// off is a clock that is an hour late.
type off struct{ platform.Clock }

func (o off) Now() time.Time { return o.Clock.Now().Add(-time.Hour) }

// The control of the Message-Authenticator: the same request without one gets no
// answer, so the answers above are to requests that had a right one.
func TestWithoutMessageAuthenticator(t *testing.T) {
	newSwitch(t, Options{})
	conn, err := net.Dial("udp", DAS)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := append([]byte{40, 9, 0}, make([]byte, 16)...)
	p = append(append(p, 31, 19), "02-00-00-00-01-01"...)
	p = binary.BigEndian.AppendUint32(append(p, 55, 6), uint32(time.Now().Unix()))
	p[3] = byte(len(p))
	sum := md5.Sum(append(bytes.Clone(p), secret...))
	copy(p[4:], sum[:])
	if _, err := conn.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 4096)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes of an answer (%v)", n, err)
	}
}
