package hosttest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

// CaptureRig is a gateway whose ports can be listened on. Rig's bridge floods:
// what Send puts on the wire of one port leaves by the others.
type CaptureRig interface {
	Capture() platform.Capture
	// Send puts a whole frame on the wire towards the gateway.
	Send(port string, frame []byte)
	// Plug and Unplug make a port appear and vanish.
	Plug(port string)
	Unplug(port string)
}

const (
	soon = 5 * time.Second       // for what must happen
	idle = 60 * time.Millisecond // for what must not; longer than a block waits
)

// Capture runs the cases of platform.Capture. Mode is what FrameSource.Mode
// must say with these options. Frames of 9,000 bytes pass the rig's wires.
func Capture(t *testing.T, mode string, opt platform.CaptureOptions, open func(t *testing.T) CaptureRig) {
	for _, c := range []struct {
		name string
		run  func(*captureBench)
	}{
		{"directions", captureDirections},
		{"VLAN tags", captureTags},
		{"cut frame", captureCut},
		{"waiting", captureWaiting},
		{"borrowed bytes", captureBorrowed},
		{"two readers", captureTwice},
		{"many frames", captureMany},
		{"slow reader", captureSlow},
		{"no port", captureNoPort},
		{"port vanishes and returns", captureVanish},
		{"port vanishes under a waiting reader", captureVanishWaiting},
		{"close", captureClose},
		{"close under a waiting reader", captureCloseWaiting},
		{"close under a borrowed frame", captureCloseBorrowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(&captureBench{t: t, rig: open(t), mode: mode, opt: opt})
		})
	}
}

type captureBench struct {
	t    *testing.T
	rig  CaptureRig
	mode string
	opt  platform.CaptureOptions
}

// open listens on a port until the end of the test. Without the way of reading
// that is asked for, all other results would be worth nothing.
func (b *captureBench) open(port string) platform.FrameSource {
	b.t.Helper()
	source, err := b.rig.Capture().Open(port, b.opt)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = source.Close() })
	if got := source.Mode(); got != b.mode {
		b.t.Fatalf("mode %q, want %q", got, b.mode)
	}
	return source
}

// next returns a copy of the next frame.
func (b *captureBench) next(source platform.FrameSource) platform.Frame {
	b.t.Helper()
	f, err := source.Next(soon)
	if err != nil {
		b.t.Fatalf("next: %v", err)
	}
	f.Data = append([]byte(nil), f.Data...)
	return f
}

func (b *captureBench) none(source platform.FrameSource) {
	b.t.Helper()
	if f, err := source.Next(idle); !errors.Is(err, platform.ErrNoFrame) {
		b.t.Errorf("one frame too many: % x, error %v", f.Data, err)
	}
}

// numbered is a frame of n bytes whose payload begins with a number.
func numbered(number uint32, n int) []byte {
	payload := make([]byte, n-14)
	payload[0], payload[1], payload[2], payload[3] = byte(number>>24), byte(number>>16), byte(number>>8), byte(number)
	return Ethernet(MAC(2), MAC(1), 0x88b5, payload)
}

// captureDirections: the frames of a port are seen once, either way, whoever
// they are for, with their time.
func captureDirections(b *captureBench) {
	ward := b.open(Ward1)
	in, out := numbered(1, 64), numbered(2, 1514)
	before := time.Now()
	b.rig.Send(Ward1, in)
	b.rig.Send(Uplink, out)
	got := []platform.Frame{b.next(ward), b.next(ward)}
	b.none(ward)
	for i := range got {
		if at := time.Unix(0, got[i].Time); at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			b.t.Errorf("frame %d: time %v, sent at %v", i, at, before)
		}
		got[i].Time = 0
	}
	want := []platform.Frame{
		{Data: in, Length: 64, Dir: platform.Ingress, Link: platform.LinkEthernet},
		{Data: out, Length: 1514, Dir: platform.Egress, Link: platform.LinkEthernet},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("want -, got +:\n%s", diff)
	}
	if diff := cmp.Diff(platform.CaptureStats{Frames: 2}, ward.Stats()); diff != "" {
		b.t.Errorf("want -, got +:\n%s", diff)
	}
}

// captureTags: the outer tag is in the fields, all others in the bytes.
func captureTags(b *captureBench) {
	plain := numbered(1, 64)
	ctag := Tag(plain, 0x8100, 0x6007) // priority 3, VLAN 7
	for _, c := range []struct {
		name      string
		send      []byte
		rest      []byte
		tci, tpid uint16
	}{
		{"802.1Q", ctag, plain, 0x6007, 0x8100},
		{"priority only", Tag(plain, 0x8100, 0xa000), plain, 0xa000, 0x8100},
		{"802.1ad", Tag(plain, 0x88a8, 9), plain, 9, 0x88a8},
		{"QinQ", Tag(ctag, 0x88a8, 100), ctag, 100, 0x88a8},
		{"none", plain, plain, 0, 0},
	} {
		b.t.Run(c.name, func(t *testing.T) {
			b := &captureBench{t: t, rig: b.rig, mode: b.mode, opt: b.opt}
			ward, uplink := b.open(Ward1), b.open(Uplink)
			b.rig.Send(Ward1, c.send)
			for i, source := range []platform.FrameSource{ward, uplink} {
				f := b.next(source)
				f.Time = 0
				want := platform.Frame{
					Data: c.rest, Length: len(c.rest), Dir: platform.Ingress + platform.Direction(i),
					Link: platform.LinkEthernet, TCI: c.tci, TPID: c.tpid,
				}
				if diff := cmp.Diff(want, f); diff != "" {
					t.Errorf("%s: want -, got +:\n%s", []string{"ingress", "egress"}[i], diff)
				}
			}
		})
	}
}

// captureCut: of a frame too long for its place in the ring, the beginning is
// kept, and its length told.
func captureCut(b *captureBench) {
	b.opt.RingBytes = 16 << 10
	ward := b.open(Ward1)
	sent := numbered(1, 9000)
	b.rig.Send(Ward1, sent)
	f := b.next(ward)
	if f.Length != len(sent) || len(f.Data) >= len(sent) || len(f.Data) < 1514 || string(f.Data) != string(sent[:len(f.Data)]) {
		b.t.Errorf("length %d, %d bytes kept", f.Length, len(f.Data))
	}
	b.rig.Send(Ward1, numbered(2, 60))
	if f := b.next(ward); f.Length != 60 || len(f.Data) != 60 {
		b.t.Errorf("after it: length %d, %d bytes", f.Length, len(f.Data))
	}
}

func captureWaiting(b *captureBench) {
	ward := b.open(Ward1)
	for _, wait := range []time.Duration{-1, 0, 50 * time.Millisecond} {
		began := time.Now()
		if _, err := ward.Next(wait); !errors.Is(err, platform.ErrNoFrame) {
			b.t.Errorf("wait %v: error %v", wait, err)
		}
		if took := time.Since(began); took < wait || took > wait+soon/2 {
			b.t.Errorf("wait %v: took %v", wait, took)
		}
	}
	// A frame ends the wait, and one that is there is had without waiting.
	read := make(chan error)
	go func() {
		_, err := ward.Next(2 * soon)
		read <- err
	}()
	time.Sleep(idle)
	began := time.Now()
	b.rig.Send(Ward1, numbered(1, 60))
	if err := <-read; err != nil || time.Since(began) > soon {
		b.t.Errorf("after %v: error %v", time.Since(began), err)
	}
	b.rig.Send(Ward1, numbered(2, 60))
	time.Sleep(idle)
	if _, err := ward.Next(0); err != nil {
		b.t.Errorf("without waiting: %v", err)
	}
}

// captureBorrowed: a frame's bytes stay as they are until the next Next.
func captureBorrowed(b *captureBench) {
	b.opt.RingBytes = 64 << 10
	ward := b.open(Ward1)
	sent := numbered(1, 1000)
	b.rig.Send(Ward1, sent)
	f, err := ward.Next(soon)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := range uint32(1000) {
		b.rig.Send(Ward1, numbered(2+i, 1000))
	}
	if string(f.Data) != string(sent) {
		b.t.Error("the borrowed bytes changed")
	}
	if number := b.next(ward).Data[17]; number != 2 {
		b.t.Errorf("frame %d follows, want 2", number)
	}
}

func captureTwice(b *captureBench) {
	one, two := b.open(Ward1), b.open(Ward1)
	b.rig.Send(Ward1, numbered(1, 60))
	for i, source := range []platform.FrameSource{one, two} {
		if f := b.next(source); f.Data[17] != 1 {
			b.t.Errorf("reader %d: got % x", i, f.Data)
		}
	}
}
