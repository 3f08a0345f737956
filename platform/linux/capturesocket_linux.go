package linux

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	// aliveCheck is how often a silent port is looked at: the kernel tells that
	// it went down, but not that it vanished after that.
	aliveCheck = 100 * time.Millisecond
	// lastFrames is how long a vanished port's frames may take to arrive: a
	// partly filled block of the ring is handed over when its time is up.
	lastFrames = 3 * retireTimeout
)

// packetSocket is what both ways of reading have in common: the socket of
// mdlayher/packet, waiting, the end of the port, counters and closing.
type packetSocket struct {
	port  string
	index int
	conn  *packet.Conn
	raw   syscall.RawConn

	// fetch reports whether frames are at hand. It runs inside wait.
	fetch func(fd int) (bool, error)
	// free gives back what the frames lie in. It runs once the reader holds no
	// frame and the socket is closed.
	free func()

	// Of the reader. The two callbacks are made once, so that waiting
	// allocates nothing.
	look func(fd uintptr) bool
	once func(fd uintptr)
	got  bool
	err  error
	last bool // the port is gone, its last frames may still come
	held bool // the reader is inside: copy of reading

	frames  uint64
	dropped atomic.Uint64

	mu      sync.Mutex // guards reading and closing
	reading bool       // a frame may be borrowed
	closed  atomic.Bool
}

// openSocket opens a socket that is bound to the port but to no protocol, so
// that nothing is queued before start.
func openSocket(port string) (*packetSocket, error) {
	index, err := portIndex(port)
	if err != nil {
		return nil, err
	}
	conn, err := packet.Listen(&net.Interface{Index: index, Name: port}, packet.Raw, 0, nil)
	if err != nil {
		if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
			err = platform.ErrNoPort
		}
		return nil, fmt.Errorf("open packet socket on %s: %w", port, err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("open packet socket on %s: %w", port, err)
	}
	s := &packetSocket{port: port, index: index, conn: conn, raw: raw}
	s.look = s.lookAt
	s.once = func(fd uintptr) { s.lookAt(fd) }
	return s, nil
}

// start begins to receive the frames of all protocols, in both directions, also
// those that are not for this box.
func (s *packetSocket) start() error {
	if err := s.conn.SetPromiscuous(true); err != nil {
		return fmt.Errorf("set %s promiscuous: %w", s.port, s.noPort(err))
	}
	return s.control("bind packet socket", func(fd int) error {
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: s.index})
	})
}

// control runs a system call on the socket.
func (s *packetSocket) control(what string, call func(fd int) error) error {
	var failed error
	if err := s.raw.Control(func(fd uintptr) { failed = call(int(fd)) }); err != nil {
		failed = err
	}
	if failed != nil {
		return fmt.Errorf("%s on %s: %w", what, s.port, s.noPort(failed))
	}
	return nil
}

func (s *packetSocket) noPort(err error) error {
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		return platform.ErrNoPort
	}
	return err
}

// enter begins a call of Next: from here to leave frames may be borrowed.
func (s *packetSocket) enter() error {
	if s.held && !s.closed.Load() {
		return nil
	}
	if s.held {
		return s.leave(platform.ErrClosed)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return platform.ErrClosed
	}
	s.held, s.reading = true, true
	return nil
}

// leave ends a call of Next that returns no frame: none is borrowed any more.
func (s *packetSocket) leave(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held, s.reading = false, false
	if s.closed.Load() {
		s.free()
		return platform.ErrClosed
	}
	return err
}

// wait returns nil when frames are at hand.
func (s *packetSocket) wait(wait time.Duration) error {
	end := time.Now().Add(wait)
	for {
		slice := min(time.Until(end), aliveCheck)
		if s.last {
			slice = lastFrames
		}
		err := s.waitOnce(slice)
		switch {
		case s.closed.Load():
			return platform.ErrClosed
		case s.err != nil:
			return s.failed(s.err)
		case s.got:
			return nil
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("wait for frames of %s: %w", s.port, err)
		case s.last:
			return platform.ErrPortGone
		}
		if s.last = s.gone(); !s.last && time.Until(end) <= 0 {
			return platform.ErrNoFrame
		}
	}
}

func (s *packetSocket) failed(err error) error {
	return fmt.Errorf("read frames of %s: %w", s.port, err)
}

// waitOnce looks for frames, once now and then whenever the kernel wakes us
// until the wait is over, and leaves in got and err what it found.
func (s *packetSocket) waitOnce(wait time.Duration) error {
	s.got, s.err = false, nil
	if wait <= 0 {
		return s.raw.Control(s.once)
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	return s.raw.Read(s.look)
}

// lookAt reports whether there is something to return for. An error of the
// socket must be asked for: a vanished port wakes us once and only once.
func (s *packetSocket) lookAt(fd uintptr) bool {
	if s.got, s.err = s.fetch(int(fd)); s.got {
		return true
	}
	if s.err == nil {
		code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		switch {
		case err != nil:
			s.err = err
		case code != 0:
			s.err = unix.Errno(code)
		default:
			return false
		}
	}
	if errors.Is(s.err, unix.ENETDOWN) {
		s.err = nil // down or gone: wait finds out
	}
	return true
}

// gone reports whether the port of this socket exists no more: the kernel then
// takes the index out of the socket's address.
func (s *packetSocket) gone() bool {
	var index int
	err := s.control("get address", func(fd int) error {
		addr, err := unix.Getsockname(fd)
		if at, ok := addr.(*unix.SockaddrLinklayer); ok {
			index = at.Ifindex
		}
		return err
	})
	return err == nil && index != s.index
}

// Stats are totals since Open.
func (s *packetSocket) Stats() platform.CaptureStats {
	if !s.closed.Load() {
		_ = s.control("read statistics", s.count)
	}
	return platform.CaptureStats{Frames: s.frames, Dropped: s.dropped.Load()}
}

// count adds up the kernel's drops: each reading of PACKET_STATISTICS resets
// them. The first 8 bytes are the same in all versions of the structure.
func (s *packetSocket) count(fd int) error {
	stats, err := unix.GetsockoptTpacketStatsV3(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil {
		s.dropped.Add(uint64(stats.Drops))
	}
	return err
}

// Close stops the capture and wakes the reader. What a reader may still hold is
// freed when it comes back for more.
func (s *packetSocket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return nil
	}
	// A mapped ring keeps the socket alive behind a closed descriptor: it must
	// not go on to receive or be promiscuous. (To unbind it does not work: before
	// kernel 6.2 protocol 0 means "as it was" there, and index 0 all ports.)
	_ = s.conn.SetPromiscuous(false)
	_ = s.control("stop packet socket", func(fd int) error { return errors.Join(s.count(fd), deafen(fd)) })
	s.closed.Store(true)
	err := s.conn.Close()
	if !s.reading {
		s.free()
	}
	if err != nil {
		return fmt.Errorf("close packet socket on %s: %w", s.port, err)
	}
	return nil
}

// deafen attaches a filter that takes no frame.
func deafen(fd int) error {
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing})
}

// networkOrder turns a number around as the kernel wants EtherTypes.
func networkOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// direction translates the packet type of a link-layer address.
func direction(kind uint8) platform.Direction {
	if kind == unix.PACKET_OUTGOING {
		return platform.Egress
	}
	return platform.Ingress
}

// tag translates the VLAN tag that the kernel took out of a frame. Kernels
// before 3.14 did not tell the TPID.
func tag(status uint32, tci, tpid uint16) (uint16, uint16) {
	switch {
	case status&unix.TP_STATUS_VLAN_VALID == 0:
		return 0, 0
	case status&unix.TP_STATUS_VLAN_TPID_VALID == 0:
		return tci, unix.ETH_P_8021Q
	}
	return tci, tpid
}
