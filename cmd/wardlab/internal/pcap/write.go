package pcap

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Snaplen is the longest frame that a file holds, octets.
const Snaplen = 65535

// Writer writes one file of Ethernet frames with nanosecond times.
type Writer struct{ w io.Writer }

// NewWriter writes the file header: magic of the nanosecond variant, version
// 2.4, link type 1 (Ethernet), little-endian.
func NewWriter(w io.Writer) (*Writer, error) {
	h := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d)
	h = binary.LittleEndian.AppendUint16(h, 2)
	h = binary.LittleEndian.AppendUint16(h, 4)
	h = append(h, make([]byte, 8)...) // no time zone, no claim of accuracy
	h = binary.LittleEndian.AppendUint32(h, Snaplen)
	h = binary.LittleEndian.AppendUint32(h, 1)
	if _, err := w.Write(h); err != nil {
		return nil, fmt.Errorf("write capture header: %w", err)
	}
	return &Writer{w: w}, nil
}

// Write adds one frame.
func (w *Writer) Write(at time.Time, frame []byte) error {
	frame = frame[:min(len(frame), Snaplen)]
	r := make([]byte, 0, 16+len(frame))
	r = binary.LittleEndian.AppendUint32(r, uint32(at.Unix()))
	r = binary.LittleEndian.AppendUint32(r, uint32(at.Nanosecond()))
	r = binary.LittleEndian.AppendUint32(r, uint32(len(frame)))
	r = binary.LittleEndian.AppendUint32(r, uint32(len(frame)))
	if _, err := w.w.Write(append(r, frame...)); err != nil {
		return fmt.Errorf("write captured frame: %w", err)
	}
	return nil
}
