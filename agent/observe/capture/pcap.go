package capture

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Magic numbers of pcap, as its writer's byte order has them.
const (
	pcapMicro    = 0xa1b2c3d4
	pcapNano     = 0xa1b23c4d
	pcapModified = 0xa1b2cd34 // Kuznetzov's: 8 more bytes in each header

	pcapHeader = 24
	pcapRecord = 16
)

// pcap is the classic format (draft-ietf-opsawg-pcap).
type pcap struct {
	order  binary.ByteOrder
	link   platform.LinkType // 0: PPI, each frame says it itself
	unit   int64             // nanoseconds of the time's fraction
	record int               // bytes of a frame's header
}

func newPcap(in *input) (*pcap, error) {
	b, err := in.within(pcapHeader)
	if err != nil {
		return nil, fmt.Errorf("pcap header: %w", err)
	}
	p := &pcap{order: binary.LittleEndian, unit: int64(time.Microsecond), record: pcapRecord}
	if b[0] == 0xa1 {
		p.order = binary.BigEndian
	}
	switch magic := p.order.Uint32(b); magic {
	case pcapMicro:
	case pcapNano:
		p.unit = 1
	case pcapModified:
		p.record += 8
	default:
		return nil, fmt.Errorf("not pcap, pcapng or snoop: it begins with %08x", binary.BigEndian.Uint32(b))
	}
	n := uint16(p.order.Uint32(b[20:])) // above: length of the FCS
	link, ok := linkOf(n)
	if !ok && n != linkPPI {
		return nil, &LinkTypeError{File: in.file, LinkType: n}
	}
	p.link = link
	return p, nil
}

func (p *pcap) name() string { return "pcap" }

func (p *pcap) next(in *input, f *platform.Frame) error {
	h, err := in.piece(p.record)
	if err != nil {
		return err
	}
	size, length := p.order.Uint32(h[8:]), p.order.Uint32(h[12:])
	if err := checkLength(size); err != nil {
		return err
	}
	at := int64(p.order.Uint32(h))*int64(time.Second) + int64(p.order.Uint32(h[4:]))*p.unit
	data, err := in.within(int(size))
	if err != nil {
		return err
	}
	*f = platform.Frame{Data: data, Length: int(max(length, size)), Time: at, Dir: platform.DirUnknown, Link: p.link}
	if p.link == 0 {
		return unwrapPPI(in, f)
	}
	return nil
}
