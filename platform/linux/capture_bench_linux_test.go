package linux

import (
	"errors"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

// frameSize is that of the small frames which cost most per byte.
const frameSize = 60

func BenchmarkCaptureRing(b *testing.B) { benchmarkSource(b, platform.CaptureOptions{}) }

func BenchmarkCaptureRecvmmsg(b *testing.B) {
	benchmarkSource(b, platform.CaptureOptions{NoRing: true})
}

func benchmarkSource(b *testing.B, opt platform.CaptureOptions) {
	benchmark(b, func(stop *atomic.Bool) (frames uint64) {
		source, err := New(Options{}).Capture.Open("w1", opt)
		if err != nil {
			b.Error(err)
			return 0
		}
		defer source.Close()
		if opt.NoRing == (source.Mode() == "ring") {
			b.Errorf("mode %s", source.Mode())
		}
		for {
			_, err := source.Next(50 * time.Millisecond)
			switch {
			case err == nil:
				frames++
			case !errors.Is(err, platform.ErrNoFrame):
				b.Error(err)
				return frames
			case stop.Load():
				return frames
			}
		}
	})
}

// BenchmarkCaptureReadFrom is the peer: a loop around ReadFrom of
// mdlayher/packet, with a socket buffer of the ring's size.
func BenchmarkCaptureReadFrom(b *testing.B) {
	benchmark(b, func(stop *atomic.Bool) (frames uint64) {
		index, err := portIndex("w1")
		if err != nil {
			b.Error(err)
			return 0
		}
		conn, err := packet.Listen(&net.Interface{Index: index}, packet.Raw, unix.ETH_P_ALL, nil)
		if err != nil {
			b.Error(err)
			return 0
		}
		defer conn.Close()
		raw, err := conn.SyscallConn()
		if err == nil {
			err = raw.Control(func(fd uintptr) { _ = setUpBatch(int(fd), defaultRing) })
		}
		if err != nil {
			b.Error(err)
			return 0
		}
		buffer := make([]byte, maxSlot)
		for {
			_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			for {
				if _, _, err := conn.ReadFrom(buffer); err != nil {
					break
				}
				frames++
			}
			if stop.Load() {
				return frames
			}
		}
	})
}

// benchmark sends b.N frames, paced and then as fast as it goes, and reports
// what the reader lost and what of the processor's time all but the sender took.
func benchmark(b *testing.B, read func(stop *atomic.Bool) uint64) {
	for _, pace := range []struct {
		name string
		rate int // frames a second, 0 for as many as go
	}{{"5k", 5_000}, {"50k", 50_000}, {"max", 0}} {
		b.Run(pace.name, func(b *testing.B) {
			openPorts(b)
			link, err := netlink.LinkByName("w1")
			if err == nil {
				err = netlink.LinkSetNoMaster(link)
			}
			if err != nil {
				b.Fatal(err)
			}
			fd := openSender(b, rig.Device("w1"))
			if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
				b.Fatal(err)
			}
			var stop atomic.Bool
			got := make(chan uint64)
			go func() { got <- read(&stop) }()
			time.Sleep(100 * time.Millisecond) // it is listening
			b.ResetTimer()
			before, sender := cpu(unix.RUSAGE_SELF), flood(b, fd, b.N, pace.rate)
			b.StopTimer()
			stop.Store(true)
			frames := <-got
			all := cpu(unix.RUSAGE_SELF) - before
			b.ReportMetric(float64(all-sender)/float64(max(1, frames)), "cpu-ns/frame")
			b.ReportMetric(100*(1-float64(frames)/float64(b.N)), "%lost")
		})
	}
}

// flood sends n frames and returns the sender's time on the processor.
func flood(b *testing.B, fd, n, rate int) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := cpu(unix.RUSAGE_THREAD)
	const batch = 64
	frame := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5}, make([]byte, frameSize-14)...)
	vector := unix.Iovec{Base: &frame[0]}
	vector.SetLen(len(frame))
	messages := make([]message, batch)
	for i := range messages {
		messages[i].head.Iov = &vector
		messages[i].head.SetIovlen(1)
	}
	began := time.Now()
	for sent := 0; sent < n; {
		if rate > 0 {
			due := time.Duration(sent) * time.Second / time.Duration(rate)
			time.Sleep(due - time.Since(began))
		}
		done, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd),
			uintptr(unsafe.Pointer(&messages[0])), uintptr(min(batch, n-sent)), 0, 0, 0)
		if errno == unix.ENOBUFS || errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			b.Fatal(errno)
		}
		sent += int(done)
	}
	return cpu(unix.RUSAGE_THREAD) - before
}

func cpu(who int) time.Duration {
	var r unix.Rusage
	_ = unix.Getrusage(who, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
