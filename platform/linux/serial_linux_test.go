package linux

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// openPTY returns the far end of a pseudo-terminal, and the name of the near
// one.
func openPTY(t *testing.T) (*os.File, string) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	far := os.NewFile(uintptr(fd), "/dev/ptmx")
	t.Cleanup(func() { _ = far.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return far, "/dev/pts/" + strconv.Itoa(number)
}

func TestSerial(t *testing.T) {
	hosttest.Serial(t, func(t *testing.T) hosttest.SerialRig {
		far, device := openPTY(t)
		return hosttest.SerialRig{Serial: New(Options{}).Serial, Device: device, Far: far}
	})
}

// TestSerialSettings reads back what BREAK, XOFF and speed depend on.
func TestSerialSettings(t *testing.T) {
	far, device := openPTY(t)
	port, err := New(Options{}).Serial.Open(device, 38400)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	got, err := unix.IoctlGetTermios(int(far.Fd()), unix.TCGETS2)
	if err != nil {
		t.Fatal(err)
	}
	if got.Iflag != 0 || got.Oflag != 0 || got.Lflag != 0 {
		t.Errorf("flags %x %x %x", got.Iflag, got.Oflag, got.Lflag)
	}
	if want := uint32(unix.CS8 | unix.CREAD); got.Cflag&(unix.CSIZE|unix.CREAD|unix.PARENB|unix.CSTOPB|unix.CRTSCTS) != want {
		t.Errorf("control flags %x", got.Cflag)
	}
	if got.Ospeed != 38400 || got.Ispeed != 38400 {
		t.Errorf("speed %d and %d", got.Ispeed, got.Ospeed)
	}
}

func TestSerialHangUp(t *testing.T) {
	far, device := openPTY(t)
	port, err := New(Options{}).Serial.Open(device, 115200)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := port.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("read %d bytes, error %v", n, err)
	}
}

// TestSerialLastWords: what was written before Close can still be read.
func TestSerialLastWords(t *testing.T) {
	far, device := openPTY(t)
	port, err := New(Options{}).Serial.Open(device, 115200)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := port.Write([]byte("bye")); err != nil {
		t.Fatal(err)
	}
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	if err := far.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(far, got); err != nil || string(got) != "bye" {
		t.Errorf("read %q, error %v", got, err)
	}
}

func TestSerialNotATerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(Options{}).Serial.Open(file, 115200)
	if want := "open serial line " + file + ": not a terminal: inappropriate ioctl for device"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
