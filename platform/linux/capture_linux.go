package linux

import (
	"errors"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Sizes of what stands between the kernel and a reader.
const (
	// defaultRing holds about 30 ms of full-size frames at a gigabit.
	defaultRing = 4 << 20
	// maxSlot is the room for one frame: generic receive offload hands over
	// up to 64 KiB of IP behind an Ethernet header. A longer frame is cut.
	maxSlot = 1<<16 + 128
	// minSlot holds a full Ethernet frame behind the ring's own headers.
	minSlot = 2048
)

// capturer opens packet sockets.
type capturer struct{}

var _ platform.Capture = capturer{}

// Open listens on the port. A kernel that refuses the ring is read with
// recvmmsg instead; Mode tells which one it is.
func (capturer) Open(port string, opt platform.CaptureOptions) (platform.FrameSource, error) {
	size := opt.RingBytes
	if size <= 0 {
		size = defaultRing
	}
	if !opt.NoRing {
		r, err := openRing(port, size)
		if err == nil {
			return r, nil
		}
		if errors.Is(err, platform.ErrNoPort) {
			return nil, err
		}
	}
	b, err := openBatch(port, size)
	if err != nil {
		return nil, err
	}
	return b, nil
}
