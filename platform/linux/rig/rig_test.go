//go:build linux

package rig

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestFlood(t *testing.T) {
	r := Open(t, Options{})
	for _, frame := range [][]byte{
		append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5}, make([]byte, 46)...),
		append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 7, 0x88, 0xb5}, make([]byte, 46)...),
		append([]byte{1, 0x80, 0xc2, 0, 0, 0xe, 2, 0, 0, 0, 0, 1, 0x88, 0xcc}, make([]byte, 46)...),
	} {
		r.Send(hosttest.Ward1, frame)
		for _, port := range []string{hosttest.Uplink, hosttest.Ward2, hosttest.Ward3} {
			if got := r.Receive(port, time.Second); !bytes.Equal(got, frame) {
				t.Errorf("%s: got % x, want % x", port, got, frame)
			}
		}
		if got := r.Receive(hosttest.Ward1, 0); got != nil {
			t.Errorf("the frame came back: % x", got)
		}
	}
}

func TestPorts(t *testing.T) {
	r := Open(t, Options{Learn: true})
	r.Unplug(hosttest.Ward2)
	if _, err := os.Stat("/sys/class/net/" + hosttest.Ward2); err == nil {
		t.Error("port is still there")
	}
	r.Plug(hosttest.Ward2)
	if _, err := os.Stat("/sys/class/net/" + hosttest.Ward2); err != nil {
		t.Error(err)
	}
}
