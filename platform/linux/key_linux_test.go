package linux

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func inputEvent(kind, code uint16, value uint32) []byte {
	ne := binary.NativeEndian
	b := make([]byte, eventSize)
	ne.PutUint16(b[eventSize-8:], kind)
	ne.PutUint16(b[eventSize-6:], code)
	ne.PutUint32(b[eventSize-4:], value)
	return b
}

// TestKey reads events as the kernel writes them, several a read; the button's
// test in the image has them from the kernel itself.
func TestKey(t *testing.T) {
	const code = 408
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	k := &Key{f: r, code: code}
	var all []byte
	for _, e := range [][]byte{
		inputEvent(4, 4, code), inputEvent(evKey, code, 1), inputEvent(evSyn, 0, 0),
		inputEvent(evKey, code, 2), inputEvent(evKey, code+1, 1), inputEvent(evKey, code, 0),
		inputEvent(evKey, code, 1),
	} {
		all = append(all, e...)
	}
	if _, err := w.Write(all); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, true} {
		if got, err := k.Next(); err != nil || got != want {
			t.Errorf("event %d: down %v, %v, want %v", i, got, err, want)
		}
	}
	if _, err := w.Write(inputEvent(evSyn, synDropped, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Next(); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("events were lost and nobody was asked for the key: %v", err)
	}
	w.Close()
	if _, err := k.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("of a device that is gone: %v", err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenKeyRefuses(t *testing.T) {
	if _, err := OpenKey(filepath.Join(t.TempDir(), "event0"), "gpio-keys", 408); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no device: %v", err)
	}
	if _, err := OpenKey("/dev/null", "gpio-keys", 408); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("no input device: %v", err)
	}
}

// TestIsButton: a keyboard that somebody plugs in is not the button, whatever it
// says of itself.
func TestIsButton(t *testing.T) {
	for _, c := range []struct {
		called string
		bus    byte
		want   bool
	}{
		{"gpio-keys", 0x19, true}, {"gpio-keys", busUSB, false}, {"gpio-keys", busBluetooth, false},
		{"Power Button", 0x19, false}, {"gpio-keys2", 0x19, false}, {"", 0x19, false},
	} {
		id, called := make([]byte, idBytes), make([]byte, nameBytes)
		binary.NativeEndian.PutUint16(id, uint16(c.bus))
		copy(called, c.called)
		if got := isButton(id, called, "gpio-keys"); got != c.want {
			t.Errorf("%q on bus %#x: %v", c.called, c.bus, got)
		}
	}
}
