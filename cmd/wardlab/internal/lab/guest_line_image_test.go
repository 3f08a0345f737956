//go:build image

package lab

import (
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// forget begins anew with what was said at the serial line, where PID 1 tells what
// becomes of the agent.
func (s *site) forget() {
	s.t.Helper()
	if s.console.said("agent ended") {
		s.t.Errorf("the agent ended over its line:\n%s", s.console.text())
	}
	s.console.mu.Lock()
	defer s.console.mu.Unlock()
	s.console.tail = nil
}

// ask enters a command at the serial line until it shows all that is wanted.
func (s *site) ask(command string, want ...string) {
	s.t.Helper()
	s.forget()
	asked := time.Time{}
	for _, w := range want {
		s.until(command+" shows "+w, 90*time.Second, func() bool {
			if time.Since(asked) > 10*time.Second { // in noise a line may be lost
				asked = time.Now()
				s.enterRaw("\x03") // Ctrl-C, with all that came with it
				time.Sleep(500 * time.Millisecond)
				s.enterRaw(command + "\r")
			}
			return s.console.said(w)
		})
	}
	time.Sleep(500 * time.Millisecond) // for the rest of the answer
	s.t.Log(s.console.text())
}

// enterRaw writes to the line as it is.
func (s *site) enterRaw(text string) {
	s.t.Helper()
	if _, err := s.console.master.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// quiet waits until the console has worked off what came over its line: the
// kernels on both sides of it keep up to a megabyte each, a minute's work.
func (s *site) quiet() {
	s.t.Helper()
	began, last, since := time.Now(), "", time.Now()
	s.until("the line is quiet", 5*time.Minute, func() bool {
		if now := s.console.text(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 3*time.Second
	})
	s.t.Logf("the rest worked off in %s", time.Since(began).Round(time.Second))
}

// noiseBytes is how much noise comes over the line; WARDKEEPER_NOISE asks for more.
// QEMU's UART takes a byte at a time, some 30 KB a second: 10 MB need six minutes
// here, and a quarter of an hour at the 115200 baud of a real line.
func noiseBytes(t *testing.T) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("WARDKEEPER_NOISE")); err == nil && n > 0 {
		return n
	}
	return 256 << 10
}

// xoff is the key of a terminal that stops what it gets.
const xoff = "\x13"

// serialLine is a session at the machine's serial line: what it shows, what it
// opens, noise on it, and an XOFF.
func serialLine(t *testing.T, image, disk string) {
	s := newSite(t, image, disk)
	defer s.cancel()
	events := s.up()
	defer s.cut()
	s.until("the agent is at work", 60*time.Second, func() bool { return s.received() > events })
	s.ask("show status", "status    works", "enforce   in place")
	s.ask("show firmware", "slot", "6.1.")
	s.ask("show clock", "quality")
	s.ask("show devices", "infusion-pump-lvp", "patient-monitor")
	s.ask("show policy", "segment infusion: enforce")
	s.ask("show uplink", "connected since")
	s.ask("show log 5", "msg=")
	if t.Failed() {
		return
	}
	s.ask("show code "+s.cast.Gateway, "good      once, for 10 minutes")
	code := regexp.MustCompile(`code +[0-9A-Z]{4}-[0-9A-Z]{4}\s`)
	if text := s.console.text(); !code.MatchString(text) {
		t.Errorf("no code in\n%s", text)
	}
	pump := s.cast.Member(cast.Pump).MAC
	s.ask("show code "+net.HardwareAddr(pump[:]).String(), "good      once, for 10 minutes")
	s.breakGlass()
	if t.Failed() {
		return
	}

	before, began, sent := s.received(), time.Now(), 0
	for noise := make([]byte, 16<<10); sent < noiseBytes(t); sent += len(noise) {
		for i := range noise {
			noise[i] = byte(rand.Uint32())
		}
		s.enterRaw(string(noise))
	}
	t.Logf("%d KiB of noise in %s", sent>>10, time.Since(began).Round(time.Second))
	s.quiet()
	s.ask("show status", "status    works", "enforce   in place")
	s.until("events come as before", 60*time.Second, func() bool { return s.received() > before })

	// A terminal, or noise, that stops the line and never lets it go on: the
	// console heeds neither.
	before = s.received()
	s.enterRaw(xoff)
	time.Sleep(5 * time.Second)
	s.ask("show clock", "quality")
	s.ask("show devices", "infusion-pump-lvp")
	s.until("events come behind an XOFF", 60*time.Second, func() bool { return s.received() > before })
	s.forget()
	s.nothingDenied("behind noise and XOFF")
}

// breakGlass opens the gateway at its console, and closes it.
func (s *site) breakGlass() {
	s.t.Helper()
	s.nothingDenied("before break-glass")
	s.ask("break-glass 5", "type open to do it")
	s.enterRaw("no\r")
	s.until("nothing opens by a slip", 30*time.Second, func() bool { return s.console.said("Nothing was opened") })
	s.ask("break-glass 5", "type open to do it")
	s.enterRaw("open\r")
	s.until("break-glass opens", 30*time.Second, func() bool { return s.console.said("OPEN for 5 min") })
	s.until("what is denied passes", 10*time.Second, func() bool { return s.arrived(cast.Printer, cast.Intruder, denied) > s.opened+50 })
	time.Sleep(countedEvery)
	n := s.refused()
	time.Sleep(countedEvery)
	if more := s.refused(); more != n {
		s.t.Errorf("open, and the kernel counts %d more packets as denied", more-n)
	}
	s.ask("break-glass off", "Closed: the rules decide again")
	s.settleDenied()
	s.closedFor(2 * countedEvery)
	if s.refused() == n {
		s.t.Error("closed, and the kernel counts no denied packet")
	}
	s.t.Logf("%d denied packets passed while it was open", s.opened)
}

// countedEvery is longer than the agent takes to read the kernel's counters.
const countedEvery = 4 * time.Second

// refused is how many packets the kernel has denied, as the console shows it.
func (s *site) refused() int {
	s.t.Helper()
	s.ask("show denies", "packets denied")
	found := regexp.MustCompile(`(\d+) packets denied`).FindStringSubmatch(s.console.text())
	if found == nil {
		s.t.Fatalf("no counter in\n%s", s.console.text())
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// settleDenied takes down how many denied packets passed while the gateway was open.
func (s *site) settleDenied() {
	time.Sleep(time.Second) // what is under way arrives
	s.opened = s.arrived(cast.Printer, cast.Intruder, denied)
}

// closedFor fails if denied packets pass within that time, or allowed ones do not.
func (s *site) closedFor(d time.Duration) {
	s.t.Helper()
	before := s.arrived(cast.Printer, cast.Intruder, allowed)
	time.Sleep(d)
	if n, ok := s.arrived(cast.Printer, cast.Intruder, denied), s.arrived(cast.Printer, cast.Intruder, allowed); n != s.opened || ok == before {
		s.t.Errorf("closed: %d denied, %d allowed packets passed", n-s.opened, ok-before)
	}
}
