package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExport: the ESP is opened for a request that is new and for nothing else,
// and closed again whatever happened.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "gateway.csr"), filepath.Join(dir, "esp", "wardkeeper", "gateway.csr")
	var calls []bool // read-only?
	var refuse, refuseClosing error
	h := handout{from: from, to: to, remount: func(readOnly bool) error {
		calls = append(calls, readOnly)
		if readOnly {
			return refuseClosing
		}
		return refuse
	}}
	write := func(text string) {
		if err := os.WriteFile(from, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(what string, done bool, fault string, want ...bool) {
		t.Helper()
		calls = nil
		got, err := h.export()
		if got != done || (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: done %v, %v; want %v, %q", what, got, err, done, fault)
		}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("%s: read-only (-want +got):\n%s", what, diff)
		}
	}
	run("no request", false, "")
	write("one")
	run("the first", true, "", false, true)
	run("the same", false, "")
	write("two")
	run("another", true, "", false, true)
	if text, err := os.ReadFile(to); err != nil || string(text) != "two" {
		t.Errorf("on the ESP: %q, %v", text, err)
	}

	write("three")
	refuseClosing = errors.New("busy")
	run("an ESP that stays open", true, "busy", false, true)
	write("four")
	run("still", false, "busy", true)
	refuseClosing = nil
	run("closed at last", true, "", true, false, true)

	write("five")
	refuse = errors.New("worn out")
	run("an ESP that cannot be opened", false, "worn out", false)
	refuse = nil
	if err := os.Mkdir(to+".tmp", 0o700); err != nil { // where the new file is written
		t.Fatal(err)
	}
	run("an ESP that cannot be written", false, "is a directory", false, true)
	if err := os.Remove(from); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/data/pki/gateway.key", from); err != nil {
		t.Fatal(err)
	}
	run("a link, to the key perhaps", false, "want a file of at most")
}
