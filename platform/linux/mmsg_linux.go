package linux

import (
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

// maxBatch is how many frames one system call fetches.
const maxBatch = 32

// Room for the control messages of one frame: struct tpacket_auxdata and a
// 64-bit time stamp.
const (
	auxSize     = int(unsafe.Sizeof(unix.TpacketAuxdata{}))
	stampSize   = 16 // struct __kernel_timespec: two 64-bit numbers
	controlSize = 128
)

// batch reads frames with recvmmsg(2): where the kernel refuses a ring.
type batch struct {
	*packetSocket
	messages []message
	names    []unix.RawSockaddrLinklayer
	vectors  []unix.Iovec
	controls []byte
	data     []byte
	slot     int // bytes of data for one frame

	next, there int // messages handed out, and fetched
}

// message is struct mmsghdr.
type message struct {
	head unix.Msghdr
	n    uint32 // bytes of the frame, also where it was cut
}

func openBatch(port string, size int) (*batch, error) {
	s, err := openSocket(port)
	if err != nil {
		return nil, err
	}
	b := newBatch(s, size)
	err = s.control("set up packet socket", func(fd int) error { return setUpBatch(fd, size) })
	if err == nil {
		err = s.start()
	}
	if err != nil {
		_ = b.Close()
		return nil, err
	}
	return b, nil
}

func newBatch(s *packetSocket, size int) *batch {
	slot := max(minSlot, min(maxSlot, size/minBlocks))
	b := &batch{
		packetSocket: s,
		messages:     make([]message, maxBatch),
		names:        make([]unix.RawSockaddrLinklayer, maxBatch),
		vectors:      make([]unix.Iovec, maxBatch),
		controls:     make([]byte, maxBatch*controlSize),
		data:         make([]byte, maxBatch*slot),
		slot:         slot,
	}
	for i := range b.messages {
		b.vectors[i].Base = &b.data[i*slot]
		b.vectors[i].SetLen(slot)
	}
	s.fetch, s.free = b.fetchBatch, func() {}
	return b
}

// setUpBatch asks for what the ring has in its headers, and for a queue.
func setUpBatch(fd, size int) error {
	size = min(size, math.MaxInt32)
	// Beyond rmem_max if we may, up to it if not.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size); err != nil {
			return err
		}
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		return err
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1)
}

// Mode names the way of reading.
func (b *batch) Mode() string { return "recvmmsg" }

// Next returns the next frame.
func (b *batch) Next(wait time.Duration) (platform.Frame, error) {
	if err := b.enter(); err != nil {
		return platform.Frame{}, err
	}
	if b.next == b.there {
		if err := b.wait(wait); err != nil {
			return platform.Frame{}, b.leave(err)
		}
	}
	f := b.frame(b.next)
	b.next++
	b.frames++
	return f, nil
}

// fetchBatch fills the messages with what is queued.
func (b *batch) fetchBatch(fd int) (bool, error) {
	for i := range b.messages {
		head := &b.messages[i].head
		head.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		head.Namelen = uint32(unsafe.Sizeof(b.names[i]))
		head.Iov = &b.vectors[i]
		head.SetIovlen(1)
		head.Control = &b.controls[i*controlSize]
		head.SetControllen(controlSize)
		head.Flags = 0
	}
	for {
		// MSG_TRUNC: tell the length on the wire even of a frame that is cut.
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.messages[0])),
			uintptr(len(b.messages)), unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			return false, nil
		case errno != 0:
			return false, errno
		}
		b.next, b.there = 0, int(n)
		return n > 0, nil
	}
}

// frame reads the i-th message.
func (b *batch) frame(i int) platform.Frame {
	m := &b.messages[i]
	length := int(m.n)
	begin := i * b.slot
	end := begin + min(length, b.slot)
	f := platform.Frame{
		Data:   b.data[begin:end:end],
		Length: length,
		Dir:    direction(b.names[i].Pkttype),
		Link:   platform.LinkEthernet,
	}
	control := b.controls[i*controlSize:][:min(int(m.head.Controllen), controlSize)]
	for len(control) >= unix.SizeofCmsghdr {
		head := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		n := int(head.Len)
		if n < unix.SizeofCmsghdr || n > len(control) {
			break
		}
		readControl(&f, head, control[unix.CmsgLen(0):n])
		control = control[min(unix.CmsgSpace(n-unix.CmsgLen(0)), len(control)):]
	}
	return f
}

// readControl takes the VLAN tag or the time out of one control message.
func readControl(f *platform.Frame, head *unix.Cmsghdr, body []byte) {
	switch {
	case head.Level == unix.SOL_PACKET && head.Type == unix.PACKET_AUXDATA && len(body) >= auxSize:
		aux := (*unix.TpacketAuxdata)(unsafe.Pointer(&body[0]))
		f.TCI, f.TPID = tag(aux.Status, aux.Vlan_tci, aux.Vlan_tpid)
	case head.Level == unix.SOL_SOCKET && head.Type == unix.SO_TIMESTAMPNS_NEW && len(body) >= stampSize:
		stamp := (*[2]int64)(unsafe.Pointer(&body[0]))
		f.Time = stamp[0]*int64(time.Second) + stamp[1]
	}
}
