package enforce

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/kept"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// versions is a Store with these versions of each value, the newest first.
type versions map[string][]string

func (v versions) All(key string) (out [][]byte, err error) {
	for _, s := range v[key] {
		out = append(out, []byte(s))
	}
	return out, nil
}
func (v versions) Put(string, []byte) error { panic("a preload writes nothing") }

// TestPreload: a kernel that was just started gets the newest confirmed rules,
// else their predecessor, before any port or inventory is there.
func TestPreload(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		w.stop = nil
		pairs, good := string(w.disk[keyPairs]), string(w.disk[keyConfirmed])
		broken := strings.Replace(good, `"v":1`, `"v":9`, 1)
		for _, c := range []struct {
			name      string
			confirmed []string
			said, err string // part of it
			fenced    bool
		}{
			{name: "the newest", confirmed: []string{good, broken}, said: "policy 4 is in place, 2 devices are fenced in", fenced: true},
			{name: "its predecessor", confirmed: []string{broken, good}, said: "not the newest: record of version 9", fenced: true},
			{name: "first boot", said: "policy 0 is in place, 0 devices are fenced in"},
			{name: "none can be read", confirmed: []string{broken, "{"}, err: "record of version 9"},
		} {
			again := newWard(t)
			o := again.options(nil)
			o.Inventory, o.Events, o.Store = nil, nil, versions{keyPairs: {pairs}, keyConfirmed: c.confirmed}
			said, err := New(o).Preload(context.Background())
			switch {
			case c.err != "":
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s: error %v", c.name, err)
				}
				continue
			case err != nil || !strings.Contains(said, c.said) || strings.Contains(said, "not the newest") != strings.Contains(c.said, "not the newest"):
				t.Errorf("%s: said %q, error %v", c.name, said, err)
			}
			if !again.passes(clinical) || again.passes(telnet) == c.fenced {
				t.Errorf("%s: clinical passes %v, telnet passes %v", c.name, again.passes(clinical), again.passes(telnet))
			}
			if _, err := again.fw.Read(context.Background(), platform.FamilyBridge, policy.TableName); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			// The agent that starts now finds them, and changes nothing until it knows better.
			again.disk, again.inv = w.disk, newShelf()
			before := again.fw.Transactions()
			again.start(wardPolicy(t))
			if c.fenced {
				again.enforced(c.name)
				if n := again.fw.Transactions(); n != before {
					t.Errorf("%s: the agent made %d transactions", c.name, n-before)
				}
			}
			again.stop()
		}
	})
}

// TestPreloadAfterTheUplinkMoved: where the uplink is says the configuration of
// today. Rules that take the old port for it would take the hospital's servers
// for intruders. Without a configuration the port of the rules is all there is.
func TestPreloadAfterTheUplinkMoved(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		w.stop = nil
		for now, want := range map[string]string{"wan": "wan", "": uplink} {
			again := newWard(t)
			o := again.options(nil)
			o.Inventory, o.Events, o.Store, o.Uplink = nil, nil, w.disk, now
			if _, err := New(o).Preload(context.Background()); err != nil {
				t.Fatal(err)
			}
			there, back := clinical, answering
			there.out, back.in = want, want
			if !again.passes(there) || !again.passes(back) || again.passes(telnet) {
				t.Errorf("configured %q: over %q passes from the pump %v, to it %v; telnet %v", now, want, again.passes(there), again.passes(back), again.passes(telnet))
			}
		}
	})
}

// TestPreloadThatTheKernelRefuses ends with an error: PID 1 goes to rescue.
func TestPreloadThatTheKernelRefuses(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		w.stop = nil
		again := newWard(t)
		for range 100 {
			again.fw.Inject(fake.Refused)
		}
		o := again.options(nil)
		o.Inventory, o.Events, o.Store = nil, nil, w.disk
		if said, err := New(o).Preload(context.Background()); err == nil || !strings.Contains(err.Error(), "lay the base") {
			t.Errorf("said %q, error %v", said, err)
		}
	})
}

// TestPreloadFromFiles: what a Task kept in a folder is what is loaded, also
// after the newest file was cut by a power failure.
func TestPreloadFromFiles(t *testing.T) {
	dir := kept.Open(t.TempDir())
	inBubble(t, func(t *testing.T, w *ward) {
		o := w.options(wardPolicy(t))
		o.Store = dir
		w.run(o)
		w.settle()
		w.stop()
		w.stop = nil
		if err := dir.Put(keyConfirmed, []byte("not a record")); err != nil {
			t.Fatal(err)
		}
		again := newWard(t)
		o = again.options(nil)
		o.Inventory, o.Events, o.Store = nil, nil, dir
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if said, err := New(o).Preload(ctx); err != nil || !strings.Contains(said, "not the newest") {
			t.Fatalf("said %q, error %v", said, err)
		}
		if again.passes(telnet) || !again.passes(clinical) {
			t.Error("not the rules that were kept")
		}
	})
}

// TestPreloadWhereEnforceIsRefused: a gateway that is no lab any more loads the
// gentler rules, and who preloads has no place for events.
func TestPreloadWhereEnforceIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		w.stop = nil
		again := newWard(t)
		o := again.options(nil)
		o.Inventory, o.Events, o.Store, o.Lab = nil, nil, w.disk, false
		said, err := New(o).Preload(context.Background())
		if want := "policy 4 is in place, 0 devices are fenced in"; err != nil || said != want {
			t.Errorf("said %q, error %v, want %q", said, err, want)
		}
		if !again.passes(clinical) || !again.passes(telnet) {
			t.Error("something is refused")
		}
	})
}
