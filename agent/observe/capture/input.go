package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// input is a file read in pieces that lie in its window, with the place.
type input struct {
	r       *bufio.Reader
	file    string
	frame   int   // number of the frame being read, from 1
	began   int64 // where its header starts, bytes
	at      int64 // where the reader stands, bytes
	pending int   // bytes of the last piece, dropped at the next one
}

// start begins a frame.
func (in *input) start() {
	in.frame++
	in.began = in.at
}

// piece returns the next n bytes, good until the next call. io.EOF: there are
// none at all.
func (in *input) piece(n int) ([]byte, error) {
	in.drop()
	b, err := in.r.Peek(n)
	if err != nil {
		if len(b) == 0 && errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, errShort(err)
	}
	in.pending = n
	in.at += int64(n)
	return b, nil
}

// within is piece for what must be there.
func (in *input) within(n int) ([]byte, error) {
	b, err := in.piece(n)
	return b, errShort(err)
}

// skip passes over n bytes, of which the last piece is kept valid when n is 0.
func (in *input) skip(n int64) error {
	if n == 0 {
		return nil
	}
	in.drop()
	for n > 0 {
		done, err := in.r.Discard(int(min(n, 1<<30)))
		in.at += int64(done)
		n -= int64(done)
		if err != nil {
			return errShort(err)
		}
	}
	return nil
}

// back gives the last n bytes of the last piece back.
func (in *input) back(n int) {
	in.pending -= n
	in.at -= int64(n)
}

func (in *input) drop() {
	if in.pending > 0 {
		_, _ = in.r.Discard(in.pending) // it was peeked at: cannot fail
		in.pending = 0
	}
}

// errShort turns the end of the file into the word for a cut file.
func errShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

// checkLength refuses frames beyond the bound.
func checkLength(n uint32) error {
	if n > maxFrame {
		return fmt.Errorf("captured length %d is more than %d bytes", n, maxFrame)
	}
	return nil
}
