package extract

import (
	"errors"
	"io"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Replay reads a source to its end, on the caller's goroutine, and hands every
// batch to sink. The error is the source's; what came before it was handed
// over.
func Replay(src platform.FrameSource, opt Options, sink func(fact.Batch)) (Stats, error) {
	opt.Sink = func(b fact.Batch) bool { sink(b); return true }
	x := New(opt)
	x.whole = true
	for {
		f, err := src.Next(0)
		if err != nil {
			x.Close()
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return x.Stats(), err
		}
		x.Frame(f)
	}
}
