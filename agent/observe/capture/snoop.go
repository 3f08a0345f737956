package capture

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	snoopMagic  = 0x6f6f6e73 // "snoo", little endian
	snoopHeader = 16
	snoopRecord = 24
)

// snoop is the format of Solaris (RFC 1761), always in network order.
type snoop struct{}

func newSnoop(in *input) (*snoop, error) {
	b, err := in.within(snoopHeader)
	if err != nil {
		return nil, fmt.Errorf("snoop header: %w", err)
	}
	if string(b[4:8]) != "p\x00\x00\x00" {
		return nil, fmt.Errorf("not pcap, pcapng or snoop: it begins with %08x", binary.BigEndian.Uint32(b))
	}
	if v := binary.BigEndian.Uint32(b[8:]); v != 2 {
		return nil, fmt.Errorf("snoop version %d is not read, only 2", v)
	}
	// 0 is IEEE 802.3, 4 Ethernet: the same bytes
	if n := binary.BigEndian.Uint32(b[12:]); n != 0 && n != 4 {
		return nil, &LinkTypeError{File: in.file, LinkType: uint16(n), Snoop: true}
	}
	return &snoop{}, nil
}

func (*snoop) name() string { return "snoop" }

func (*snoop) next(in *input, f *platform.Frame) error {
	h, err := in.piece(snoopRecord)
	if err != nil {
		return err
	}
	length, size, whole := binary.BigEndian.Uint32(h), binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
	if err := checkLength(size); err != nil {
		return err
	}
	// the record's length counts header, data and at most a few pad bytes
	if whole < snoopRecord+size || whole > snoopRecord+maxFrame+8 {
		return fmt.Errorf("record length %d does not fit a captured length of %d", whole, size)
	}
	at := int64(binary.BigEndian.Uint32(h[16:]))*int64(time.Second) + int64(binary.BigEndian.Uint32(h[20:]))*int64(time.Microsecond)
	data, err := in.within(int(whole - snoopRecord))
	if err != nil {
		return err
	}
	*f = platform.Frame{
		Data: data[:size], Length: int(max(length, size)), Time: at, Dir: platform.DirUnknown, Link: platform.LinkEthernet,
	}
	return nil
}
