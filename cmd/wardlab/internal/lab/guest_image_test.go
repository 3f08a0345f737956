//go:build image

package lab

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/collect"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/ward"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/witness"
)

// imageFolder is the built image that the tests run; `make test-image` names it.
func imageFolder(t *testing.T) string {
	t.Helper()
	if why := os.Getenv(refusedEnv); why != "" {
		t.Skip(why)
	}
	image := os.Getenv("WARDKEEPER_IMAGE")
	if image == "" {
		t.Skip("WARDKEEPER_IMAGE names no built image: make test-image")
	}
	for program, pkg := range map[string]string{"qemu-system-aarch64": "qemu-system-arm", "mcopy": "mtools"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is missing: apt-get install %s", program, pkg)
		}
	}
	return image
}

// site is the ward around a machine that a test switches on and off.
type site struct {
	*run
	t       *testing.T
	machine guest
	cancel  context.CancelFunc
}

// The frames that are sent from before the machine is on until the test ends.
const (
	denied   = 445 // to the printer, by the intruder
	allowed  = 631
	clinical = 2575 // of the pump, to its server
)

// newSite builds the ward, its witnesses, its broker and its senders; disk is
// one that an earlier run left, "" for a new one.
func newSite(t *testing.T, image, disk string) *site {
	t.Helper()
	c := cast.New(cast.DefaultSeed)
	r := &run{opts: Options{Image: image, Mode: "enforce"}, cast: c, screen: newScreen(&bytes.Buffer{}), book: collect.NewBook(nil)}
	ctx, cancel := context.WithCancel(t.Context())
	s := &site{run: r, t: t, cancel: cancel}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	r.ward, err = ward.BuildApart(c)
	check(err)
	t.Cleanup(r.ward.Close)
	for _, p := range cast.Parts() {
		h := r.ward.Host(p)
		check(h.AddAddr(netip.PrefixFrom(h.Addr, 24)))
	}
	r.stand, err = witness.Watch(r.ward)
	check(err)
	t.Cleanup(r.stand.Close)
	check(r.openBroker())
	t.Cleanup(r.broker.Close)
	r.console, err = openConsole()
	check(err)
	t.Cleanup(func() { r.console.Close() })
	r.files = gatewayFiles{dir: t.TempDir(), console: r.console.slave, broker: "mqtt://" + r.broker.Addr().String()}
	r.files.seenFromGuest(r.onUplink(gatewayHost))
	check(r.files.write(c, "enforce"))
	s.machine, err = newGuest(image, false, r.console.slave, r.files)
	check(err)
	if disk != "" {
		check(tool("cp", "coreutils", "--sparse=always", disk, s.machine.disk))
		// The broker stands at another port than before.
		check(tool("mcopy", "mtools", "-o", "-i", s.machine.disk+espStart, r.files.config(), r.files.policy(), "::"+guestESP))
	}
	t.Cleanup(cancel) // the senders end before their cards go
	s.send(ctx, cast.Intruder, cast.Printer, denied)
	s.send(ctx, cast.Intruder, cast.Printer, allowed)
	s.send(ctx, cast.Pump, cast.PumpServer, clinical)
	return s
}

// send sends the first packet of a connection, a hundred times a second.
func (s *site) send(ctx context.Context, from, to cast.Part, port uint16) {
	s.t.Helper()
	raw, err := s.ward.Host(from).Raw(0)
	if err != nil {
		s.t.Fatal(err)
	}
	a, b := s.cast.Member(from), s.cast.Member(to)
	frame := wire.Ethernet(wire.MAC(b.MAC), wire.MAC(a.MAC), 0x0800, syn(netip.AddrPortFrom(a.Addr, 40000), netip.AddrPortFrom(b.Addr, port)))
	s.clients.wait.Go(func() {
		defer raw.Close()
		for ctx.Err() == nil {
			_ = raw.Write(frame)
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// syn is an IPv4 packet with a TCP SYN (RFC 791, RFC 9293), built without the
// agent's code.
func syn(from, to netip.AddrPort) []byte {
	b := make([]byte, 40)
	b[0], b[3], b[8], b[9] = 0x45, 40, 64, 6
	copy(b[12:], from.Addr().AsSlice())
	copy(b[16:], to.Addr().AsSlice())
	binary.BigEndian.PutUint16(b[20:], from.Port())
	binary.BigEndian.PutUint16(b[22:], to.Port())
	b[32], b[33], b[34] = 0x50, 0x02, 0x10
	sum := func(b []byte, s uint32) uint16 {
		for i := 0; i+1 < len(b); i += 2 {
			s += uint32(binary.BigEndian.Uint16(b[i:]))
		}
		for s > 0xffff {
			s = s>>16 + s&0xffff
		}
		return ^uint16(s)
	}
	binary.BigEndian.PutUint16(b[10:], sum(b[:20], 0))
	pseudo := slices.Concat(b[12:20], []byte{0, 6, 0, 20}, b[20:])
	binary.BigEndian.PutUint16(b[36:], sum(pseudo, 0))
	return b
}

// arrived counts what a host got of another at a port.
func (s *site) arrived(at, from cast.Part, port int) uint64 {
	return s.stand.At(at).Arrivals(from)["tcp/"+strconv.Itoa(port)]
}

// received is how many events came so far.
func (s *site) received() (n uint64) {
	for _, a := range s.book.Accounts() {
		n += a.Received
	}
	return n
}

// whole reports whether no event is missing since the first that came: those
// before it went to the broker of an earlier run.
func (s *site) whole() bool {
	accounts := s.book.Accounts()
	return len(accounts) > 0 && !slices.ContainsFunc(accounts, func(a collect.Account) bool {
		return a.Class != "state" && a.Received > 0 && a.Last-a.Lowest+1 != a.Received
	})
}

// on switches the machine on.
func (s *site) on() {
	s.t.Helper()
	var err error
	if s.agent, err = s.machine.start(); err != nil {
		s.t.Fatal(err)
	}
}

// cut takes the power away.
func (s *site) cut() {
	_ = s.agent.cmd.Process.Kill()
	<-s.agent.done
}

// text is the last of what was said.
func (c *console) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.tail)
}

// until waits for something, and says what it was while the machine runs.
func (s *site) until(what string, limit time.Duration, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); waitBriefly() {
		if is() {
			return
		}
		if how := s.agent.ended(); how != "" {
			s.t.Fatalf("the machine ended: %s", how)
		}
	}
	s.t.Fatalf("after %v not yet: %s; the serial line:\n%s", limit, what, s.console.text())
}

// TestImage runs the ward around the image once, so that its devices are known
// and its rules confirmed, and then switches such a gateway on and off under
// traffic. The verdicts are of the cards in the ward.
func TestImage(t *testing.T) {
	image := imageFolder(t)
	kept := t.TempDir()
	var live bytes.Buffer
	learned, err := Run(t.Context(), Options{Image: image, For: 40 * time.Second, Seed: cast.DefaultSeed, Mode: "enforce", Keep: kept, Out: &live, Live: &live})
	if err != nil {
		t.Fatal(err)
	}
	if !learned.Passed {
		t.Fatalf("the ward around the image: %v\n%s", learned.Reasons, live.String())
	}
	disk := filepath.Join(kept, "disk.img")

	// The control: a gateway that knows nothing yet lets all pass, once the empty
	// table is in place.
	t.Run("first boot", func(t *testing.T) {
		s := newSite(t, image, "")
		defer s.cancel()
		s.on()
		defer s.cut()
		s.until("all passes", 30*time.Second, func() bool {
			return s.arrived(cast.Printer, cast.Intruder, denied) > 50 && s.arrived(cast.Printer, cast.Intruder, allowed) > 50
		})
	})
	t.Run("nothing passes before the rules", func(t *testing.T) {
		s := newSite(t, image, disk)
		defer s.cancel()
		s.on()
		defer s.cut()
		s.until("what is allowed passes", 30*time.Second, func() bool {
			return s.arrived(cast.Printer, cast.Intruder, allowed) > 0 && s.arrived(cast.PumpServer, cast.Pump, clinical) > 0
		})
		t.Logf("connected: %d denied, %d allowed packets", s.arrived(cast.Printer, cast.Intruder, denied), s.arrived(cast.Printer, cast.Intruder, allowed))
		if n := s.received(); n > 0 {
			t.Errorf("%d events came before the ward was connected: these are not the rules of the boot", n)
		}
		s.until("the agent is at work", 60*time.Second, func() bool { return s.received() > 0 })
		t.Logf("agent at work: %d denied, %d allowed packets", s.arrived(cast.Printer, cast.Intruder, denied), s.arrived(cast.Printer, cast.Intruder, allowed))
		time.Sleep(5 * time.Second)
		s.console.enter("show status")
		time.Sleep(time.Second)
		s.console.enter("show devices")
		time.Sleep(2 * time.Second)
		if n := s.arrived(cast.Printer, cast.Intruder, denied); n > 0 {
			t.Errorf("%d packets that the rules deny reached the printer; the serial line:\n%s", n, s.console.text())
		}
	})
	t.Run("serial line", func(t *testing.T) { serialLine(t, image, disk) })
	t.Run("agent killed and hung", func(t *testing.T) { deaths(t, image, disk) })
	t.Run("power cuts", func(t *testing.T) { powerCuts(t, image, disk) })
}

// serialLine is a session at the machine's serial line, and noise on it.
func serialLine(t *testing.T, image, disk string) {
	s := newSite(t, image, disk)
	defer s.cancel()
	s.on()
	defer s.cut()
	s.until("the agent is at work", 60*time.Second, func() bool { return s.received() > 0 })
	ask := func(command string, want ...string) {
		t.Helper()
		s.console.forget()
		asked := time.Time{}
		for _, w := range want {
			s.until(command+" shows "+w, 90*time.Second, func() bool {
				if time.Since(asked) > 20*time.Second { // in noise a line may be lost
					asked = time.Now()
					_, _ = s.console.master.Write([]byte{3}) // Ctrl-C, with all that came with it
					time.Sleep(500 * time.Millisecond)
					s.console.enter(command)
				}
				return s.console.said(w)
			})
		}
		time.Sleep(time.Second)
		t.Log(s.console.text())
	}
	session := func() {
		ask("show status", "status    works", "enforce   in place")
		ask("show firmware", "slot", "6.1.")
		ask("show clock", "quality")
		ask("show devices", "infusion-pump-lvp", "patient-monitor")
		ask("show policy", "segment infusion: enforce")
		ask("show uplink", "connected since")
		ask("show log 5", "msg=")
	}
	session()
	if t.Failed() {
		return
	}
	noise := make([]byte, 100<<10)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	before := s.received()
	if _, err := s.console.master.Write(noise); err != nil {
		t.Fatal(err)
	}
	session()
	s.until("events come as before", 60*time.Second, func() bool { return s.received() > before })
	if n := s.arrived(cast.Printer, cast.Intruder, denied); n > 0 {
		t.Errorf("%d packets that the rules deny reached the printer", n)
	}
}

// forget begins anew with what was said.
func (c *console) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tail = nil
}

// deaths has PID 1 kill the agent, and later stop it where it stands, while the
// monitor talks to its central station: nothing of that is lost, the box does
// not start over, and the agent is back each time.
func deaths(t *testing.T, image, disk string) {
	s := newSite(t, image, disk)
	s.machine.test = "kill-agent=8s stop-agent=20s"
	defer s.cancel()
	s.on()
	defer s.cut()
	s.until("the ward is connected", 30*time.Second, func() bool { return s.arrived(cast.PumpServer, cast.Pump, clinical) > 0 })
	ctx, quiet := context.WithCancel(t.Context())
	defer quiet()
	s.send(ctx, cast.Monitor, cast.Central, clinical)
	for _, death := range []string{"killed for the agent", "stopped (signal) for the agent"} {
		s.until(death, 60*time.Second, func() bool { return s.console.said(death) })
		at, before := time.Now(), s.received()
		s.until("the agent ended", 60*time.Second, func() bool { return s.console.said("agent ended: signal: killed") })
		s.until("the agent is back", 60*time.Second, func() bool { return s.received() > before })
		t.Logf("%s: back after %v", death, time.Since(at).Round(100*time.Millisecond))
	}
	quiet()
	time.Sleep(time.Second)
	flow := witness.Flow{From: cast.Monitor, To: cast.Central}
	if sent, got := s.stand.At(cast.Monitor).Sent(flow), s.stand.At(cast.Central).Received(flow); sent < 1000 || got != sent {
		t.Errorf("monitor to its central station: %d packets sent, %d received", sent, got)
	}
	if n := s.arrived(cast.Printer, cast.Intruder, denied); n > 0 {
		t.Errorf("%d packets that the rules deny reached the printer", n)
	}
	if n := strings.Count(s.console.text(), "the ward is connected, filtered"); n != 1 {
		t.Errorf("the box started %d times; the serial line:\n%s", n, s.console.text())
	}
}

// cuts is how often the power is cut; WARDKEEPER_CUTS asks for more.
func cuts(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("WARDKEEPER_CUTS")); err == nil && n > 0 {
		return n
	}
	return 5
}

// powerCuts takes the power away at random moments, before and after the agent
// is up. It must come back by itself, enforcing all the while, with its history.
func powerCuts(t *testing.T, image, disk string) {
	s := newSite(t, image, disk)
	defer s.cancel()
	for n := range cuts(t) {
		after := 2*time.Second + rand.N(14*time.Second)
		t.Logf("cut %d after %v", n+1, after.Round(time.Millisecond))
		s.on()
		time.Sleep(after)
		s.cut()
	}
	s.on()
	defer s.cut()
	before := s.received()
	s.until("the agent is at work again", 60*time.Second, func() bool { return s.received() > before })
	s.until("every event came", 30*time.Second, s.whole)
	if n := s.arrived(cast.Printer, cast.Intruder, denied); n > 0 {
		t.Errorf("%d packets that the rules deny reached the printer", n)
	}
	if s.arrived(cast.PumpServer, cast.Pump, clinical) == 0 {
		t.Error("nothing of the pump reached its server")
	}
	epochs := map[string]bool{}
	for _, a := range s.book.Accounts() {
		epochs[a.Epoch] = true
	}
	if len(epochs) != 1 {
		t.Errorf("epochs %v: a database was lost", epochs)
	}
}
