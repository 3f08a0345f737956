package linux

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	minBaud, maxBaud = 50, 4_000_000
	// drain is how long Close waits for a line to send what was written. The
	// kernel itself would wait for 30 s, also when nobody listens.
	drain      = 200 * time.Millisecond
	drainCheck = 5 * time.Millisecond
)

var errInUse = errors.New("in use by another process")

// serial opens terminals.
type serial struct{}

var _ platform.Serial = serial{}

// Open opens a serial line or the slave of a pseudo-terminal.
//
// BREAK arrives as one NUL byte, and a byte with a framing error as it is:
// neither IGNBRK, BRKINT, PARMRK nor INPCK is set. So a console may take NUL
// for "start over", and no other byte is ever escaped.
func (serial) Open(device string, baud int) (platform.SerialPort, error) {
	if baud < minBaud || baud > maxBaud {
		return nil, fmt.Errorf("open serial line %s: %d baud, want %d to %d", device, baud, minBaud, maxBaud)
	}
	// Not blocking: opening does not wait for a carrier, and deadlines work.
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		if errors.Is(err, unix.EBUSY) {
			err = errInUse
		}
		return nil, fmt.Errorf("open serial line %s: %w", device, err)
	}
	if err := setUpLine(fd, baud); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("open serial line %s: %w", device, err)
	}
	file := os.NewFile(uintptr(fd), device)
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("open serial line %s: %w", device, err)
	}
	return &serialPort{file: file, raw: raw}, nil
}

// setUpLine takes the line for us and makes it raw.
func setUpLine(fd, baud int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("not a terminal: %w", err)
	}
	// The lock keeps out those who take it as well, TIOCEXCL all others but
	// root, from now on.
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return errInUse
		}
		return fmt.Errorf("lock: %w", err)
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		return fmt.Errorf("take for ourselves: %w", err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.BOTHER
	t.Ispeed, t.Ospeed = uint32(baud), uint32(baud)
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS2, t); err != nil {
		return fmt.Errorf("set %d baud 8N1: %w", baud, err)
	}
	// A driver takes the nearest rate it has. More than 3 % off is noise.
	got, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("read settings back: %w", err)
	}
	if off := int(got.Ospeed) - baud; off > baud*3/100 || -off > baud*3/100 {
		return fmt.Errorf("%d baud is not possible, nearest is %d", baud, got.Ospeed)
	}
	return nil
}

// serialPort is an open line.
type serialPort struct {
	file *os.File
	raw  syscall.RawConn
}

// Read reads what has come. At the end of the line (a pseudo-terminal whose
// other end is closed, an adapter that was unplugged) it returns io.EOF.
func (p *serialPort) Read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	if errors.Is(err, unix.EIO) {
		err = io.EOF
	}
	return n, p.wrap("read", err)
}

// Write writes all of b, or what goes before the deadline.
func (p *serialPort) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	return n, p.wrap("write", err)
}

// SetWriteDeadline bounds every Write.
func (p *serialPort) SetWriteDeadline(t time.Time) error { return p.file.SetWriteDeadline(t) }

func (p *serialPort) wrap(what string, err error) error {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case errors.Is(err, os.ErrClosed):
		err = os.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = os.ErrDeadlineExceeded
	}
	return fmt.Errorf("%s serial line %s: %w", what, p.file.Name(), err)
}

// Close gives what was written a moment to leave, throws away the rest, and
// ends a blocked Read or Write.
func (p *serialPort) Close() error {
	end := time.Now().Add(drain)
	for p.queued() > 0 {
		if time.Now().After(end) {
			_ = p.raw.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TCFLSH, unix.TCOFLUSH) })
			break
		}
		time.Sleep(drainCheck)
	}
	_ = p.raw.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TIOCNXCL, 0) })
	if err := p.file.Close(); err != nil {
		return fmt.Errorf("close serial line %s: %w", p.file.Name(), err)
	}
	return nil
}

// queued is the number of bytes that were written but not sent.
func (p *serialPort) queued() int {
	var n int
	err := p.raw.Control(func(fd uintptr) {
		if v, err := unix.IoctlGetInt(int(fd), unix.TIOCOUTQ); err == nil {
			n = v
		}
	})
	if err != nil {
		return 0 // closed already
	}
	return n
}
