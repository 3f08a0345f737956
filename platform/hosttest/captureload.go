package hosttest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/wardkeeper/wardkeeper/platform"
)

// captureMany: a reader that keeps up loses nothing, and sees all in order.
func captureMany(b *captureBench) {
	const frames, ahead = 10_000, 150
	ward := b.open(Ward1)
	var read atomic.Uint32
	done := make(chan error, 1)
	go func() {
		for want := range uint32(frames) {
			f, err := ward.Next(soon)
			if err == nil && binary.BigEndian.Uint32(f.Data[14:]) != want {
				err = fmt.Errorf("got frame %d", binary.BigEndian.Uint32(f.Data[14:]))
			}
			if err != nil {
				done <- fmt.Errorf("frame %d: %w", want, err)
				return
			}
			read.Store(want + 1)
		}
		done <- nil
	}()
	for i := range uint32(frames) {
		b.rig.Send(Ward1, numbered(i, 60+int(i%1400)))
		for int(i)-int(read.Load()) > ahead && len(done) == 0 {
			// The sender waits for the reader: no queue need be longer.
			b.pause()
		}
	}
	if err := <-done; err != nil {
		b.t.Fatal(err)
	}
	if got := ward.Stats(); got != (platform.CaptureStats{Frames: frames}) {
		b.t.Errorf("stats %+v", got)
	}
}

// captureSlow: what a reader is too slow for is counted, to the frame, and the
// counter goes on from one reading to the next.
func captureSlow(b *captureBench) {
	const round = 2000
	b.opt.RingBytes = 64 << 10
	ward := b.open(Ward1)
	var last platform.CaptureStats
	for n := uint64(1); n <= 3; n++ {
		for i := range uint32(round) {
			b.rig.Send(Ward1, numbered(i, 1000))
		}
		for {
			if _, err := ward.Next(idle); errors.Is(err, platform.ErrNoFrame) {
				break
			} else if err != nil {
				b.t.Fatal(err)
			}
		}
		got := ward.Stats()
		switch {
		case got.Frames+got.Dropped != n*round:
			b.t.Errorf("round %d: %d frames and %d drops, want %d together", n, got.Frames, got.Dropped, n*round)
		case got.Frames <= last.Frames, got.Dropped <= last.Dropped:
			b.t.Errorf("round %d: %+v after %+v", n, got, last)
		case ward.Stats() != got:
			b.t.Errorf("round %d: read again: %+v after %+v", n, ward.Stats(), got)
		}
		last = got
	}
	if err := ward.Close(); err != nil {
		b.t.Error(err)
	}
	if got := ward.Stats(); got != last {
		b.t.Errorf("after close: %+v, before %+v", got, last)
	}
}
