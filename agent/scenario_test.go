package agent

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

// A port that vanishes is said once, shown, and read again by its name when it
// is back; the other port and the rules do not notice.
func TestPortVanishesAndReturns(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		g.host.Ports.Remove("w2")
		g.wait(5 * time.Minute)
		if diff := cmp.Diff([]string{"capture.port_gone:w2"}, g.conditions()); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
		g.shows("show status", "port w2 is not observed: find port w2: no such port")
		if g.reachesPump() {
			t.Error("the pump is open while another port is gone")
		}
		g.host.Ports.Add(platform.Link{Name: "w2", Master: "br0"})
		g.wait(10 * time.Second)
		if got := g.conditions(); len(got) > 0 {
			t.Errorf("conditions %v", got)
		}
		g.replay("w2", "w2.pcap", monitorMAC())
		g.shows("show devices", "patient-monitor", "infusion-pump-lvp")
		for text, want := range map[string]int{`msg="port is not observed" task="capture w2"`: 1, `msg=capturing task="capture w2"`: 2, `msg=capturing task="capture w1"`: 1} {
			if got := g.log.lines(text); len(got) != want {
				t.Errorf("%d log lines %q, want %d", len(got), text, want)
			}
		}
	})
}

// Without a broker the agent does all else; one line tells it, and when the
// broker is there everything arrives, in order and without a hole.
func TestUnreachableBroker(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.broker.setDown(true)
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		g.wait(2 * time.Hour)
		g.shows("show uplink", "not connected", "connection refused")
		g.shows("show devices", "infusion-pump-lvp")
		if g.reachesPump() {
			t.Error("the pump is open without a broker")
		}
		if diff := cmp.Diff([]string{"uplink.down"}, g.conditions()); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
		if got := g.log.lines("uplink is down"); len(got) != 1 {
			t.Errorf("log lines %q, want 1", got)
		}
		if g.broker.dials < 20 || g.broker.dials > 2000 {
			t.Errorf("%d attempts in two hours", g.broker.dials)
		}
		g.broker.setDown(false)
		g.wait(5 * time.Minute)
		if got := g.conditions(); len(got) > 0 {
			t.Errorf("conditions %v", got)
		}
		g.complete()
	})
}

// complete fails the test unless every event that the outbox numbered arrived.
func (g *gateway) complete() {
	g.t.Helper()
	g.wait(10 * time.Second)
	got := map[string][]uint64{}
	for _, e := range g.broker.events(g.t) {
		if e.Epoch == g.agent.opened.Epoch && e.Class != "state" {
			got[e.Class] = append(got[e.Class], e.Seq)
		}
	}
	numbered := uint64(0)
	for class, last := range g.agent.box.Stats().Seq {
		if class == "state" {
			continue
		}
		seqs := slices.Compact(slices.Sorted(slices.Values(got[class])))
		if uint64(len(seqs)) != last {
			g.t.Errorf("class %s: %d of %d arrived", class, len(seqs), last)
		}
		numbered += last
	}
	if numbered == 0 {
		g.t.Error("the outbox numbered nothing")
	}
}

// A damaged database is moved aside, said, and the gateway goes on with a new
// one; the same three times in a row, and what was learned since is kept.
func TestDamagedDatabase(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		epochs := map[string]bool{g.agent.opened.Epoch: true}
		for round := 1; round <= 3; round++ {
			g.stop()
			if err := os.WriteFile(g.db(), bytes.Repeat([]byte("noise"), 1<<16), 0o600); err != nil {
				t.Fatal(err)
			}
			g.start()
			if epochs[g.agent.opened.Epoch] {
				t.Errorf("round %d: epoch %s again", round, g.agent.opened.Epoch)
			}
			epochs[g.agent.opened.Epoch] = true
			g.wait(10 * time.Second)
			alerts := g.broker.of(t, "alert")
			alerts = slices.DeleteFunc(alerts, func(s string) bool { return !strings.Contains(s, `"signal":"store.reset"`) })
			if len(alerts) != round || !strings.Contains(alerts[round-1], "was moved aside") {
				t.Errorf("round %d: alerts %q", round, alerts)
			}
			g.shows("show devices", "no device yet")
			g.replay("w1", "w1.pcap", pumpMAC())
			g.shows("show devices", "infusion-pump-lvp")
			g.complete()
		}
		aside, err := filepath.Glob(g.db() + ".corrupt.*")
		if err != nil || len(aside) == 0 || len(aside) > 3 {
			t.Errorf("moved aside: %v, %v", aside, err)
		}
		g.stop()
		g.start()
		g.shows("show devices", "infusion-pump-lvp")
	})
}

// Where nothing can be written the gateway still observes, enforces and reports,
// from memory, and says so.
func TestNoRoomForADatabase(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.write(g.state(), "a file where the folder should be")
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		g.wait(10 * time.Second)
		if !slices.Contains(g.conditions(), "store.memory") {
			t.Errorf("conditions %v", g.conditions())
		}
		g.shows("show uplink", "memory only")
		g.shows("show devices", "infusion-pump-lvp")
		if g.reachesPump() {
			t.Error("the pump is open")
		}
		g.complete()
	})
}

// A disk that was full at the first start and then gets room is used without a
// new start, and nothing of the time in memory is lost: neither the devices nor
// the count of the events.
func TestRoomForADatabaseAtLast(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.write(g.state(), "a file where the folder should be")
		g.host.Disk.Set(platform.DiskUsage{Total: 1 << 30})
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		epoch := g.agent.opened.Epoch
		if err := os.Remove(g.state()); err != nil {
			t.Fatal(err)
		}
		g.wait(10 * time.Minute)
		if _, err := os.Stat(g.db()); err == nil || !slices.Contains(g.conditions(), "store.memory") {
			t.Errorf("a database on a full disk (%v), conditions %v", err, g.conditions())
		}
		g.shows("show status", "once the disk has room, all moves there")
		g.host.Disk.Set(platform.DiskUsage{Total: 1 << 30, Free: 1 << 29})
		g.wait(2 * time.Minute)
		// What could not be read at the start is told of until the next one.
		told := g.conditions()
		unread := slices.DeleteFunc(slices.Clone(told), func(c string) bool { return !strings.HasPrefix(c, "enforce.lost:") })
		if !slices.Contains(unread, "enforce.lost:exempt-pairs") || len(unread) != len(told) {
			t.Errorf("conditions %v", told)
		}
		g.shows("show uplink", "file, epoch "+epoch)
		g.stop()
		g.start()
		if got := g.conditions(); len(got) > 0 {
			t.Errorf("conditions %v after a start with the folder", got)
		}
		if g.agent.opened.Epoch != epoch {
			t.Errorf("epoch %s, want %s as before the start", g.agent.opened.Epoch, epoch)
		}
		g.shows("show devices", "infusion-pump-lvp")
		g.complete()
	})
}

// A disk that fills up, turns read-only or cannot be asked, and is well again.
func TestDiskTroubleIsSaid(t *testing.T) {
	inGateway(t, "", func(g *gateway) {
		g.start()
		for code, set := range map[string]func(){
			"disk.full":     func() { g.host.Disk.Set(platform.DiskUsage{Total: 1 << 30}) },
			"disk.readonly": func() { g.host.Disk.Set(platform.DiskUsage{Total: 1 << 30, Free: 1 << 29, ReadOnly: true}) },
			"disk.unknown":  func() { g.host.Disk.Fail(errors.New("input/output error")) },
		} {
			set()
			g.wait(2 * time.Minute)
			if diff := cmp.Diff([]string{code}, g.conditions()); diff != "" {
				t.Errorf("%s: conditions (-want +got):\n%s", code, diff)
			}
			g.shows("show status", g.state())
			g.host.Disk.Fail(nil)
			g.host.Disk.Set(platform.DiskUsage{Total: 1 << 30, Free: 1 << 29})
			g.wait(2 * time.Minute)
			if got := g.conditions(); len(got) > 0 {
				t.Errorf("after %s: conditions %v", code, got)
			}
		}
	})
}

// The wall clock jumps by years, both ways; nothing is lost, nobody is thought
// to hang, and no device is new.
func TestClockJumps(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		before := len(g.agent.devices.Snapshot().Devices)
		for _, jump := range []time.Duration{-30 * 365 * 24 * time.Hour, 60 * 365 * 24 * time.Hour, -30 * 365 * 24 * time.Hour} {
			g.host.Clock.Jump(jump)
			g.wait(2 * time.Minute)
			if got := g.conditions(); len(got) > 0 {
				t.Errorf("after %v: conditions %v", jump, got)
			}
			if g.reachesPump() {
				t.Errorf("after %v: the pump is open", jump)
			}
		}
		g.replay("w1", "w1.pcap", pumpMAC())
		if got := len(g.agent.devices.Snapshot().Devices); got != before {
			t.Errorf("%d devices, there were %d", got, before)
		}
		g.complete()
	})
}

// A port that cannot be captured is tried until it can.
func TestRefusedCapture(t *testing.T) {
	inGateway(t, "", func(g *gateway) {
		g.host.Ports.RefuseCapture("w1", errors.New("operation not permitted"))
		g.start()
		g.wait(time.Minute)
		g.shows("show status", "port w1 is not observed: open packet socket on w1: operation")
		g.host.Ports.RefuseCapture("w1", nil)
		g.wait(10 * time.Second)
		g.replay("w1", "w1.pcap", pumpMAC())
		g.shows("show devices", "infusion-pump-lvp")
	})
}

// Frames that the capture lost are counted and said until it is quiet.
func TestLostFramesAreSaid(t *testing.T) {
	inGateway(t, "", func(g *gateway) {
		g.start()
		g.host.Ports.Lose("w1", 7)
		g.wait(5 * time.Second)
		g.shows("show status", "port w1: frames lost by the capture, 7 in all")
		g.wait(2 * time.Minute)
		if got := g.conditions(); len(got) > 0 {
			t.Errorf("conditions %v", got)
		}
	})
}

// A serial line that is stuck or gone holds nobody.
func TestConsoleTroubleHoldsNobody(t *testing.T) {
	for name, trouble := range map[string]func(g *gateway){
		"stuck":  func(g *gateway) { g.line.Stick(true); fmt.Fprint(g.line, strings.Repeat("show devices\r", 50)) },
		"hangup": func(g *gateway) { g.line.HangUp() },
	} {
		t.Run(name, func(t *testing.T) {
			inGateway(t, enforced, func(g *gateway) {
				g.start()
				trouble(g)
				g.replay("w1", "w1.pcap", pumpMAC())
				g.wait(10 * time.Second)
				if g.reachesPump() {
					t.Error("the pump is open")
				}
				g.complete()
			})
		})
	}
}

// A box without a battery starts in 1970; the time of day comes later. Nothing
// of what it learned before the reboot is lost, the rules are back before that.
func TestBoxWithoutAClock(t *testing.T) {
	inGateway(t, enforced, func(g *gateway) {
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		today := g.host.Clock.Now()
		g.stop()
		g.host.Clock.Reboot()
		g.host.Clock.Set(time.Unix(10, 0))
		g.host.Firewall.FlushRuleset() // a reboot leaves no rule
		g.start()
		g.shows("show devices", "infusion-pump-lvp")
		if g.reachesPump() {
			t.Error("the pump is open")
		}
		g.wait(time.Minute)
		g.shows("show status", "quality")
		g.host.Clock.Set(today.Add(time.Hour))
		g.host.Clock.SetSynced(true)
		g.wait(time.Minute)
		g.shows("show status", "quality ntp")
		if got := g.conditions(); len(got) > 0 {
			t.Errorf("conditions %v", got)
		}
		qualities := map[string]bool{}
		for _, e := range g.broker.events(t) {
			if qualities[e.TimeQuality] = true; e.Time < "1999" {
				t.Errorf("event %s %d says that it is %s", e.Class, e.Seq, e.Time)
			}
		}
		if !qualities["ntp"] || len(qualities) < 2 {
			t.Errorf("time qualities %v", qualities)
		}
		g.complete()
	})
}

// A preflight that cannot be run says nothing about the database: it is kept.
func TestPreflightThatCannotRun(t *testing.T) {
	inGateway(t, "", func(g *gateway) {
		g.start()
		g.replay("w1", "w1.pcap", pumpMAC())
		g.stop()
		g.host.Self.Fail(errors.New("cannot allocate memory"))
		epoch := g.agent.opened.Epoch
		g.start()
		if g.agent.opened.Epoch != epoch {
			t.Errorf("a new database: %+v", g.agent.opened)
		}
		g.shows("show devices", "infusion-pump-lvp")
	})
}
