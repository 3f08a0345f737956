package hosttest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

// LinksRig is a gateway whose ports come and go. All of them are up, have a
// carrier and are ports of the bridge that Bridge names.
type LinksRig interface {
	Links() platform.Links
	Bridge() string
	Plug(port string)
	Unplug(port string)
}

// Links runs the cases of platform.Links.
func Links(t *testing.T, open func(t *testing.T) LinksRig) {
	t.Run("describe", func(t *testing.T) { linksDescribe(t, open(t)) })
	t.Run("vanish and return", func(t *testing.T) { linksVanish(t, open(t)) })
	t.Run("watch", func(t *testing.T) { linksWatch(t, open(t)) })
}

func linksDescribe(t *testing.T, rig LinksRig) {
	all, err := rig.Links().Links()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(all, func(a, b platform.Link) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("not sorted: %+v", all)
	}
	for _, name := range Ports() {
		got, err := rig.Links().Link(name)
		if err != nil {
			t.Fatal(err)
		}
		want := platform.Link{Name: name, Index: got.Index, MAC: got.MAC, Up: true, Carrier: true, Master: rig.Bridge()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
		if got.Index <= 0 || got.MAC == ([6]byte{}) {
			t.Errorf("%s: index %d, MAC %x", name, got.Index, got.MAC)
		}
		if !slices.Contains(all, got) {
			t.Errorf("%+v is not in the list %+v", got, all)
		}
	}
}

func linksVanish(t *testing.T, rig LinksRig) {
	before, err := rig.Links().Link(Ward1)
	if err != nil {
		t.Fatal(err)
	}
	rig.Unplug(Ward1)
	_, err = rig.Links().Link(Ward1)
	if !errors.Is(err, platform.ErrNoPort) {
		t.Fatalf("error %v", err)
	}
	if got, want := err.Error(), "find port w1: no such port"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	rig.Plug(Ward1)
	after, err := rig.Links().Link(Ward1)
	if err != nil {
		t.Fatal(err)
	}
	if after.Index == before.Index {
		t.Errorf("index %d again", after.Index)
	}
}

func linksWatch(t *testing.T, rig LinksRig) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changed, err := rig.Links().Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(string){"unplug": rig.Unplug, "plug": rig.Plug} {
		if name == "plug" {
			rig.Unplug(Ward2)
			drained(changed)
			change(Ward2)
		} else {
			change(Ward1)
		}
		select {
		case <-changed:
		case <-time.After(soon):
			t.Errorf("%s: not told", name)
		}
		drained(changed)
	}
	cancel()
	for end := time.After(soon); ; {
		select {
		case _, ok := <-changed:
			if !ok {
				return
			}
		case <-end:
			t.Fatal("the channel is still open")
		}
	}
}

// drained waits until nothing is told any more.
func drained(changed <-chan struct{}) {
	for {
		select {
		case <-changed:
		case <-time.After(idle):
			return
		}
	}
}
