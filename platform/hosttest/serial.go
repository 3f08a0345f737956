package hosttest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

// SerialRig is a serial line with both ends in reach.
type SerialRig struct {
	Serial platform.Serial
	Device string
	Far    Terminal
}

// Terminal is the far end of a line.
type Terminal interface {
	io.ReadWriter
	SetReadDeadline(t time.Time) error
}

// Serial runs the cases of platform.Serial.
func Serial(t *testing.T, open func(t *testing.T) SerialRig) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, SerialRig)
	}{
		{"refused", serialRefused},
		{"raw", serialRaw},
		{"exclusive", serialExclusive},
		{"stuck", serialStuck},
		{"close", serialClose},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func (rig SerialRig) open(t *testing.T) platform.SerialPort {
	t.Helper()
	port, err := rig.Serial.Open(rig.Device, 115200)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = port.Close() })
	return port
}

func serialRefused(t *testing.T, rig SerialRig) {
	_, err := rig.Serial.Open(rig.Device+"-missing", 115200)
	if want := "open serial line " + rig.Device + "-missing: "; !errors.Is(err, fs.ErrNotExist) || err.Error()[:len(want)] != want {
		t.Errorf("missing: error %v", err)
	}
	_, err = rig.Serial.Open(rig.Device, 49)
	if want := "open serial line " + rig.Device + ": 49 baud, want 50 to 4000000"; err == nil || err.Error() != want {
		t.Errorf("baud: error %v, want %s", err, want)
	}
}

// serialRaw: every byte passes as it is, either way, and nothing comes back.
func serialRaw(t *testing.T, rig SerialRig) {
	port := rig.open(t)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for name, ends := range map[string]struct {
		from io.Writer
		to   io.Reader
	}{"to the box": {rig.Far, port}, "from the box": {port, rig.Far}} {
		if err := rig.Far.SetReadDeadline(time.Now().Add(soon)); err != nil {
			t.Fatal(err)
		}
		if n, err := ends.from.Write(all); n != len(all) || err != nil {
			t.Fatalf("%s: wrote %d bytes, error %v", name, n, err)
		}
		got := make([]byte, len(all))
		if n, err := io.ReadFull(ends.to, got); err != nil {
			t.Fatalf("%s: read %d bytes, error %v", name, n, err)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
	}
	if err := rig.Far.SetReadDeadline(time.Now().Add(idle)); err != nil {
		t.Fatal(err)
	}
	if n, err := rig.Far.Read(all); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("an echo: %q, error %v", all[:n], err)
	}
}

func serialExclusive(t *testing.T, rig SerialRig) {
	port := rig.open(t)
	_, err := rig.Serial.Open(rig.Device, 115200)
	if want := "open serial line " + rig.Device + ": in use by another process"; err == nil || err.Error() != want {
		t.Errorf("second: error %v, want %s", err, want)
	}
	if err := port.Close(); err != nil {
		t.Error(err)
	}
	rig.open(t)
}

// serialStuck: a terminal that reads nothing does not hold the writer beyond
// its deadline, which may be set while it writes; and when it reads again, all
// goes on.
func serialStuck(t *testing.T, rig SerialRig) {
	port := rig.open(t)
	much := bytes.Repeat([]byte("0123456789abcde\n"), 64<<10)
	stop := func(d time.Duration) {
		if err := port.SetWriteDeadline(time.Now().Add(d)); err != nil {
			t.Fatal(err)
		}
	}
	stop(idle)
	began := time.Now()
	n, err := port.Write(much)
	if !errors.Is(err, os.ErrDeadlineExceeded) || n <= 0 || n >= len(much) || time.Since(began) > soon {
		t.Fatalf("wrote %d bytes in %v, error %v", n, time.Since(began), err)
	}
	if want := "write serial line " + rig.Device + ": i/o timeout"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if err := port.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	more := 0
	go func() {
		var err error
		more, err = port.Write(much)
		wrote <- err
	}()
	time.Sleep(idle)
	stop(0)
	if err := <-wrote; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a deadline set while writing: error %v", err)
	}
	if err := rig.Far.SetReadDeadline(time.Now().Add(soon)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, n+more)
	if n, err := io.ReadFull(rig.Far, got); err != nil {
		t.Fatalf("read %d of %d bytes, error %v", n, len(got), err)
	}
	if !bytes.Equal(got[:n], much[:n]) || !bytes.Equal(got[n:], much[:more]) {
		t.Error("other bytes than were written")
	}
	stop(soon)
	if n, err := port.Write([]byte("on")); n != 2 || err != nil {
		t.Errorf("afterwards: wrote %d bytes, error %v", n, err)
	}
}

// serialClose: Close ends those who wait, also a writer that is stuck.
func serialClose(t *testing.T, rig SerialRig) {
	port := rig.open(t)
	ended := make(chan error, 2)
	go func() {
		_, err := port.Read(make([]byte, 1))
		ended <- err
	}()
	go func() {
		_, err := port.Write(make([]byte, 1<<20))
		ended <- err
	}()
	time.Sleep(idle)
	began := time.Now()
	if err := port.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("error %v, want %v", err, os.ErrClosed)
		}
	}
	if took := time.Since(began); took > soon {
		t.Errorf("took %v", took)
	}
	if err := port.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second close: %v", err)
	}
}
