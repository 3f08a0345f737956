package fake_test

import (
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

func TestClock(t *testing.T) { hosttest.Clock(t, fake.New().Host().Clock) }

func TestClockFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.New().Clock
		type state struct {
			Wall, Mono time.Duration
			Synced     bool
			Boot       string
		}
		zero := time.Now()
		got := func() state { return state{c.Now().Sub(zero), c.Mono(), c.Synced(), c.BootID()[35:]} }
		want := func(step string, want state) {
			t.Helper()
			if diff := cmp.Diff(want, got()); diff != "" {
				t.Errorf("%s: want -, got +:\n%s", step, diff)
			}
		}
		want("new", state{0, 0, true, "1"})
		time.Sleep(time.Hour)
		want("sleep", state{time.Hour, time.Hour, true, "1"})
		c.Jump(-3 * time.Hour)
		want("jump", state{-2 * time.Hour, time.Hour, true, "1"})
		c.Advance(time.Hour)
		want("advance", state{-time.Hour, 2 * time.Hour, true, "1"})
		c.Reboot()
		want("reboot", state{-time.Hour, 0, false, "2"})
		c.Set(zero)
		c.SetSynced(true)
		time.Sleep(time.Second)
		want("set", state{time.Second, time.Second, true, "2"})
	})
}

func TestDisk(t *testing.T) {
	h := fake.New()
	hosttest.Disk(t, h.Host().Disk, t.TempDir())
	full := platform.DiskUsage{Total: 1 << 20, ReadOnly: true}
	h.Disk.Set(full)
	if got, err := h.Disk.Usage("/"); err != nil || got != full {
		t.Errorf("usage %+v, error %v", got, err)
	}
	h.Disk.Fail(errors.New("input/output error"))
	if _, err := h.Disk.Usage("/"); err == nil || err.Error() != "usage of file system of /: input/output error" {
		t.Errorf("error %v", err)
	}
}

func TestSerial(t *testing.T) {
	hosttest.Serial(t, func(*testing.T) hosttest.SerialRig {
		h := fake.New()
		return hosttest.SerialRig{Serial: h.Host().Serial, Device: "/dev/ttyS0", Far: h.Serial.Add("/dev/ttyS0")}
	})
}

func TestSerialFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := fake.New()
		line := h.Serial.Add("/dev/ttyS0")
		port, err := h.Serial.Open("/dev/ttyS0", 9600)
		if err != nil {
			t.Fatal(err)
		}
		line.Stick(true)
		if err := port.SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if n, err := port.Write([]byte("x")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Hour {
			t.Errorf("stuck: wrote %d bytes in %v, error %v", n, time.Since(began), err)
		}
		line.Stick(false)
		line.Break()
		line.HangUp()
		if got, err := io.ReadAll(port); string(got) != "\x00" || err != nil {
			t.Errorf("read %q, error %v", got, err)
		}
		if _, err := port.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after the end: error %v", err)
		}
	})
}
