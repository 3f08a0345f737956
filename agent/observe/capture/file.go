package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

var _ platform.FrameSource = (*File)(nil)

const (
	// maxFrame is the longest frame read, the limit that tcpdump has for all
	// but USB and D-Bus.
	maxFrame = 256 << 10
	// window holds a frame with its headers in one piece.
	window = 2 * maxFrame
)

// File is a capture file as a source of frames. It needs a fixed amount of
// memory, whatever the file says.
type File struct {
	in      *input
	format  format
	frame   platform.Frame // here because a local one would be allocated
	closer  io.Closer      // nil if the reader is not ours
	closed  atomic.Bool
	stats   platform.CaptureStats
	foreign *LinkTypeError // set once a frame of a foreign link was passed over
	failed  error          // what ended the source
}

// format reads one file format.
type format interface {
	// next reads a frame. errSkipped says that it was of a foreign link type.
	next(in *input, f *platform.Frame) error
	name() string
}

var (
	errSkipped = errors.New("frame skipped")
	errCut     = errors.New("the file ends within it")
)

// Open opens a capture file.
func Open(name string) (*File, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open capture file: %w", err)
	}
	f, err := NewFile(filepath.Base(name), r)
	if err != nil {
		r.Close()
		return nil, err
	}
	f.closer = r
	return f, nil
}

// NewFile reads a capture file from r; the name is for error texts.
func NewFile(name string, r io.Reader) (*File, error) {
	in := &input{r: bufio.NewReaderSize(r, window), file: name}
	f := &File{in: in}
	magic, err := in.r.Peek(4)
	if err != nil {
		return nil, fmt.Errorf("capture file %s: %w", name, errShort(err))
	}
	switch m := binary.LittleEndian.Uint32(magic); {
	case m == ngSection:
		f.format = &pcapng{}
	case m == snoopMagic:
		f.format, err = newSnoop(in)
	case m&0xffff == 0x8b1f:
		err = errors.New("it is compressed by gzip; unpack it first")
	default:
		f.format, err = newPcap(in)
	}
	var link *LinkTypeError
	switch {
	case errors.As(err, &link):
		return nil, link
	case err != nil:
		return nil, fmt.Errorf("capture file %s: %w", name, err)
	}
	return f, nil
}

// Next returns the next frame; a file never makes its reader wait.
func (f *File) Next(time.Duration) (platform.Frame, error) {
	if f.closed.Load() {
		return platform.Frame{}, platform.ErrClosed
	}
	for f.failed == nil {
		f.in.start()
		switch err := f.format.next(f.in, &f.frame); {
		case err == nil:
			f.stats.Frames++
			return f.frame, nil
		case errors.Is(err, errSkipped):
			f.noteForeign(err)
		case errors.Is(err, io.EOF):
			f.failed = io.EOF
			if f.foreign != nil {
				f.failed = f.foreign
			}
		default:
			f.failed = fmt.Errorf("capture file %s: frame %d at byte %d: %w", f.in.file, f.in.frame, f.in.began, err)
		}
	}
	return platform.Frame{}, f.failed
}

// noteForeign remembers the first foreign link type for the end of the file.
func (f *File) noteForeign(err error) {
	var link *LinkTypeError
	if !errors.As(err, &link) {
		return
	}
	if f.foreign == nil {
		f.foreign = link
	}
	f.foreign.Frames++
}

// Stats counts the frames handed out.
func (f *File) Stats() platform.CaptureStats { return f.stats }

// Mode is the file's format.
func (f *File) Mode() string { return f.format.name() }

// Close closes the file.
func (f *File) Close() error {
	if f.closed.Swap(true) || f.closer == nil {
		return nil
	}
	return f.closer.Close()
}
