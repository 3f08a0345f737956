package linux

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

func TestLinks(t *testing.T) {
	hosttest.Links(t, func(t *testing.T) hosttest.LinksRig { return openPorts(t) })
}

func TestBus(t *testing.T) {
	openPorts(t)
	sys := t.TempDir()
	for port, bus := range map[string]string{"w1": "usb", "w2": "virtio"} {
		device := filepath.Join(sys, "class/net", port, "device")
		if err := os.MkdirAll(device, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../../../../bus/"+bus, filepath.Join(device, "subsystem")); err != nil {
			t.Fatal(err)
		}
	}
	l := New(Options{Sys: sys}).Links
	for port, want := range map[string]string{"w1": "usb", "w2": "virtio", "w3": ""} {
		if got, err := l.Link(port); err != nil || got.Bus != want {
			t.Errorf("%s: bus %q, want %q, error %v", port, got.Bus, want, err)
		}
	}
	all, err := l.Links()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range all {
		if link.Name == "w1" && link.Bus != "usb" {
			t.Errorf("list: %+v", link)
		}
	}
}
