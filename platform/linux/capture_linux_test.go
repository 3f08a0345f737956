package linux

import (
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

// ports is the bench with wires that take frames of 9,000 bytes.
type ports struct {
	*rig.Rig
	t testing.TB
}

func openPorts(t testing.TB) ports {
	p := ports{rig.Open(t, rig.Options{}), t}
	for _, port := range hosttest.Ports() {
		p.widen(port)
	}
	return p
}

func (p ports) Plug(port string) {
	p.t.Helper()
	p.Rig.Plug(port)
	p.widen(port)
}

func (p ports) widen(port string) {
	p.t.Helper()
	for _, name := range []string{port, rig.Device(port)} {
		link, err := netlink.LinkByName(name)
		if err == nil {
			err = netlink.LinkSetMTU(link, 9000)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

func (ports) Capture() platform.Capture { return New(Options{}).Capture }
func (ports) Links() platform.Links     { return New(Options{}).Links }
func (ports) Bridge() string            { return "ward" }

// TestCapture: here the ring must be in use, not what stands in for it.
func TestCapture(t *testing.T) {
	hosttest.Capture(t, "ring", platform.CaptureOptions{}, func(t *testing.T) hosttest.CaptureRig { return openPorts(t) })
}

func TestCaptureWithoutRing(t *testing.T) {
	if testing.Short() {
		t.Skip("the ring's suite again, by the other way")
	}
	opt := platform.CaptureOptions{NoRing: true}
	hosttest.Capture(t, "recvmmsg", opt, func(t *testing.T) hosttest.CaptureRig { return openPorts(t) })
}

// TestRingRefused: a ring that no kernel would give.
func TestRingRefused(t *testing.T) {
	size := uint64(1) << 40
	if strconv.IntSize < 64 {
		t.Skip("no such size in 32 bits")
	}
	p := openPorts(t)
	source, err := p.Capture().Open("w1", platform.CaptureOptions{RingBytes: int(size)})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if got := source.Mode(); got != "recvmmsg" {
		t.Errorf("mode %s", got)
	}
	p.Send("w1", make([]byte, 60))
	if f, err := source.Next(time.Second); err != nil || f.Length != 60 {
		t.Errorf("frame of %d bytes, error %v", f.Length, err)
	}
}

func modes() map[string]platform.CaptureOptions {
	return map[string]platform.CaptureOptions{"ring": {}, "recvmmsg": {NoRing: true}}
}

// TestPortDown: a port that goes down is not gone; when it is up again, its
// frames come.
func TestPortDown(t *testing.T) {
	for mode, opt := range modes() {
		t.Run(mode, func(t *testing.T) {
			p := openPorts(t)
			source, err := p.Capture().Open("w1", opt)
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			link, err := netlink.LinkByName("w1")
			if err != nil {
				t.Fatal(err)
			}
			if err := netlink.LinkSetDown(link); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if _, err := source.Next(150 * time.Millisecond); !errors.Is(err, platform.ErrNoFrame) {
					t.Fatalf("down: error %v", err)
				}
			}
			if err := netlink.LinkSetUp(link); err != nil {
				t.Fatal(err)
			}
			// The far end drops what is sent before its carrier is back.
			for end := time.Now().Add(5 * time.Second); ; {
				p.Send("w1", make([]byte, 60))
				_, err := source.Next(100 * time.Millisecond)
				if err == nil {
					break
				}
				if !errors.Is(err, platform.ErrNoFrame) || time.Now().After(end) {
					t.Fatalf("up: error %v", err)
				}
			}
			// Down, and only then gone, while nobody looks: told once, long ago.
			if err := netlink.LinkSetDown(link); err != nil {
				t.Fatal(err)
			}
			if _, err := source.Next(150 * time.Millisecond); !errors.Is(err, platform.ErrNoFrame) {
				t.Fatalf("down again: error %v", err)
			}
			p.Unplug("w1")
			if _, err := source.Next(5 * time.Second); !errors.Is(err, platform.ErrPortGone) {
				t.Errorf("gone: error %v", err)
			}
		})
	}
}

// TestCloseLeavesNothing: neither a socket behind the mapping, nor a port in
// promiscuous mode.
func TestCloseLeavesNothing(t *testing.T) {
	for mode, opt := range modes() {
		t.Run(mode, func(t *testing.T) {
			p := openPorts(t)
			before := sockets(t)
			source, err := p.Capture().Open("w1", opt)
			if err != nil {
				t.Fatal(err)
			}
			if got := sockets(t); got != before+1 {
				t.Fatalf("%d packet sockets, %d before", got, before)
			}
			if promiscuity(t) != 2 { // the bridge's own, and ours
				t.Errorf("promiscuity %d", promiscuity(t))
			}
			p.Send("w1", make([]byte, 60))
			if _, err := source.Next(5 * time.Second); err != nil {
				t.Fatal(err)
			}
			if err := source.Close(); err != nil {
				t.Fatal(err)
			}
			if promiscuity(t) != 1 {
				t.Errorf("promiscuity %d", promiscuity(t))
			}
			if _, err := source.Next(0); !errors.Is(err, platform.ErrClosed) {
				t.Errorf("error %v", err)
			}
			if got := sockets(t); got != before {
				t.Errorf("%d packet sockets, %d before", got, before)
			}
		})
	}
}

// TestReaderNeverReturns: a ring whose reader holds a frame and is forgotten
// goes with it.
func TestReaderNeverReturns(t *testing.T) {
	p := openPorts(t)
	before := sockets(t)
	func() {
		source, err := p.Capture().Open("w1", platform.CaptureOptions{})
		if err != nil {
			t.Fatal(err)
		}
		p.Send("w1", make([]byte, 60))
		if _, err := source.Next(5 * time.Second); err != nil {
			t.Fatal(err)
		}
		if err := source.Close(); err != nil {
			t.Fatal(err)
		}
		p.Send("w1", make([]byte, 60))
		if got := source.Stats(); got != (platform.CaptureStats{Frames: 1}) {
			t.Errorf("stats %+v", got)
		}
	}()
	for end := time.Now().Add(5 * time.Second); sockets(t) != before; {
		if time.Now().After(end) {
			t.Fatalf("%d packet sockets, %d before", sockets(t), before)
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
}

// sockets counts the packet sockets of the namespace.
func sockets(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/net/packet")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(b), "\n")
}

func promiscuity(t *testing.T) int {
	t.Helper()
	link, err := netlink.LinkByName("w1")
	if err != nil {
		t.Fatal(err)
	}
	return link.Attrs().Promisc
}

// TestNextAllocatesNothing on its way, whether it waits or not.
func TestNextAllocatesNothing(t *testing.T) {
	for mode, opt := range modes() {
		t.Run(mode, func(t *testing.T) {
			p := openPorts(t)
			source, err := p.Capture().Open("w1", opt)
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			fd := openSender(t, rig.Device("w1"))
			frame := make([]byte, 600)
			binary.BigEndian.PutUint16(frame[12:], 0x8100)
			const burst = 100
			got := testing.AllocsPerRun(20, func() {
				for range burst {
					if _, err := unix.Write(fd, frame); err != nil {
						t.Fatal(err)
					}
				}
				for range burst {
					if f, err := source.Next(time.Second); err != nil || f.TPID != 0x8100 {
						t.Fatalf("%+v, error %v", f, err)
					}
				}
			})
			if got != 0 {
				t.Errorf("%v allocations for %d frames", got, burst)
			}
		})
	}
}

// openSender opens a socket that a write puts a frame on the port with.
func openSender(t testing.TB, port string) int {
	t.Helper()
	index, err := portIndex(port)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: index}); err != nil {
		t.Fatal(err)
	}
	return fd
}
