//go:build image

package lab

import (
	"bytes"
	"context"
	"encoding/binary"
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
	opened  uint64 // denied packets that passed while the gateway was open
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
			s.t.Fatalf("the machine ended: %s\n%s", how, strings.Join(lastLines(s.files.log(), 10), "\n"))
		}
	}
	s.t.Fatalf("after %v not yet: %s; the serial line:\n%s", limit, what, s.console.text())
}

// up switches the machine on until its rules were in place in time, and returns how
// many events there were before.
func (s *site) up() (events uint64) {
	s.t.Helper()
	for range 4 {
		events = s.received()
		s.on()
		s.untilConnected()
		if !s.console.said(tooSlow) {
			return events
		}
		s.t.Log("this machine was too slow for the rules")
		s.cut()
		s.settleDenied()
		s.forget()
	}
	s.t.Fatal("this machine is too slow to say anything")
	return 0
}

// untilConnected waits for the ward to be connected: what is allowed passes.
func (s *site) untilConnected() {
	s.t.Helper()
	printer, server := s.arrived(cast.Printer, cast.Intruder, allowed), s.arrived(cast.PumpServer, cast.Pump, clinical)
	s.until("what is allowed passes", time.Minute, func() bool {
		return s.arrived(cast.Printer, cast.Intruder, allowed) > printer && s.arrived(cast.PumpServer, cast.Pump, clinical) > server
	})
}

// nothingDenied fails if a packet that the rules deny has reached the printer while
// the gateway was not open.
func (s *site) nothingDenied(when string) {
	s.t.Helper()
	if n := s.arrived(cast.Printer, cast.Intruder, denied); n > s.opened {
		s.t.Errorf("%s: %d packets that the rules deny reached the printer; the serial line:\n%s", when, n-s.opened, s.console.text())
	}
}

// TestImage runs the ward around the image once, started by firmware as a board
// does, so that its devices are known and its rules confirmed, and then switches
// such a gateway on and off under traffic. The verdicts are of the cards in the ward.
func TestImage(t *testing.T) {
	image := imageFolder(t)
	kept := t.TempDir()
	var live bytes.Buffer
	learned, err := Run(t.Context(), Options{Image: image, UEFI: true, For: 40 * time.Second, Seed: cast.DefaultSeed, Mode: "enforce", Keep: kept, Out: &live, Live: &live})
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
		events := s.up()
		defer s.cut()
		t.Logf("connected: %d denied, %d allowed packets", s.arrived(cast.Printer, cast.Intruder, denied), s.arrived(cast.Printer, cast.Intruder, allowed))
		if n := s.received() - events; n > 0 {
			t.Errorf("%d events came before the ward was connected: these are not the rules of the boot", n)
		}
		s.until("the agent is at work", 60*time.Second, func() bool { return s.received() > events })
		t.Logf("agent at work: %d denied, %d allowed packets", s.arrived(cast.Printer, cast.Intruder, denied), s.arrived(cast.Printer, cast.Intruder, allowed))
		time.Sleep(5 * time.Second)
		s.console.enter("show status")
		time.Sleep(time.Second)
		s.console.enter("show devices")
		time.Sleep(2 * time.Second)
		s.nothingDenied("at work")
	})
	t.Run("nothing passes before the rules by UEFI", func(t *testing.T) {
		s := newSite(t, image, disk)
		s.machine.uefi = true
		defer s.cancel()
		events := s.up()
		defer s.cut()
		if n := s.received() - events; n > 0 {
			t.Errorf("%d events came before the ward was connected: these are not the rules of the boot", n)
		}
		time.Sleep(5 * time.Second)
		s.nothingDenied("seconds later")
	})
	t.Run("serial line", func(t *testing.T) { serialLine(t, image, disk) })
	t.Run("agent killed and hung", func(t *testing.T) { deaths(t, image, disk) })
	t.Run("power cuts", func(t *testing.T) { powerCuts(t, image, disk) })
}
