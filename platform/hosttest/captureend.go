package hosttest

import (
	"errors"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

func (b *captureBench) pause() { time.Sleep(time.Millisecond) }

// ends wants this error of Next, in time, and again.
func (b *captureBench) ends(source platform.FrameSource, want error) {
	b.t.Helper()
	for range 2 {
		began := time.Now()
		if _, err := source.Next(2 * soon); !errors.Is(err, want) || time.Since(began) > soon {
			b.t.Errorf("got error %v after %v, want %v", err, time.Since(began), want)
		}
	}
}

// reading lets someone wait for a frame, and returns what ends the wait.
func (b *captureBench) reading(source platform.FrameSource) <-chan error {
	read := make(chan error, 1)
	go func() {
		_, err := source.Next(2 * soon)
		read <- err
	}()
	time.Sleep(idle) // let it begin to wait
	return read
}

// within wants this error from a waiting reader, soon.
func (b *captureBench) within(read <-chan error, want error) {
	b.t.Helper()
	select {
	case err := <-read:
		if !errors.Is(err, want) {
			b.t.Errorf("got error %v, want %v", err, want)
		}
	case <-time.After(soon):
		b.t.Fatal("still waiting")
	}
}

func captureNoPort(b *captureBench) {
	source, err := b.rig.Capture().Open("nosuch", b.opt)
	if !errors.Is(err, platform.ErrNoPort) || source != nil {
		b.t.Fatalf("source %v, error %v", source, err)
	}
	if got, want := err.Error(), "find port nosuch: no such port"; got != want {
		b.t.Errorf("error %q, want %q", got, want)
	}
}

// captureVanish: what the port received before is still had, then its end is
// told, and it can be opened again when it is back.
func captureVanish(b *captureBench) {
	ward := b.open(Ward1)
	b.rig.Send(Ward1, numbered(1, 60))
	b.rig.Unplug(Ward1)
	if f := b.next(ward); f.Data[17] != 1 {
		b.t.Errorf("got % x", f.Data)
	}
	b.ends(ward, platform.ErrPortGone)
	if _, err := b.rig.Capture().Open(Ward1, b.opt); !errors.Is(err, platform.ErrNoPort) {
		b.t.Errorf("open: %v", err)
	}
	b.rig.Plug(Ward1)
	again := b.open(Ward1)
	b.rig.Send(Ward1, numbered(2, 60))
	if f := b.next(again); f.Data[17] != 2 {
		b.t.Errorf("got % x", f.Data)
	}
	b.ends(ward, platform.ErrPortGone)
	if got := ward.Stats(); got.Frames != 1 {
		b.t.Errorf("stats %+v", got)
	}
	if err := ward.Close(); err != nil {
		b.t.Error(err)
	}
	b.ends(ward, platform.ErrClosed)
}

func captureVanishWaiting(b *captureBench) {
	read := b.reading(b.open(Ward1))
	b.rig.Unplug(Ward1)
	b.within(read, platform.ErrPortGone)
}

func captureClose(b *captureBench) {
	ward := b.open(Ward1)
	b.rig.Send(Ward1, numbered(1, 60))
	b.next(ward)
	b.rig.Send(Ward1, numbered(2, 60))
	for range 2 {
		if err := ward.Close(); err != nil {
			b.t.Errorf("close: %v", err)
		}
	}
	b.ends(ward, platform.ErrClosed)
	if got := ward.Stats(); got != (platform.CaptureStats{Frames: 1}) {
		b.t.Errorf("stats %+v", got)
	}
}

func captureCloseWaiting(b *captureBench) {
	ward := b.open(Ward1)
	read := b.reading(ward)
	if err := ward.Close(); err != nil {
		b.t.Errorf("close: %v", err)
	}
	b.within(read, platform.ErrClosed)
}

// captureCloseBorrowed: someone else's Close does not take away what a reader
// is just looking at.
func captureCloseBorrowed(b *captureBench) {
	ward := b.open(Ward1)
	sent := numbered(1, 1000)
	b.rig.Send(Ward1, sent)
	f, err := ward.Next(soon)
	if err != nil {
		b.t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- ward.Close() }()
	if err := <-closed; err != nil {
		b.t.Errorf("close: %v", err)
	}
	if string(f.Data) != string(sent) {
		b.t.Error("the borrowed bytes changed")
	}
	b.ends(ward, platform.ErrClosed)
}
