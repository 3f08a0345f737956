//go:build image && linux

package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/kept"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/images"
)

var (
	printerMAC  = fact.MAC{2, 0, 0, 0, 0, 0x22}
	printerAddr = netip.AddrFrom4([4]byte{10, 20, 0, 22})
)

const testConfig = `gateway = "gw1"
lab     = true
[site]
name     = "s1"
internal = ["10.20.0.0/16"]
[ports]
uplink = "eth0"
ward   = ["eth1", "eth2"]
[uplink]
url = "mqtt://10.20.0.5"
[mgmt]
address = "10.20.0.9/16"
[console]
device = ""
[policy]
file = ""
[state]
dir = "/data/wardkeeper"
`

const testPolicy = `version = 3
[[segment]]
name  = "printers"
roles = ["printer"]
mode  = "enforce"
allow = [{ from = "any-internal", services = ["tcp/631"] }]
`

// gatewayData is the data partition of a gateway that has fenced in a printer;
// what is kept of its rules is edited.
func gatewayData(t *testing.T, edit func(rules string)) string {
	t.Helper()
	dir := t.TempDir()
	record, err := json.Marshal(map[string]any{"v": 1, "policy": testPolicy, "internal": []string{"10.20.0.0/16"}, "uplink": "eth0",
		"placement": policy.Placement{Members: []policy.Member{{Device: "printer", MAC: printerMAC, Addrs: []netip.Addr{printerAddr},
			Role: "printer", Class: device.Support, Segment: "printers", Mode: policy.Enforce}}}})
	if err != nil {
		t.Fatal(err)
	}
	rules := filepath.Join(dir, "wardkeeper/rules")
	for range 2 {
		if err := kept.Open(rules).Put("confirmed", record); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "etc"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "etc/wardkeeper.toml"), []byte(testConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(rules)
	}
	return dir
}

const connected = "the ward is connected, filtered by the rules"

// passes fails unless frames of the port cross the bridge, or unless none does.
// Those that cross are waited for: how many a second are sent depends on what else
// this machine does.
func (g *guest) passes(when string, port uint16, want bool) {
	g.t.Helper()
	before := g.got(port)
	if want {
		g.until(when+": frames cross", 20*time.Second, func() bool { return g.got(port) > before+20 })
		return
	}
	time.Sleep(2 * time.Second)
	if n := g.got(port) - before; n > 0 {
		g.t.Errorf("%s: %d frames to tcp/%d crossed", when, n, port)
	}
}

// TestImageButton: with no agent at all, the button opens the gateway after five
// seconds and not before, and the kernel closes it.
func TestImageButton(t *testing.T) {
	t.Parallel()
	g := boot(t, newDisk(t, withData(t, gatewayData(t, nil))), "no-agent open=12s")
	g.untilSaid(connected, 60*time.Second)
	g.passes("at first", allowedPort, true)
	g.button(true)
	time.Sleep(3 * time.Second)
	g.button(false)
	time.Sleep(4 * time.Second)
	if n := g.got(deniedPort); n != 0 || g.said("break-glass") > 0 {
		t.Fatalf("after a short press %d denied frames crossed", n)
	}
	g.button(true)
	began := time.Now()
	g.untilSaid("break-glass: the gateway is open", 15*time.Second)
	if held := time.Since(began); held < 4*time.Second {
		t.Errorf("it opened after %s", held)
	}
	g.button(false)
	g.passes("open", deniedPort, true)
	g.untilSaid("break-glass: the gateway is closed, its time is over", 30*time.Second)
	time.Sleep(time.Second) // what was under way arrives; the kernel's clock ends it, the word is PID 1's
	g.passes("closed", deniedPort, false)
	g.passes("closed", allowedPort, true)
}

// TestImageRescue: rules that cannot be had hold no ward; the agent ends it.
func TestImageRescue(t *testing.T) {
	damaged := gatewayData(t, func(rules string) {
		files, err := filepath.Glob(filepath.Join(rules, "confirmed.*"))
		if err != nil || len(files) != 2 {
			t.Fatalf("kept files %q, %v", files, err)
		}
		for _, f := range files {
			if err := os.WriteFile(f, []byte("garbage"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
	g := boot(t, newDisk(t, withData(t, damaged)), "none")
	g.untilSaid("wardinit: read board", 60*time.Second)
	g.until("the ward is bridged open within the limit", rulesLimit+2*time.Second, func() bool { return g.got(deniedPort) > 0 && g.got(allowedPort) > 0 })
	g.untilSaid("RESCUE: nothing is filtered, all ports are bridged: ", 5*time.Second)
	g.untilSaid("rescue is over: the agent has put rules in place", 60*time.Second)
}

// TestImageWithoutSlot: with its own file system unreadable the box is a wire,
// and no watchdog resets it.
func TestImageWithoutSlot(t *testing.T) {
	t.Parallel() // as all that mostly wait
	g := boot(t, newDisk(t, zeroed(t, images.PartRootA)), "none")
	g.untilSaid("RESCUE: nothing is filtered, all ports are bridged: the slot's file system is not there", 60*time.Second)
	g.until("the ward is bridged", 10*time.Second, func() bool { return g.got(deniedPort) > 0 && g.got(allowedPort) > 0 })
	const watchdog = 30 * time.Second // of the board
	time.Sleep(watchdog + 10*time.Second)
	g.passes("later", deniedPort, true)
	if n := g.said("Booting Linux"); n != 1 {
		t.Errorf("it was started %d times", n)
	}
}

// TestImageSlowDisk: the ward waits ten seconds for a disk that hardly answers.
func TestImageSlowDisk(t *testing.T) {
	t.Parallel()
	g := boot(t, newDisk(t), "none", "throttling.bps-total=150000")
	g.untilSaid("wardinit: set kernel", 60*time.Second)
	g.until("the ward is bridged", rulesLimit+5*time.Second, func() bool { return g.got(deniedPort) > 0 && g.got(allowedPort) > 0 })
	g.untilSaid("RESCUE: nothing is filtered, all ports are bridged: no rules after", 5*time.Second)
}

// TestImageStalledDisk: the disk stops answering while the agent is at work, and
// the agent is killed and started again meanwhile. The ward loses no frame of it,
// and no watchdog resets the box.
func TestImageStalledDisk(t *testing.T) {
	t.Parallel()
	g := boot(t, newDisk(t, withData(t, gatewayData(t, nil))), "kill-agent=15s")
	g.untilSaid("wardinit: connect the ward", 90*time.Second) // in rescue, too, where this machine is slow
	g.passes("connected", allowedPort, true)
	g.untilSaid("grow the data partition: done", 60*time.Second)
	if g.said("test: killed for the agent") > 0 {
		t.Fatal("too slow: the agent was killed before the disk stalled")
	}
	g.stall(true)
	missing := g.missing(allowedPort)
	began := time.Now()
	g.untilSaid("test: killed for the agent", 90*time.Second)
	const watchdog = 30 * time.Second // of the board
	time.Sleep(time.Until(began.Add(watchdog + 10*time.Second)))
	g.passes("stalled", allowedPort, true)
	g.stall(false)
	time.Sleep(5 * time.Second)
	g.passes("mended", allowedPort, true)
	if n := g.missing(allowedPort) - missing; n > 3 || n < -3 { // those under way
		t.Errorf("%d frames are missing", n)
	}
	if n := g.said("Booting Linux"); n != 1 {
		t.Errorf("it was started %d times", n)
	}
}

// TestImageWatchdog: PID 1 hangs, and the hardware starts the box again.
func TestImageWatchdog(t *testing.T) {
	t.Parallel()
	g := boot(t, newDisk(t), "hang-init")
	g.untilSaid("test: PID 1 hangs", 60*time.Second)
	hung := time.Now()
	g.until("the box is reset", 45*time.Second, func() bool { return g.said("Booting Linux") == 2 })
	t.Logf("reset %s after the hang", time.Since(hung).Round(time.Second))
	g.until("it boots again", 60*time.Second, func() bool { return g.said("wardinit: connect the ward") == 2 })
}

// TestImageData: the data partition grows to the end of the disk, what was cut
// short is completed, and the file system is whole.
func TestImageData(t *testing.T) {
	t.Parallel()
	disk := newDisk(t)
	g := boot(t, disk, "none")
	g.untilSaid("grow the data partition: done", 60*time.Second)
	time.Sleep(2 * time.Second) // on its medium
	g.off()
	check := func() {
		t.Helper()
		editDisk(t, disk, func(f *os.File, g images.GPT) {
			p, err := g.Partition(images.PartData)
			if err != nil || p.Bytes() < diskBytes-300*mib || !g.On(f) {
				t.Errorf("%d bytes, both tables whole %v, %v", p.Bytes(), g.On(f), err)
			}
			data := filepath.Join(t.TempDir(), "data.img")
			run(t, "dd", "coreutils", "if="+disk, "of="+data, "bs=1M", "conv=sparse", fmt.Sprint("skip=", p.Offset()/mib), fmt.Sprint("count=", p.Bytes()/mib))
			out, err := exec.Command(program(t, "e2fsck", "e2fsprogs"), "-fy", data).CombinedOutput()
			if code := exit(err); code > 1 { // 1: the journal was replayed
				t.Errorf("e2fsck: %v\n%s", err, out)
			}
			if fs, err := readExt4(data); err != nil || int64(fs.Blocks)*fs.BlockSize < p.Bytes()-128*mib {
				t.Errorf("file system of %d blocks of %d bytes, %v, on %d bytes", fs.Blocks, fs.BlockSize, err, p.Bytes())
			}
		})
	}
	check()

	// As if the power went while the first of the two tables was written.
	editDisk(t, disk, func(f *os.File, _ images.GPT) {
		if _, err := f.WriteAt(make([]byte, 512), 2*images.SectorSize); err != nil {
			t.Fatal(err)
		}
	})
	g = boot(t, disk, "none")
	g.untilSaid(connected, 60*time.Second)
	g.off()
	check()
	if g.said("RESCUE") > 0 || g.said("data partition:") > 0 {
		t.Error("it did without its disk")
	}
}

// TestImageWithoutData: a box that can keep nothing says so, and works; it asks
// for no certificate.
func TestImageWithoutData(t *testing.T) {
	t.Parallel()
	disk := newDisk(t, zeroed(t, images.PartData))
	file := filepath.Join(t.TempDir(), "wardkeeper.toml")
	config := strings.Replace(testConfig, "mqtt://10.20.0.5\"", "mqtts://10.20.0.5\"\nkey = \"/data/pki/gateway.key\"\ncert = \"/data/etc/pki/gateway.pem\"", 1)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "mmd", "mtools", "-D", "s", "-i", disk+"@@16M", "::wardkeeper")
	run(t, "mcopy", "mtools", "-i", disk+"@@16M", file, "::wardkeeper")
	g := boot(t, disk, "none")
	g.untilSaid("data partition: what is kept is lost at the next restart", 60*time.Second)
	g.untilSaid(connected, 60*time.Second)
	g.until("frames cross", 10*time.Second, func() bool { return g.got(allowedPort) > 0 })
	g.untilSaid("take over files of the ESP: done", 10*time.Second)
	time.Sleep(15 * time.Second)
	if g.said("agent ended") > 0 {
		t.Error("the agent does not run without the partition")
	}
	if g.said("certificate is on the ESP") > 0 {
		t.Error("a request was handed out for a key that is lost at the next restart")
	}
}

// exit is a program's exit code.
func exit(err error) int {
	if e, ok := err.(*exec.ExitError); ok {
		return e.ExitCode()
	}
	return 0
}
