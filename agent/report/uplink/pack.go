package uplink

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// packAbove is the payload size from which compression is worth its while.
const packAbove = 1 << 10

// newPacker makes the compressor of one session: its window is a batch long, so
// it costs less memory than the batch's own copy.
func newPacker() (*zstd.Encoder, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(64<<10), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("make compressor: %w", err)
	}
	return e, nil
}

// pack compresses JSON lines where that helps. A reader tells by the first
// byte: '{' is JSON, 0x28 begins zstd's magic number (RFC 8878 §3.1.1).
func pack(e *zstd.Encoder, lines []byte) []byte {
	if len(lines) <= packAbove {
		return lines
	}
	if z := e.EncodeAll(lines, make([]byte, 0, len(lines)/4)); len(z) < len(lines) {
		return z
	}
	return lines
}
