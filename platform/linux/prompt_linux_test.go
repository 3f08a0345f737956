package linux

import (
	"encoding/hex"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

func TestPrompt(t *testing.T) {
	r := rig.Open(t, rig.Options{})
	h := New(Options{})
	station := [6]byte{2, 0, 0, 0, 0, 1}
	if err := h.Prompt(t.Context(), hosttest.Ward1, station); err != nil {
		t.Fatal(err)
	}
	port, err := net.InterfaceByName(hosttest.Ward1)
	if err != nil {
		t.Fatal(err)
	}
	want := "020000000001" + hex.EncodeToString(port.HardwareAddr) + "888e" + "02000005" + "0101000501"
	got := r.Receive(hosttest.Ward1, time.Second)
	if diff := cmp.Diff(want, hex.EncodeToString(got[:min(len(got), 23)])); diff != "" || len(got) != 60 {
		t.Errorf("%d bytes (-want +got):\n%s", len(got), diff)
	}
	if got := r.Receive(hosttest.Ward2, 50*time.Millisecond); got != nil {
		t.Errorf("another port: % x", got)
	}
	r.Unplug(hosttest.Ward1)
	if err := h.Prompt(t.Context(), hosttest.Ward1, station); !errors.Is(err, platform.ErrNoPort) {
		t.Errorf("without the port: %v, want %v", err, platform.ErrNoPort)
	}
	r.Plug(hosttest.Ward1)
}
