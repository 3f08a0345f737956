//go:build image && linux

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/images"
)

// guest is the image in a virtual machine with the board's ports, three of them in
// use: uplink, printer, PC.
type guest struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{}
	qmp  net.Conn

	mu      sync.Mutex
	lines   []string       // mu; of the serial line
	arrived map[uint16]int // mu; frames at the printer, by TCP port
	sent    map[uint16]int // mu; of the PC's, those that the machine took
}

// What a PC sends to the printer all the while, and what the rules make of it.
const (
	deniedPort  = 445
	allowedPort = 631
)

// imageFolder is the built image; `make test-image` names it.
func imageFolder(t *testing.T) string {
	t.Helper()
	image := os.Getenv("WARDKEEPER_IMAGE")
	if image == "" {
		t.Skip("WARDKEEPER_IMAGE names no built image: make test-image")
	}
	return image
}

// program finds a program of a Debian package.
func program(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		t.Skipf("%s is missing: apt-get install %s", name, pkg)
	}
	return path
}

func run(t *testing.T, name, pkg string, args ...string) {
	t.Helper()
	if out, err := exec.Command(program(t, name, pkg), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// diskBytes is what the guest's disk has: more than the image.
const diskBytes = 3 << 30

// newDisk is a copy of the image's disk, edited.
func newDisk(t *testing.T, edits ...func(f *os.File, g images.GPT)) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "disk.img")
	run(t, "cp", "coreutils", "--sparse=always", filepath.Join(imageFolder(t), "disk.img"), file)
	if err := errors.Join(os.Chmod(file, 0o600), os.Truncate(file, diskBytes)); err != nil {
		t.Fatal(err)
	}
	editDisk(t, file, edits...)
	return file
}

func editDisk(t *testing.T, file string, edits ...func(f *os.File, g images.GPT)) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := images.ReadGPT(f, diskBytes/images.SectorSize)
	if err != nil {
		t.Fatal(err)
	}
	for _, edit := range edits {
		edit(f, g)
	}
}

// zeroed empties the first MiB of a partition.
func zeroed(t *testing.T, name string) func(f *os.File, g images.GPT) {
	return func(f *os.File, g images.GPT) {
		p, err := g.Partition(name)
		if err == nil {
			_, err = f.WriteAt(make([]byte, mib), p.Offset())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// withData makes a data partition with the files of a folder.
func withData(t *testing.T, folder string) func(f *os.File, g images.GPT) {
	return func(f *os.File, g images.GPT) {
		t.Helper()
		p, err := g.Partition(images.PartData)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "data.img")
		run(t, "mke2fs", "e2fsprogs", "-q", "-F", "-t", "ext4", "-b", "4096", "-d", folder, file, fmt.Sprint(p.Bytes()/4096))
		data, err := os.ReadFile(file)
		if err == nil {
			_, err = f.WriteAt(data, p.Offset())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// boot switches a machine with that disk on; words are for PID 1, drive is what
// QEMU makes of the disk besides.
func boot(t *testing.T, disk, words string, drive ...string) *guest {
	t.Helper()
	return bootOn(t, nil, disk, words, drive...)
}

// bootOn is boot on a machine with more options of QEMU's.
func bootOn(t *testing.T, options []string, disk, words string, drive ...string) *guest {
	t.Helper()
	image, dir := imageFolder(t), t.TempDir()
	var m images.Manifest
	text, err := os.ReadFile(filepath.Join(image, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	// All that the kernel's log has is shown.
	line := strings.Replace(m.Cmdline, " quiet loglevel=4", " loglevel=7", 1)
	args := []string{"-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "512", "-nodefaults", "-display", "none", "-monitor", "none",
		"-serial", "stdio", "-qmp", "unix:" + filepath.Join(dir, "qmp") + ",server=on,wait=off", "-device", "i6300esb", "-watchdog-action", "reset",
		"-device", "virtio-rng-pci", "-device", "virtio-keyboard-pci", "-fw_cfg", "name=opt/ward/test,string=" + words + " ",
		"-drive", strings.Join(append(drive, "if=none,format=raw,id=disk,file="+disk), ","), "-device", "virtio-blk-pci,drive=disk,romfile=",
		"-kernel", filepath.Join(image, "vmlinuz"), "-initrd", filepath.Join(image, "initrd.gz"), "-append", line}
	g := &guest{t: t, done: make(chan struct{}), arrived: map[uint16]int{}, sent: map[uint16]int{}}
	var ports []*net.UnixConn
	for i := range 3 {
		near, far := filepath.Join(dir, fmt.Sprint("near", i)), filepath.Join(dir, fmt.Sprint("far", i))
		sock, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: near})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sock.Close() })
		ports = append(ports, sock)
		args = append(args, "-netdev", fmt.Sprintf("dgram,id=n%d,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", i, far, near),
			"-device", fmt.Sprintf("virtio-net-pci,netdev=n%d,addr=%#x,romfile=", i, 8+i))
	}
	for i := 3; i < 6; i++ { // with nothing plugged in: PID 1 would wait for them
		args = append(args, "-netdev", fmt.Sprintf("hubport,id=n%d,hubid=%d", i, i), "-device", fmt.Sprintf("virtio-net-pci,netdev=n%d,addr=%#x,romfile=", i, 8+i))
	}
	g.cmd = exec.Command(program(t, "qemu-system-aarch64", "qemu-system-arm"), append(args, options...)...)
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	g.cmd.Stderr = t.Output()
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.off)
	go g.read(out)
	go g.count(ports[1])
	for _, quiet := range []*net.UnixConn{ports[0], ports[2]} {
		go io.Copy(io.Discard, quiet) // or the guest finds its port stuck
	}
	go g.send(ports[2], filepath.Join(dir, "far2"))
	g.dial(filepath.Join(dir, "qmp"))
	return g
}

// off cuts the power.
func (g *guest) off() {
	_ = g.cmd.Process.Kill() // or it has ended already
	<-g.done
	if g.qmp != nil {
		g.qmp.Close()
	}
}

func (g *guest) read(out io.Reader) {
	defer close(g.done)
	for s := bufio.NewScanner(out); s.Scan(); {
		g.mu.Lock()
		g.lines = append(g.lines, s.Text())
		g.mu.Unlock()
	}
	_ = g.cmd.Wait() // it was killed
}

// count counts the SYNs for the printer that leave the machine at its port.
func (g *guest) count(port *net.UnixConn) {
	for b := make([]byte, 2048); ; {
		n, err := port.Read(b)
		if err != nil {
			return // closed
		}
		if n >= 54 && bytes.Equal(b[:6], printerMAC[:]) && b[12] == 0x08 && b[23] == 6 {
			g.mu.Lock()
			g.arrived[binary.BigEndian.Uint16(b[36:])]++
			g.mu.Unlock()
		}
	}
}

// send sends a hundred SYNs a second from before the machine is there.
func (g *guest) send(port *net.UnixConn, far string) {
	to := &net.UnixAddr{Net: "unixgram", Name: far}
	for i := 0; ; i++ {
		select {
		case <-g.done:
			return
		case <-time.After(10 * time.Millisecond):
		}
		service := []uint16{deniedPort, allowedPort}[i%2]
		if _, err := port.WriteToUnix(syn(service), to); err == nil { // else nobody is there
			g.mu.Lock()
			g.sent[service]++
			g.mu.Unlock()
		}
	}
}

// syn is a frame from the PC to the printer, without checksums: nobody reads it.
func syn(port uint16) []byte {
	b := make([]byte, 60)
	copy(b, printerMAC[:])
	copy(b[6:], []byte{2, 0, 0, 0, 0, 0x33, 0x08, 0})
	copy(b[14:], []byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6})
	copy(b[26:], []byte{10, 20, 0, 33})
	copy(b[30:], printerAddr.AsSlice())
	binary.BigEndian.PutUint16(b[34:], 40000)
	binary.BigEndian.PutUint16(b[36:], port)
	b[46], b[47] = 0x50, 0x02
	return b
}

// got counts the frames at the printer so far.
func (g *guest) got(port uint16) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.arrived[port]
}

// missing counts the frames that the machine took and that are not at the printer.
func (g *guest) missing(port uint16) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sent[port] - g.arrived[port]
}

// stall keeps the disk from answering, or lets it.
func (g *guest) stall(on bool) {
	g.t.Helper()
	rate := 0 // without a bound
	if on {
		rate = 1 // byte a second
	}
	g.ask(fmt.Sprintf(`{"execute":"block_set_io_throttle","arguments":{"device":"disk","bps":%d,"bps_rd":0,"bps_wr":0,"iops":0,"iops_rd":0,"iops_wr":0}}`, rate))
}

// said counts the lines with that text.
func (g *guest) said(text string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.lines {
		if strings.Contains(l, text) {
			n++
		}
	}
	return n
}

// until waits for something on the machine.
func (g *guest) until(what string, limit time.Duration, is func() bool) {
	g.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
		select {
		case <-g.done:
			g.t.Fatalf("the machine ended before %s", what)
		default:
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.t.Fatalf("after %v not yet: %s; the serial line:\n%s", limit, what, strings.Join(g.lines, "\n"))
}

func (g *guest) untilSaid(text string, limit time.Duration) {
	g.t.Helper()
	g.until(text, limit, func() bool { return g.said(text) > 0 })
}

func (g *guest) dial(path string) {
	g.t.Helper()
	g.until("the monitor", 10*time.Second, func() bool {
		var err error
		g.qmp, err = net.Dial("unix", path)
		return err == nil
	})
	go func(answers io.Reader) {
		for s := bufio.NewScanner(answers); s.Scan(); {
			if strings.Contains(s.Text(), `"error"`) {
				g.t.Errorf("QEMU: %s", s.Text())
			}
		}
	}(g.qmp)
	g.ask(`{"execute":"qmp_capabilities"}`)
}

func (g *guest) ask(text string) {
	g.t.Helper()
	if _, err := g.qmp.Write([]byte(text + "\n")); err != nil {
		g.t.Fatal(err)
	}
}

// button presses the board's button, or lets it go.
func (g *guest) button(down bool) {
	g.t.Helper()
	g.ask(fmt.Sprintf(`{"execute":"input-send-event","arguments":{"events":[{"type":"key","data":{"down":%v,"key":{"type":"qcode","data":"f12"}}}]}}`, down))
}
