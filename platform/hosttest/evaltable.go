package hosttest

import (
	"bytes"
	"context"
	"encoding/hex"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// Row is one frame and what a person says should become of it.
type Row struct {
	Name  string
	In    string // port
	Frame []byte
	// Want says for each port of interest whether the frame leaves by it.
	Want map[string]bool
}

// How long a frame that must come may take, and how long one that must not come
// is waited for at the end of the table: it then belongs to some row.
const (
	patience = 2 * time.Second
	quiet    = 50 * time.Millisecond
)

// EvalTable loads the table into the rig's kernel and sends each row's frame.
func EvalTable(t *testing.T, rig Rig, table platform.Table, rows []Row) {
	t.Helper()
	if err := rig.Firewall().Apply(context.Background(), table.Load()); err != nil {
		t.Fatal(err)
	}
	EvalRows(t, rig, rows)
}

// EvalRows sends the rows' frames through the rules that are loaded.
func EvalRows(t *testing.T, rig Rig, rows []Row) {
	t.Helper()
	for _, row := range rows {
		rig.Send(row.In, row.Frame)
		// First those that must come: when they are there, so are the others.
		for _, port := range Ports() {
			if row.Want[port] && !comes(rig, port, row.Frame, patience) {
				t.Errorf("%s: not at %s:\n%s", row.Name, port, hex.Dump(row.Frame))
			}
		}
		for _, port := range Ports() {
			if want, asked := row.Want[port]; !want && comes(rig, port, row.Frame, 0) && asked {
				t.Errorf("%s: at %s:\n%s", row.Name, port, hex.Dump(row.Frame))
			}
		}
	}
	late(t, rig, rows)
}

// comes reports whether the frame is among those that left by the port.
func comes(rig Rig, port string, frame []byte, wait time.Duration) bool {
	for {
		got := rig.Receive(port, wait)
		if got == nil || bytes.Equal(got, frame) {
			return got != nil
		}
	}
}

// late finds frames that came after nobody waited for them any more.
func late(t *testing.T, rig Rig, rows []Row) {
	t.Helper()
	for i, port := range Ports() {
		wait := time.Duration(0)
		if i == 0 {
			wait = quiet
		}
		for got := rig.Receive(port, wait); got != nil; got = rig.Receive(port, 0) {
			for _, row := range rows {
				if want, asked := row.Want[port]; asked && !want && row.In != port && bytes.Equal(row.Frame, got) {
					t.Errorf("%s: late at %s:\n%s", row.Name, port, hex.Dump(got))
				}
			}
		}
	}
}
