package linux

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	// retireTimeout is when a block that is not full is handed over: the
	// longest that a frame waits for company.
	retireTimeout = 20 * time.Millisecond
	// maxBlock and minBlocks cut a ring into blocks: several, so that the
	// kernel fills one while we read another.
	maxBlock  = 256 << 10
	minBlocks = 4
	maxBlocks = 1 << 20 // far beyond what a kernel gives
	// statusOffset is where a block's header stands: behind version and
	// offset_to_priv of struct tpacket_block_desc.
	statusOffset = 8
)

// Sizes of the headers in front of a frame in the ring: struct tpacket3_hdr,
// then struct sockaddr_ll (both lie on multiples of 16).
const (
	blockHeader = int(unsafe.Sizeof(unix.TpacketHdrV1{}))
	frameHeader = int(unsafe.Sizeof(unix.Tpacket3Hdr{}))
	lladdrSize  = int(unsafe.Sizeof(unix.RawSockaddrLinklayer{}))
)

var errRingCorrupt = errors.New("ring header out of bounds")

// ring reads frames out of memory shared with the kernel (TPACKET_V3): one
// wake-up for a block of frames, no copy.
type ring struct {
	*packetSocket
	mem       *mapping
	blockSize int
	blocks    int

	block int    // the block to be read
	ours  bool   // it is ours, not the kernel's
	left  uint32 // frames left in it
	at    int    // where in it the next frame is
}

// mapping is the ring's memory. It is apart from the ring so that a ring that
// was dropped without a last Next gives it back too.
type mapping struct {
	once sync.Once
	b    []byte
}

func (m *mapping) free() { m.once.Do(func() { _ = unix.Munmap(m.b) }) }

// openRing sets the ring up on the socket of mdlayher/packet before it receives
// anything. An error but ErrNoPort says that this kernel will not have it.
func openRing(port string, size int) (*ring, error) {
	s, err := openSocket(port)
	if err != nil {
		return nil, err
	}
	r := &ring{packetSocket: s}
	r.blockSize, r.blocks = ringShape(size, os.Getpagesize())
	s.fetch = func(int) (bool, error) { return r.take() }
	if err := s.control("set up ring", r.setUp); err != nil {
		_ = s.conn.Close()
		return nil, err
	}
	s.free = r.mem.free
	runtime.AddCleanup(r, (*mapping).free, r.mem)
	if err := s.start(); err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// ringShape cuts the ring into blocks of whole pages.
func ringShape(size, page int) (block, blocks int) {
	block = min(maxBlock, size/minBlocks) / page * page
	for block < minSlot {
		block += page
	}
	return block, max(minBlocks, min(maxBlocks, size/block))
}

func (r *ring) setUp(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("version: %w", err)
	}
	req := unix.TpacketReq3{
		Block_size: uint32(r.blockSize),
		Block_nr:   uint32(r.blocks),
		// Frames are packed, whatever their size; the kernel only wants the
		// product to be right.
		Frame_size:     minSlot,
		Frame_nr:       uint32(r.blockSize / minSlot * r.blocks),
		Retire_blk_tov: uint32(retireTimeout.Milliseconds()),
	}
	if err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("size: %w", err)
	}
	b, err := unix.Mmap(fd, 0, r.blockSize*r.blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	r.mem = &mapping{b: b}
	return nil
}

// Mode names the way of reading.
func (r *ring) Mode() string { return "ring" }

// Next returns the next frame. A block goes back to the kernel when its last
// frame is no longer borrowed.
func (r *ring) Next(wait time.Duration) (platform.Frame, error) {
	if err := r.enter(); err != nil {
		return platform.Frame{}, err
	}
	if r.left == 0 {
		there, err := r.take()
		if err != nil {
			return platform.Frame{}, r.leave(r.failed(err))
		}
		if !there {
			if err := r.wait(wait); err != nil {
				return platform.Frame{}, r.leave(err)
			}
		}
	}
	frame, err := r.frame()
	if err != nil {
		return platform.Frame{}, r.leave(r.failed(err))
	}
	r.frames++
	return frame, nil
}

// take gives back the block that was read, and takes the next one if the
// kernel has handed it over.
func (r *ring) take() (bool, error) {
	for {
		block := r.mem.b[r.block*r.blockSize:][:r.blockSize]
		head := (*unix.TpacketHdrV1)(unsafe.Pointer(&block[statusOffset]))
		if r.ours {
			// The store orders our reads of the block before its release.
			atomic.StoreUint32(&head.Block_status, unix.TP_STATUS_KERNEL)
			r.ours = false
			r.block = (r.block + 1) % r.blocks
			continue
		}
		if atomic.LoadUint32(&head.Block_status)&unix.TP_STATUS_USER == 0 {
			return false, nil
		}
		r.ours, r.left, r.at = true, head.Num_pkts, int(head.Offset_to_first_pkt)
		if r.at < statusOffset+blockHeader {
			return false, errRingCorrupt
		}
		if r.left > 0 {
			return true, nil
		}
	}
}

// frame reads the frame at r.at. The kernel wrote the offsets; they are checked
// all the same, for a fault there must not become a fault here.
func (r *ring) frame() (platform.Frame, error) {
	block := r.mem.b[r.block*r.blockSize:][:r.blockSize]
	at := r.at
	if at < 0 || at > len(block)-frameHeader-lladdrSize || at%8 != 0 {
		return platform.Frame{}, errRingCorrupt
	}
	head := (*unix.Tpacket3Hdr)(unsafe.Pointer(&block[at]))
	addr := (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&block[at+frameHeader]))
	begin := at + int(head.Mac)
	end := begin + int(head.Snaplen)
	if end < begin || end > len(block) {
		return platform.Frame{}, errRingCorrupt
	}
	r.left--
	if r.left > 0 && head.Next_offset == 0 {
		return platform.Frame{}, errRingCorrupt // the same frame for ever
	}
	r.at += int(head.Next_offset)
	f := platform.Frame{
		Data:   block[begin:end:end],
		Length: int(head.Len),
		Time:   int64(head.Sec)*int64(time.Second) + int64(head.Nsec),
		Dir:    direction(addr.Pkttype),
		Link:   platform.LinkEthernet,
	}
	f.TCI, f.TPID = tag(head.Status, uint16(head.Hv1.Vlan_tci), head.Hv1.Vlan_tpid)
	return f, nil
}
