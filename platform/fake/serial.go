package fake

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

var _ platform.Serial = (*Serial)(nil)

const minBaud, maxBaud = 50, 4_000_000

// Serial has the serial lines of the box.
type Serial struct {
	mu    sync.Mutex
	lines map[string]*Line
}

func newSerial() *Serial { return &Serial{lines: make(map[string]*Line)} }

// Add makes a line of that name and returns its far end.
func (s *Serial) Add(device string) *Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := &Line{device: device}
	s.lines[device] = line
	return line
}

// Open opens the near end of a line.
func (s *Serial) Open(device string, baud int) (platform.SerialPort, error) {
	if baud < minBaud || baud > maxBaud {
		return nil, fmt.Errorf("open serial line %s: %d baud, want %d to %d", device, baud, minBaud, maxBaud)
	}
	s.mu.Lock()
	line := s.lines[device]
	s.mu.Unlock()
	if line == nil {
		return nil, fmt.Errorf("open serial line %s: %w", device, fs.ErrNotExist)
	}
	line.mu.Lock()
	defer line.mu.Unlock()
	if line.open {
		return nil, fmt.Errorf("open serial line %s: %w", device, errors.New("in use by another process"))
	}
	line.open = true
	return &serialPort{line: line}, nil
}

// serialPort is the near end.
type serialPort struct {
	line     *Line
	closed   bool
	deadline time.Time // for writing
}

func (p *serialPort) Read(b []byte) (int, error) {
	p.line.mu.Lock()
	defer p.line.mu.Unlock()
	forever := time.Time{}
	err := p.line.await(&forever, func() bool { return p.closed || p.line.hungUp || len(p.line.in) > 0 })
	switch {
	case err != nil:
	case p.closed:
		err = os.ErrClosed
	case len(p.line.in) == 0:
		return 0, io.EOF
	}
	if err != nil {
		return 0, fmt.Errorf("read serial line %s: %w", p.line.device, err)
	}
	return take(&p.line.in, b, &p.line.changed), nil
}

func (p *serialPort) Write(b []byte) (int, error) {
	p.line.mu.Lock()
	defer p.line.mu.Unlock()
	written := 0
	for {
		err := p.line.await(&p.deadline, func() bool {
			return p.closed || p.line.hungUp || !p.line.stuck && len(p.line.out) < lineBuffer
		})
		switch {
		case err != nil:
		case p.closed:
			err = os.ErrClosed
		case p.line.hungUp:
			err = io.ErrClosedPipe
		}
		if err != nil {
			return written, fmt.Errorf("write serial line %s: %w", p.line.device, err)
		}
		written += put(&p.line.out, b[written:], &p.line.changed)
		if written == len(b) {
			return written, nil
		}
	}
}

func (p *serialPort) SetWriteDeadline(t time.Time) error {
	p.line.mu.Lock()
	defer p.line.mu.Unlock()
	p.deadline = t
	p.line.changed.wake()
	return nil
}

func (p *serialPort) Close() error {
	p.line.mu.Lock()
	defer p.line.mu.Unlock()
	if p.closed {
		return fmt.Errorf("close serial line %s: %w", p.line.device, os.ErrClosed)
	}
	p.closed, p.line.open = true, false
	p.line.changed.wake()
	return nil
}
