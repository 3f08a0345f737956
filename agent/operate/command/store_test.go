package command

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/wardkeeper/wardkeeper/agent/operate/signed"
	"github.com/wardkeeper/wardkeeper/agent/store"
)

// With the real database: what is in it outlives a restart; one that is damaged,
// or cannot be had, lets nothing in a second time.
func TestDatabase(t *testing.T) {
	w := newWard(t)
	path := filepath.Join(t.TempDir(), "wardkeeper.db")
	var db *store.Store
	open := func() store.Opened {
		t.Helper()
		if db != nil {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		var opened store.Opened
		var err error
		db, opened, err = store.Open(t.Context(), store.Options{Path: path, Size: 4 << 20})
		if err != nil {
			t.Fatal(err)
		}
		w.start()
		w.task.opt.Room = db.Room("commands")
		if w.task.journal, err = openJournal(w.task.opt.Room); err != nil {
			t.Fatal(err)
		}
		return opened
	}
	open()
	defer func() { _ = db.Close() }()
	m := w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 60}, "alice")
	if got := w.obey(m); got != "succeeded" || w.done() == "" {
		t.Fatal(got)
	}
	if open(); w.obey(m) != "succeeded" || w.done() != "" {
		t.Errorf("after a restart: %v", w.answers)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if opened := open(); !opened.Reset || w.obey(m) != "rejected replayed-seq" || w.done() != "" {
		t.Errorf("the database was lost (%v): %v", opened, w.answers)
	}
	path = filepath.Join(path, "not a folder", "wardkeeper.db")
	if opened := open(); !opened.RAM {
		t.Fatalf("%+v", opened)
	}
	m = w.sign(w.next(), signed.Quarantine{Device: "camera", Seconds: 60}, "alice")
	if got := w.obey(m) + ", " + w.obey(m) + ", " + w.done(); got != "succeeded, succeeded, quarantine camera 1m0s by alice" {
		t.Errorf("in memory: %s", got)
	}
	if open(); w.obey(m) != "rejected replayed-seq" || w.done() != "" {
		t.Errorf("in memory, and restarted: %v", w.answers)
	}
}
