//go:build image

package lab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/witness"
)

// deaths has PID 1 kill the agent while the button has the gateway open, and
// later stop it where it stands; then the disk stops answering. The monitor talks
// to its central station all the while: nothing of that is lost, the box does not
// start over, the agent is back each time, and what the button opened the kernel
// closes.
func deaths(t *testing.T, image, disk string) {
	s := newSite(t, image, disk)
	const open = 25 * time.Second
	s.machine.test = fmt.Sprintf("kill-agent=25s stop-agent=50s open=%s", open)
	s.machine.qmp = filepath.Join(s.files.dir, "qmp")
	defer s.cancel()
	events := s.up()
	defer s.cut()
	ctx, quiet := context.WithCancel(t.Context())
	defer quiet()
	s.send(ctx, cast.Monitor, cast.Central, clinical)
	s.until("the agent is at work", 60*time.Second, func() bool { return s.received() > events })
	s.nothingDenied("before the button")
	s.button(true)
	s.until("the button opens", 30*time.Second, func() bool { return s.console.said("break-glass: the gateway is open") })
	s.button(false)
	opened := time.Now()
	s.until("what is denied passes", 5*time.Second, func() bool { return s.arrived(cast.Printer, cast.Intruder, denied) > s.opened+20 })
	if s.console.said("killed for the agent") {
		t.Fatal("too slow: the agent was killed before the button opened")
	}
	s.death("killed for the agent")
	if left := open - time.Since(opened); left < 2*time.Second {
		t.Errorf("too slow: %s are left of the break-glass", left)
	}
	passed := s.arrived(cast.Printer, cast.Intruder, denied)
	s.until("it is open with the new agent", 5*time.Second, func() bool { return s.arrived(cast.Printer, cast.Intruder, denied) > passed })
	s.until("the kernel closes", 60*time.Second, func() bool { return s.console.said("break-glass: the gateway is closed, its time is over") })
	if took := time.Since(opened); took < open-2*time.Second || took > open+10*time.Second {
		t.Errorf("it was open for %s, not %s", took, open)
	}
	s.settleDenied()
	s.closedFor(2 * time.Second)
	s.death("stopped (signal) for the agent")
	s.tasksHang()
	quiet()
	s.closedFor(time.Second)
	flow := witness.Flow{From: cast.Monitor, To: cast.Central}
	if sent, got := s.stand.At(cast.Monitor).Sent(flow), s.stand.At(cast.Central).Received(flow); sent < 1000 || got != sent {
		t.Errorf("monitor to its central station: %d packets sent, %d received", sent, got)
	}
	if n := strings.Count(s.console.text(), "the ward is connected, filtered"); n != 1 {
		t.Errorf("the box started %d times; the serial line:\n%s", n, s.console.text())
	}
}

// tasksHang stalls the disk, so that the tasks that write to it hang and the others
// do not, until PID 1 gives the agent up.
func (s *site) tasksHang() {
	s.t.Helper()
	given := func() int { return strings.Count(s.console.text(), "killing it") }
	before := given()
	s.stall(true)
	at := time.Now()
	s.until("PID 1 gives the agent up", 90*time.Second, func() bool { return given() > before })
	noticed := time.Now()
	events := s.received()
	s.stall(false)
	s.until("the agent is back", 60*time.Second, func() bool { return s.received() > events })
	s.t.Logf("disk stalled: noticed after %v, back after %v more", noticed.Sub(at).Round(100*time.Millisecond), time.Since(noticed).Round(100*time.Millisecond))
}

// death waits for what PID 1 does to the agent, and for the next agent at work.
func (s *site) death(how string) {
	s.t.Helper()
	s.until(how, 90*time.Second, func() bool { return s.console.said(how) })
	before, ends := s.received(), strings.Count(s.console.text(), "agent ended")
	if how == "killed for the agent" {
		ends = 0
	}
	at := time.Now()
	s.until("the agent ended", 60*time.Second, func() bool { return strings.Count(s.console.text(), "agent ended") > ends })
	noticed := time.Now()
	s.until("the agent is back", 60*time.Second, func() bool { return s.received() > before })
	s.t.Logf("%s: noticed after %v, back after %v more", how, noticed.Sub(at).Round(100*time.Millisecond), time.Since(noticed).Round(100*time.Millisecond))
}

// button presses the board's button, or lets it go.
func (s *site) button(down bool) {
	s.t.Helper()
	s.monitor(fmt.Sprintf(`{"execute":"input-send-event","arguments":{"events":[{"type":"key","data":{"down":%v,"key":{"type":"qcode","data":"f12"}}}]}}`, down))
}

// stall keeps the disk from answering, or lets it.
func (s *site) stall(on bool) {
	s.t.Helper()
	rate := 0 // without a bound
	if on {
		rate = 1 // byte a second
	}
	s.monitor(fmt.Sprintf(`{"execute":"block_set_io_throttle","arguments":{"device":"disk","bps":%d,"bps_rd":0,"bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}`, rate))
}

// monitor has QEMU do something.
func (s *site) monitor(command string) {
	s.t.Helper()
	c, err := net.Dial("unix", s.machine.qmp)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	_, err = fmt.Fprintln(c, `{"execute":"qmp_capabilities"}`+command)
	if err == nil {
		err = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	}
	said := ""
	for b := make([]byte, 1024); err == nil && strings.Count(said, `"return"`) < 2; {
		var n int
		n, err = c.Read(b)
		said += string(b[:n])
		if strings.Contains(said, `"error"`) {
			break
		}
	}
	if err != nil || strings.Contains(said, `"error"`) {
		s.t.Fatalf("QEMU: %v, it said %s", err, said)
	}
}

// cuts is how often the power is cut; WARDKEEPER_CUTS asks for more.
func cuts(t *testing.T) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("WARDKEEPER_CUTS")); err == nil && n > 0 {
		return n
	}
	return 5
}

// powerCuts takes the power away at random moments, in turn while the box is in
// use and while it starts. After each it must come back by itself, enforcing from
// the first frame, and at the end with all of its history.
func powerCuts(t *testing.T, image, disk string) {
	s := newSite(t, image, disk)
	defer s.cancel()
	late := 0
	for n := range cuts(t) {
		s.forget()
		s.on()
		if n%2 == 0 {
			s.untilConnected()
			time.Sleep(500 * time.Millisecond)
		}
		after := rand.N(8 * time.Second)
		time.Sleep(after)
		s.cut()
		t.Logf("cut %d, %v after it was %s", n+1, after.Round(time.Millisecond), []string{"connected", "switched on"}[n%2])
		if s.console.said(tooSlow) {
			late++
			s.settleDenied()
			continue
		}
		s.nothingDenied(fmt.Sprint("until cut ", n+1))
	}
	if late > 1 {
		t.Errorf("%d boots had no rules in time: this machine is too slow to say anything", late)
	}
	s.forget()
	s.on()
	defer s.cut()
	s.untilConnected()
	before := s.received()
	s.until("the agent is at work again", 60*time.Second, func() bool { return s.received() > before })
	s.until("every event came", 30*time.Second, s.whole)
	if s.console.said(tooSlow) {
		s.settleDenied()
	}
	s.closedFor(time.Second)
	epochs := map[string]bool{}
	for _, a := range s.book.Accounts() {
		epochs[a.Epoch] = true
	}
	if len(epochs) != 1 {
		t.Errorf("epochs %v: a database was lost", epochs)
	}
}

// tooSlow is what PID 1 says where a boot took longer than the ward waits for its
// rules. In an emulation on a machine that others use it happens without a fault;
// rules that a power cut had damaged would be spoken of otherwise.
const tooSlow = "RESCUE: nothing is filtered, all ports are bridged: no rules after"
