package platform

import (
	"errors"
	"time"
)

// Errors of a FrameSource that its reader tells apart.
var (
	// ErrNoFrame: nothing arrived within the wait; try again.
	ErrNoFrame = errors.New("no frame")
	// ErrPortGone: the port vanished under the capture; open it again by name.
	ErrPortGone = errors.New("port gone")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("closed")
)

// Capture opens ports for listening. It never sends.
type Capture interface {
	// Open starts the capture of all frames of the named port, both
	// directions. The error wraps ErrNoPort if there is no such port.
	Open(port string, opt CaptureOptions) (FrameSource, error)
}

// CaptureOptions are the choices of one capture; the zero value is a good one.
type CaptureOptions struct {
	RingBytes int  // size of the kernel ring, 0 for 4 MiB
	NoRing    bool // use recvmmsg even where the ring would work
}

// FrameSource is a stream of frames: a live port or a capture file.
// Next and Stats belong to one goroutine, Close may come from any.
type FrameSource interface {
	// Next returns the next frame, waiting at most wait for it. The frame's
	// bytes are borrowed: they are valid until the next call of Next.
	// Errors: ErrNoFrame, ErrPortGone, ErrClosed, io.EOF at the end of a file;
	// any other error ends the source.
	Next(wait time.Duration) (Frame, error)
	// Stats are totals since Open; they never fall.
	Stats() CaptureStats
	// Mode names how frames are read: "ring", "recvmmsg", "pcap", "fake", ….
	Mode() string
	// Close ends the capture and wakes a waiting Next.
	Close() error
}

// CaptureStats counts the frames of one source.
type CaptureStats struct {
	Frames  uint64 // handed to the reader
	Dropped uint64 // lost in the kernel because the reader was too slow
}

// Direction is the way of a frame as the gateway's port sees it.
type Direction uint8

// Directions. A capture file does not know: DirUnknown.
const (
	DirUnknown Direction = iota + 1
	Ingress              // from the device towards the gateway
	Egress               // from the gateway towards the device
)

// LinkType says what the first bytes of a frame are (libpcap LINKTYPE numbers
// are the file readers' business, not ours).
type LinkType uint8

// Link types.
const (
	LinkEthernet     LinkType = iota + 1
	LinkLinuxCooked           // SLL, 16-byte pseudo header
	LinkLinuxCooked2          // SLL2, 20-byte pseudo header
	LinkRawIP                 // starts with the IP version nibble
	LinkNull                  // 4-byte address family, host order of the writer
)

// Frame is one captured frame. Data is borrowed from the source; its one reader
// may zero what nobody after it may see.
type Frame struct {
	Data   []byte
	Length int   // bytes on the wire, ≥ len(Data); a tag that was taken out is not counted
	Time   int64 // wall time, nanoseconds since 1970
	Dir    Direction
	Link   LinkType
	// TCI and TPID are the outer VLAN tag where the kernel took it out of the
	// frame (TPID 0x8100 or 0x88a8); TPID 0 means no tag was taken out.
	TCI, TPID uint16
}
