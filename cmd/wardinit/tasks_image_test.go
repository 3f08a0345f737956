//go:build image && linux

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/lifesign"
)

// backLimit is what may pass, in the guest's own time, between a fault of a task
// and the moment when the agent is at work again with its rules in place.
const backLimit = 5 * time.Second

// TestImageTasks: each task of the agent hangs, then panics, in turn. Each time the
// agent is back in time; the ward loses no frame and the box is not reset. The guest
// has one processor of 500 million instructions a second in its own time, whatever
// else this machine does: what it takes there can be judged anywhere.
func TestImageTasks(t *testing.T) {
	t.Parallel()
	data := gatewayData(t, nil)
	if err := os.WriteFile(filepath.Join(data, "etc/wardkeeper.toml"), []byte(everyTask.Replace(testConfig)), 0o600); err != nil {
		t.Fatal(err)
	}
	g := bootOn(t, []string{"-icount", "shift=1,sleep=on", "-smp", "1"}, newDisk(t, withData(t, data)), "fault-tasks")
	g.untilSaid("wardinit: connect the ward", 90*time.Second) // in rescue, too, where this machine is slow
	g.passes("connected", allowedPort, true)
	missing := g.missing(allowedPort)
	// The last fault is followed by the first again.
	g.until("each task has had its faults", 8*time.Minute, func() bool {
		all := g.faults()
		return len(all) > 1 && len(all) > all[0].last && all[len(all)-1].back > 0
	})
	g.passes("at the end", allowedPort, true)
	if n := g.missing(allowedPort) - missing; n > 3 || n < -3 { // those under way
		t.Errorf("%d frames are missing", n)
	}
	if n := g.said("Booting Linux"); n != 1 {
		t.Errorf("it was started %d times", n)
	}
	all := g.faults()
	if last := 2 * 14; all[0].last != last {
		t.Errorf("%d faults for all tasks, want %d", all[0].last, last)
	}
	for i, f := range all[:all[0].last] {
		took := f.back - f.at
		t.Logf("%2d %-5s of %-14s back after %s", f.number, f.kind, f.task, took.Round(10*time.Millisecond))
		if f.number != i+1 || f.back == 0 || took > backLimit {
			t.Errorf("fault %d: %+v", i+1, f)
		}
	}
}

// everyTask edits the configuration to one with which all tasks run.
var everyTask = strings.NewReplacer(
	"mqtt://10.20.0.5\"", "mqtts://10.20.0.5\"\nkey = \"/data/pki/gateway.key\"\ncert = \"/data/etc/pki/gateway.pem\"\n[manage]\nroot = \"/data/etc/root.json\"",
	"device = \"\"", "device = \"ttyAMA0\"")

// fault is one that a task acted out; times are since the guest's boot.
type fault struct {
	kind, task   string
	number, last int
	at, back     time.Duration
}

// faults reads them from the serial line.
func (g *guest) faults() (out []fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.lines {
		if m := faultLine.FindStringSubmatch(l); m != nil {
			f := fault{at: guestTime(m[1]), kind: m[2], task: m[3]}
			f.number, _ = strconv.Atoi(m[4]) // digits, as the expression says
			f.last, _ = strconv.Atoi(m[5])
			out = append(out, f)
		} else if m := backLine.FindStringSubmatch(l); m != nil && len(out) > 0 {
			out[len(out)-1].back = guestTime(m[1])
		}
	}
	return out
}

var (
	faultLine = regexp.MustCompile(`\[ *(\d+\.\d+)\] wardinit: .*` + lifesign.FaultLine + `" fault=(\w+) of="?([^"]+?)"? number=(\d+) last=(\d+)`)
	backLine  = regexp.MustCompile(`\[ *(\d+\.\d+)\] wardinit: the agent is at work`)
)

func guestTime(seconds string) time.Duration {
	f, _ := strconv.ParseFloat(seconds, 64) // digits, as the expression says
	return time.Duration(f * float64(time.Second))
}
