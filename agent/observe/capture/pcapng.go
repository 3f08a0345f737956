package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Block types (draft-ietf-opsawg-pcapng §4).
const (
	ngSection   = 0x0a0d0d0a // the same in both byte orders
	ngInterface = 1
	ngPacket    = 2 // obsolete
	ngSimple    = 3
	ngEnhanced  = 6

	ngMagic = 0x1a2b3c4d

	ngMinBlock      = 12
	ngMaxInterfaces = 4096
	ngMaxOptions    = 64 << 10 // bytes of one interface's options
)

// pcapng is a stream of sections, each with its byte order and interfaces.
type pcapng struct {
	order  binary.ByteOrder // nil before the first section
	ifs    []ngIface
	lastNS int64 // of the last frame that had a time
}

func (p *pcapng) name() string { return "pcapng" }

// next reads blocks until one holds a frame.
func (p *pcapng) next(in *input, f *platform.Frame) error {
	for {
		in.began = in.at
		h, err := in.piece(8)
		if err != nil {
			return err
		}
		if binary.LittleEndian.Uint32(h) == ngSection {
			if err := p.section(in); err != nil {
				return fmt.Errorf("section header: %w", err)
			}
			continue
		}
		if p.order == nil {
			return errors.New("the file does not begin with a section header")
		}
		kind, size := p.order.Uint32(h), p.order.Uint32(h[4:])
		if size < ngMinBlock || size%4 != 0 {
			return fmt.Errorf("block length %d is impossible", size)
		}
		body := int64(size) - ngMinBlock
		switch kind {
		case ngInterface:
			err = p.iface(in, body)
		case ngEnhanced, ngPacket, ngSimple:
			return p.frame(in, kind, body, f)
		default: // names, statistics, secrets, custom blocks
			err = in.skip(body)
		}
		if err == nil {
			err = p.trailer(in, size)
		}
		if err != nil {
			return noEOF(err)
		}
	}
}

// trailer checks the length behind a block.
func (p *pcapng) trailer(in *input, size uint32) error {
	b, err := in.within(4)
	if err != nil {
		return err
	}
	if got := p.order.Uint32(b); got != size {
		return fmt.Errorf("block of %d bytes ends with length %d", size, got)
	}
	return nil
}

// section reads a section header; the type and the length are behind us, but
// the length could not be read before the byte order.
func (p *pcapng) section(in *input) error {
	in.back(4)
	b, err := in.within(8)
	if err != nil {
		return err
	}
	switch {
	case binary.LittleEndian.Uint32(b[4:]) == ngMagic:
		p.order = binary.LittleEndian
	case binary.BigEndian.Uint32(b[4:]) == ngMagic:
		p.order = binary.BigEndian
	default:
		return fmt.Errorf("byte order mark %08x is unknown", binary.BigEndian.Uint32(b[4:]))
	}
	p.ifs = p.ifs[:0]
	size := p.order.Uint32(b)
	if size < 28 || size%4 != 0 {
		return fmt.Errorf("block length %d is impossible", size)
	}
	if err := in.skip(int64(size) - 16); err != nil {
		return err
	}
	return p.trailer(in, size)
}

// frame reads a packet block. The trailer is left to the next call, so that
// the frame's bytes stay where they are.
func (p *pcapng) frame(in *input, kind uint32, body int64, f *platform.Frame) error {
	head := int64(20)
	if kind == ngSimple {
		head = 4
	}
	if body < head || body > head+maxFrame+ngMaxOptions {
		return fmt.Errorf("packet block of %d bytes is impossible", body+ngMinBlock)
	}
	b, err := in.within(int(body) + 4)
	if err != nil {
		return err
	}
	if got := p.order.Uint32(b[body:]); int64(got) != body+ngMinBlock {
		return fmt.Errorf("block of %d bytes ends with length %d", body+ngMinBlock, got)
	}
	id, ts, size, length := uint32(0), uint64(0), uint32(0), uint32(0)
	switch kind {
	case ngSimple:
		length = p.order.Uint32(b)
		size = min(length, uint32(body-head))
		if len(p.ifs) > 0 && p.ifs[0].snaplen > 0 {
			size = min(size, p.ifs[0].snaplen)
		}
	case ngPacket:
		id = uint32(p.order.Uint16(b)) // then 16 bits of drops
	default:
		id = p.order.Uint32(b)
	}
	if kind != ngSimple {
		ts = uint64(p.order.Uint32(b[4:]))<<32 | uint64(p.order.Uint32(b[8:]))
		size, length = p.order.Uint32(b[12:]), p.order.Uint32(b[16:])
	}
	if err := checkLength(size); err != nil {
		return err
	}
	if int64(size) > body-head {
		return fmt.Errorf("captured length %d is more than its block holds", size)
	}
	if int64(id) >= int64(len(p.ifs)) {
		return fmt.Errorf("interface %d was not described", id)
	}
	i := &p.ifs[id]
	if i.link == 0 && i.number != linkPPI {
		return &skippedError{LinkTypeError{File: in.file, LinkType: i.number}}
	}
	if kind != ngSimple { // which has no time
		p.lastNS = i.nanoseconds(ts)
	}
	*f = platform.Frame{
		Data: b[head : head+int64(size)], Length: int(max(length, size)), Time: p.lastNS, Dir: platform.DirUnknown, Link: i.link,
	}
	if i.link == 0 {
		return unwrapPPI(in, f)
	}
	return nil
}

// noEOF: within a block the end of the file is an error.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errCut
	}
	return err
}

// skippedError carries the link type of a frame that was passed over.
type skippedError struct{ link LinkTypeError }

func (e *skippedError) Error() string   { return e.link.Error() }
func (e *skippedError) Unwrap() []error { return []error{errSkipped, &e.link} }
