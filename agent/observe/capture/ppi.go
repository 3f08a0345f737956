package capture

import (
	"encoding/binary"

	"github.com/wardkeeper/wardkeeper/platform"
)

const (
	linkPPI   = 192
	ppiHeader = 8
)

// unwrapPPI takes the Per-Packet Information away that stands in front of a
// frame (CACE Technologies, PPI 1.0.10 §3: version, flags, length of it all and
// link type of the rest, little endian whoever wrote the file). Of a frame with
// a header that lies nothing is read.
func unwrapPPI(in *input, f *platform.Frame) error {
	size := 0
	if len(f.Data) >= ppiHeader {
		size = int(binary.LittleEndian.Uint16(f.Data[2:]))
	}
	if size < ppiHeader || size > len(f.Data) {
		f.Data, f.Link = nil, platform.LinkRawIP
		return nil
	}
	number := uint16(binary.LittleEndian.Uint32(f.Data[4:]))
	link, ok := linkOf(number)
	if !ok {
		return &skippedError{LinkTypeError{File: in.file, LinkType: number}}
	}
	f.Data, f.Length, f.Link = f.Data[size:], f.Length-size, link
	return nil
}
