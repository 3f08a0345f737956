package fake_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// bench is a fake box with the ports of every rig on one bridge.
type bench struct{ *fake.Host }

func openPorts(*testing.T) bench {
	b := bench{fake.New()}
	for _, port := range hosttest.Ports() {
		b.Plug(port)
	}
	return b
}

func (b bench) Plug(port string)          { b.Ports.Add(platform.Link{Name: port, Master: b.Bridge()}) }
func (b bench) Unplug(port string)        { b.Ports.Remove(port) }
func (b bench) Bridge() string            { return "ward" }
func (b bench) Capture() platform.Capture { return b.Host.Host().Capture }
func (b bench) Links() platform.Links     { return b.Host.Host().Links }

func (b bench) Send(port string, frame []byte) {
	b.Ports.Inject(port, platform.Ingress, frame)
	for _, other := range hosttest.Ports() {
		if other != port {
			b.Ports.Inject(other, platform.Egress, frame)
		}
	}
}

func TestCapture(t *testing.T) {
	hosttest.Capture(t, "fake", platform.CaptureOptions{}, func(t *testing.T) hosttest.CaptureRig { return openPorts(t) })
}

func TestLinks(t *testing.T) {
	hosttest.Links(t, func(t *testing.T) hosttest.LinksRig { return openPorts(t) })
}

func TestPortFaults(t *testing.T) {
	b := openPorts(t)
	b.Ports.RefuseCapture("w1", errors.New("operation not permitted"))
	_, err := b.Capture().Open("w1", platform.CaptureOptions{})
	if want := "open packet socket on w1: operation not permitted"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	b.Ports.RefuseCapture("w1", nil)
	ward, err := b.Capture().Open("w1", platform.CaptureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b.Ports.Lose("w1", 7)
	b.Ports.Change("w1", func(l *platform.Link) { l.Up = false })
	b.Send("w1", make([]byte, 60))
	b.Ports.Change("w1", func(l *platform.Link) { l.Up, l.Bus = true, "usb" })
	b.Send("w1", make([]byte, 61))
	f, err := ward.Next(0)
	if err != nil || f.Length != 61 {
		t.Errorf("frame of %d bytes, error %v", f.Length, err)
	}
	if got := ward.Stats(); got != (platform.CaptureStats{Frames: 1, Dropped: 7}) {
		t.Errorf("stats %+v", got)
	}
	if link, err := b.Links().Link("w1"); err != nil || link.Bus != "usb" {
		t.Errorf("%+v, error %v", link, err)
	}
	f.Data[0] = 1
	_, _ = ward.Next(0)
	if f.Data[0] != 0xdb {
		t.Error("kept bytes stay as they are: a reader's mistake would not show")
	}
}

func TestSelf(t *testing.T) {
	h := fake.New()
	h.Self.Register(hosttest.SelfOK, func(_ context.Context, args []string) error {
		if args[0] != "argument" {
			return errors.New("exit status 1")
		}
		return nil
	})
	h.Self.Register(hosttest.SelfFail, func(context.Context, []string) error { return errors.New("exit status 3: reason") })
	h.Self.Register(hosttest.SelfHang, func(ctx context.Context, _ []string) error { <-ctx.Done(); return nil })
	hosttest.Self(t, h.Host().Self, func(command ...string) []string { return command })

	for want, args := range map[string][]string{
		"run : exit status 2: unknown command":     nil,
		"run no x: exit status 2: unknown command": {"no", "x"},
	} {
		if err := h.Self.Run(t.Context(), args...); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	h.Self.Fail(fmt.Errorf("no memory"))
	if err := h.Self.Run(t.Context(), hosttest.SelfOK, "argument"); err == nil || err.Error() != "run ok argument: no memory" {
		t.Errorf("error %v", err)
	}
}
