package fake

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

var (
	_ platform.Capture     = (*Ports)(nil)
	_ platform.FrameSource = (*source)(nil)
)

// What the kernel does with frames, in bytes.
const (
	defaultRing = 4 << 20
	minSlot     = 2048
	maxSlot     = 1<<16 + 128 // a longer frame is cut, or one of a quarter of the ring
	overhead    = 80          // a frame's headers in the ring
)

// Open listens on the port.
func (p *Ports) Open(port string, opt platform.CaptureOptions) (platform.FrameSource, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.find(port); err != nil {
		return nil, err
	}
	if err := p.refused[port]; err != nil {
		return nil, fmt.Errorf("open packet socket on %s: %w", port, err)
	}
	s := &source{ports: p, port: port, room: opt.RingBytes}
	if s.room <= 0 {
		s.room = defaultRing
	}
	s.slot = max(minSlot, min(maxSlot, s.room/4))
	p.sources[s] = true
	return s, nil
}

// RefuseCapture makes Open fail for the port, until err is nil again.
func (p *Ports) RefuseCapture(port string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused[port] = err
}

// Inject lets a whole frame (from the destination MAC on, VLAN tags inside)
// pass the port. All captures of the port see it, unless the port is down.
func (p *Ports) Inject(port string, dir platform.Direction, frame []byte) {
	f := platform.Frame{Time: p.clock.Now().UnixNano(), Dir: dir, Link: platform.LinkEthernet}
	frame, f.TCI, f.TPID = untag(frame)
	f.Length = len(frame)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.links[port].Up {
		return
	}
	for s := range p.sources {
		if s.port == port && !s.gone {
			s.put(f, frame)
		}
	}
}

// Lose lets the captures of the port lose n frames, as if their reader had been
// too slow.
func (p *Ports) Lose(port string, n uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.sources {
		if s.port == port {
			s.stats.Dropped += n
		}
	}
}

// untag copies the frame, and takes out its outer VLAN tag as the kernel does.
func untag(frame []byte) (rest []byte, tci, tpid uint16) {
	rest = append([]byte(nil), frame...)
	if len(frame) < 18 {
		return rest, 0, 0
	}
	switch tpid = binary.BigEndian.Uint16(frame[12:]); tpid {
	case 0x8100, 0x88a8:
		tci = binary.BigEndian.Uint16(frame[14:])
		return append(rest[:12], frame[16:]...), tci, tpid
	}
	return rest, 0, 0
}

// source is a queue of frames. The lock of its ports guards it.
type source struct {
	ports *Ports
	port  string
	room  int // bytes left in the ring
	slot  int // bytes of a frame that are kept

	queue        []platform.Frame
	lent         []byte // what the reader has borrowed
	stats        platform.CaptureStats
	gone, closed bool
	changed      signal
}

func (s *source) put(f platform.Frame, data []byte) {
	data = data[:min(len(data), s.slot)]
	if s.room < len(data)+overhead {
		s.stats.Dropped++
		return
	}
	s.room -= len(data) + overhead
	f.Data = append([]byte(nil), data...)
	s.queue = append(s.queue, f)
	s.changed.wake()
}

// Next returns the next frame. What was borrowed before is overwritten: a
// reader that kept it shall fail its test.
func (s *source) Next(wait time.Duration) (platform.Frame, error) {
	s.ports.mu.Lock()
	defer s.ports.mu.Unlock()
	s.takeBack()
	var late <-chan time.Time
	for {
		switch {
		case s.closed:
			return platform.Frame{}, platform.ErrClosed
		case len(s.queue) > 0:
			f := s.queue[0]
			s.queue = s.queue[1:]
			s.lent = f.Data
			s.stats.Frames++
			return f, nil
		case s.gone:
			return platform.Frame{}, platform.ErrPortGone
		case wait <= 0:
			return platform.Frame{}, platform.ErrNoFrame
		}
		if late == nil {
			late = time.After(wait)
		}
		changed := s.changed.wait()
		s.ports.mu.Unlock()
		select {
		case <-changed:
		case <-late:
			wait = 0
		}
		s.ports.mu.Lock()
	}
}

func (s *source) takeBack() {
	if s.lent == nil {
		return
	}
	s.room += len(s.lent) + overhead
	for i := range s.lent {
		s.lent[i] = 0xdb
	}
	s.lent = nil
}

// Stats are totals since Open.
func (s *source) Stats() platform.CaptureStats {
	s.ports.mu.Lock()
	defer s.ports.mu.Unlock()
	return s.stats
}

// Mode names the way of reading.
func (s *source) Mode() string { return "fake" }

// Close ends the capture and wakes a waiting Next.
func (s *source) Close() error {
	s.ports.mu.Lock()
	defer s.ports.mu.Unlock()
	s.closed = true
	delete(s.ports.sources, s)
	s.changed.wake()
	return nil
}
