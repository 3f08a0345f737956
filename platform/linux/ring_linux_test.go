package linux

import (
	"errors"
	"math"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform"
)

func TestRingShape(t *testing.T) {
	for _, tt := range []struct{ size, page, block, blocks int }{
		{4 << 20, 4096, 256 << 10, 16},
		{16 << 20, 4096, 256 << 10, 64},
		{64 << 10, 4096, 16 << 10, 4},
		{16 << 10, 4096, 4096, 4},
		{1, 4096, 4096, 4},
		{math.MaxInt, 4096, 256 << 10, min(1<<20, math.MaxInt>>18)},
		{1, 1024, 2048, 4},
		{64 << 10, 64 << 10, 64 << 10, 4},
		{4<<20 + 5000, 4096, 256 << 10, 16},
	} {
		if block, blocks := ringShape(tt.size, tt.page); block != tt.block || blocks != tt.blocks {
			t.Errorf("%d bytes of %d: %d blocks of %d, want %d of %d", tt.size, tt.page, blocks, block, tt.blocks, tt.block)
		}
	}
}

// paperRing is a ring without a kernel, of two blocks.
func paperRing(size int) *ring {
	words := make([]uint64, 2*size/8) // aligned, as mapped memory is
	b := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 2*size)
	s := &packetSocket{port: "paper", held: true, reading: true, free: func() {}}
	return &ring{packetSocket: s, mem: &mapping{b: b}, blockSize: size, blocks: 2}
}

func (r *ring) head(block int) *unix.TpacketHdrV1 {
	return (*unix.TpacketHdrV1)(unsafe.Pointer(&r.mem.b[block*r.blockSize+statusOffset]))
}

func (r *ring) packet(block, at int) *unix.Tpacket3Hdr {
	return (*unix.Tpacket3Hdr)(unsafe.Pointer(&r.mem.b[block*r.blockSize+at]))
}

// hand hands a block over to the reader.
func (r *ring) hand(block int, packets, first uint32) {
	*r.head(block) = unix.TpacketHdrV1{Block_status: unix.TP_STATUS_USER, Num_pkts: packets, Offset_to_first_pkt: first}
}

// TestRingBlocks: a block goes back when its last frame has been read, and an
// empty one at once.
func TestRingBlocks(t *testing.T) {
	r := paperRing(4096)
	r.hand(0, 2, 48)
	*r.packet(0, 48) = unix.Tpacket3Hdr{Next_offset: 152, Snaplen: 20, Len: 25, Mac: 82, Sec: 3, Nsec: 4}
	*r.packet(0, 200) = unix.Tpacket3Hdr{
		Snaplen: 14, Len: 14, Mac: 82, Status: unix.TP_STATUS_VLAN_VALID, Hv1: unix.TpacketHdrVariant1{Vlan_tci: 7},
	}
	r.mem.b[200+frameHeader+10] = unix.PACKET_OUTGOING
	r.hand(1, 0, 48)

	f, err := r.Next(0)
	if err != nil || len(f.Data) != 20 || f.Length != 25 || f.Time != 3_000_000_004 || f.Dir != platform.Ingress || f.TPID != 0 {
		t.Fatalf("%+v, error %v", f, err)
	}
	f, err = r.Next(0)
	if err != nil || len(f.Data) != 14 || f.Dir != platform.Egress || f.TCI != 7 || f.TPID != unix.ETH_P_8021Q {
		t.Fatalf("%+v, error %v", f, err)
	}
	if r.head(0).Block_status != unix.TP_STATUS_USER {
		t.Error("the block went back under its last frame")
	}
	if there, err := r.take(); there || err != nil {
		t.Errorf("a block too many, error %v", err)
	}
	if r.head(0).Block_status != unix.TP_STATUS_KERNEL || r.head(1).Block_status != unix.TP_STATUS_KERNEL {
		t.Error("blocks did not go back")
	}
}

// TestRingCorrupt: no header, however wrong, is followed out of its block.
func TestRingCorrupt(t *testing.T) {
	const size = 4096
	for name, spoil := range map[string]func(r *ring){
		"first in the header": func(r *ring) { r.hand(0, 1, 8) },
		"first beyond":        func(r *ring) { r.hand(0, 1, size) },
		"first far beyond":    func(r *ring) { r.hand(0, 1, 1<<32-8) },
		"first at the end":    func(r *ring) { r.hand(0, 1, size-48) },
		"first unaligned":     func(r *ring) { r.hand(0, 1, 49) },
		"frame beyond":        func(r *ring) { *r.packet(0, 48) = unix.Tpacket3Hdr{Mac: 82, Snaplen: size} },
		"frame far beyond":    func(r *ring) { *r.packet(0, 48) = unix.Tpacket3Hdr{Mac: 82, Snaplen: 1<<32 - 1} },
		"no next":             func(r *ring) { r.hand(0, 2, 48) },
		"mac beyond":          func(r *ring) { *r.packet(0, 48) = unix.Tpacket3Hdr{Mac: 1<<16 - 1} },
	} {
		t.Run(name, func(t *testing.T) {
			r := paperRing(size)
			r.hand(0, 1, 48)
			spoil(r)
			_, err := r.Next(0)
			if want := "read frames of paper: ring header out of bounds"; !errors.Is(err, errRingCorrupt) || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
		})
	}
}

// FuzzRing reads blocks of arbitrary bytes to their end.
func FuzzRing(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 2, 0, 0, 0, 48, 0, 0, 0})
	f.Fuzz(func(t *testing.T, block []byte) {
		r := paperRing(4096)
		copy(r.mem.b[statusOffset:4096], block)
		if r.head(0).Block_status&unix.TP_STATUS_USER == 0 {
			return
		}
		sum := 0
		for n := r.head(0).Num_pkts; n > 0; n-- {
			frame, err := r.Next(0)
			if err != nil {
				return
			}
			for _, c := range frame.Data {
				sum += int(c)
			}
		}
	})
}

// FuzzControl reads arbitrary control messages.
func FuzzControl(f *testing.F) {
	f.Add([]byte{36, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0, 0, 8, 0, 0, 0})
	f.Fuzz(func(t *testing.T, control []byte) {
		b := newBatch(&packetSocket{}, 0)
		n := copy(b.controls, control)
		b.messages[0].head.SetControllen(n)
		b.messages[0].n = uint32(len(control))
		if got := b.frame(0); got.Length != len(control) || len(got.Data) > b.slot {
			t.Errorf("%+v", got)
		}
	})
}

// TestControl reads what the kernel puts beside a frame.
func TestControl(t *testing.T) {
	b := newBatch(&packetSocket{}, 0)
	at := 0
	put := func(level, kind int32, size int) unsafe.Pointer {
		head := (*unix.Cmsghdr)(unsafe.Pointer(&b.controls[at]))
		head.Level, head.Type = level, kind
		head.SetLen(unix.CmsgLen(size))
		body := unsafe.Pointer(&b.controls[at+unix.CmsgLen(0)])
		at += unix.CmsgSpace(size)
		return body
	}
	put(unix.SOL_SOCKET, 99, 3)
	*(*unix.TpacketAuxdata)(put(unix.SOL_PACKET, unix.PACKET_AUXDATA, auxSize)) = unix.TpacketAuxdata{
		Status: unix.TP_STATUS_VLAN_VALID | unix.TP_STATUS_VLAN_TPID_VALID, Vlan_tci: 9, Vlan_tpid: 0x88a8,
	}
	*(*[2]int64)(put(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, stampSize)) = [2]int64{3, 4}
	b.messages[0].head.SetControllen(at)
	b.messages[0].n = 1 << 16
	f := b.frame(0)
	if f.TCI != 9 || f.TPID != 0x88a8 || f.Time != 3*int64(time.Second)+4 || len(f.Data) != minSlot || f.Length != 1<<16 {
		t.Errorf("%+v", f)
	}
}
