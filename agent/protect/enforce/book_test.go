package enforce

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/clock"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// left is for how long the stranger is quarantined, in the kernel.
func (w *ward) left() time.Duration {
	w.t.Helper()
	for _, q := range policy.QuarantinesIn(w.table()) {
		if q.MAC == strangerMAC {
			return q.Left
		}
	}
	return 0
}

func about(a, b time.Duration) bool { return (a - b).Abs() < 10*time.Second }

// TestQuarantineOutlivesTheAgent: it is there while the agent is dead, and the
// next one goes on with it.
func TestQuarantineOutlivesTheAgent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.start(wardPolicy(t))
		w.quarantine(stranger().ID, time.Hour, false)
		w.stop()
		time.Sleep(20 * time.Minute)
		w.host.Clock.Jump(-100 * time.Hour) // a clock that jumps counts for nothing
		if w.passes(roaming) {
			t.Error("free without an agent")
		}
		before := w.fw.Transactions()
		w.start(wardPolicy(t))
		w.cutOff("started again", true)
		if n := w.fw.Transactions(); n != before || !about(w.left(), 40*time.Minute) {
			t.Errorf("%d transactions, %v are left", n-before, w.left())
		}
		if q := w.task.Quarantined()[0]; q.Owner != "mia" || q.Reason != "scans the ward" || !about(q.Left, 40*time.Minute) {
			t.Errorf("%+v", q)
		}
		w.host.Clock.Jump(1000 * time.Hour)
		time.Sleep(39 * time.Minute)
		w.cutOff("the clock jumped", true)
		w.stop()
		time.Sleep(2 * time.Minute)
		w.start(wardPolicy(t))
		w.cutOff("over without an agent", false)
		w.audited("quarantine mia 3600 "+string(stranger().ID), "quarantine-ended kernel 0 "+string(stranger().ID))
	})
}

// TestQuarantineAfterAReboot: the kept rules bring it back before a port is up,
// with the time that is left, by a clock that is trusted or without one; never
// for longer than it was given.
func TestQuarantineAfterAReboot(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after bool // is the clock trusted
		off           time.Duration
		left          time.Duration // 0: it is over
	}{
		{"trusted", true, true, 10 * time.Minute, 35 * time.Minute},
		{"trusted, off for long", true, true, 50 * time.Minute, 0},
		{"no clock afterwards", true, false, 10 * time.Minute, 40 * time.Minute},
		{"no clock before", false, true, 50 * time.Minute, 40 * time.Minute},
		{"a clock that went back", true, true, -10 * time.Minute, 40 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *ward) {
				w.withStranger()
				w.host.Clock.SetSynced(c.before)
				w.start(wardPolicy(t))
				w.quarantine(stranger().ID, time.Hour, false)
				time.Sleep(15 * time.Minute) // kept last at the end of it, with 45 minutes left
				w.settle()
				w.stop()
				w.stop = nil
				disk := w.disk
				again := newWard(t)
				again.disk = disk
				again.withStranger()
				again.host.Clock.Reboot() // newWard's is the first boot as well
				again.host.Clock.SetSynced(c.after)
				again.host.Clock.Jump(c.off)
				o := again.options(nil)
				o.Inventory, o.Events = nil, nil
				if _, err := New(o).Preload(context.Background()); err != nil {
					t.Fatal(err)
				}
				if got := again.left(); !about(got, c.left) || again.passes(roaming) == (c.left > 0) {
					t.Errorf("after the boot %v are left, want %v", got, c.left)
				}
				time.Sleep(time.Minute)
				again.start(wardPolicy(t))
				again.cutOff("the agent is there", c.left > 0)
				if got := again.left(); c.left > 0 && !about(got, c.left-time.Minute) {
					t.Errorf("once the agent is there %v are left, want %v", got, c.left-time.Minute)
				}
				time.Sleep(c.left)
				again.settle()
				again.cutOff("over", false)
				again.stop()
			})
		})
	}
}

// TestRebootsCannotProlong: without a clock, however often the box is switched
// off, it is on for no longer than the quarantine was given.
func TestRebootsCannotProlong(t *testing.T) {
	for _, on := range []time.Duration{time.Minute, 4 * time.Minute, 7 * time.Minute, 31 * time.Minute} {
		inBubble(t, func(t *testing.T, w *ward) {
			w.withStranger()
			w.host.Clock.SetSynced(false)
			w.start(wardPolicy(t))
			w.quarantine(stranger().ID, time.Hour, false)
			first, disk, total := w, w.disk, time.Duration(0)
			for boots := 1; total <= time.Hour+time.Minute; boots++ {
				time.Sleep(on)
				total += on
				w.stop()
				w = newWard(t)
				w.disk = disk
				w.withStranger()
				for range boots {
					w.host.Clock.Reboot()
				}
				w.start(wardPolicy(t))
				if w.left() == 0 {
					break
				}
				if w.left() > time.Hour-total+10*time.Second {
					t.Errorf("on for %v at a time, after %v: %v are left", on, total, w.left())
				}
			}
			w.cutOff("in the end", false)
			w.stop()
			first.stop = nil
		})
	}
}

// TestGuessedEndIsMended: an order that came over a reboot without a clock ends by
// the clock, once there is one.
func TestGuessedEndIsMended(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.start(wardPolicy(t))
		w.quarantine(stranger().ID, time.Hour, false)
		w.stop()
		again := newWard(t)
		again.disk = w.disk
		again.withStranger()
		again.host.Clock.Reboot()
		again.host.Clock.Set(time.Unix(0, 0))
		again.start(wardPolicy(t))
		again.cutOff("without a clock", true)
		again.host.Clock.Set(time.Now().Add(2 * time.Hour))
		again.settle()
		again.cutOff("not trusted yet", true)
		again.host.Clock.SetSynced(true)
		again.settle()
		again.cutOff("trusted: it is over", false)
		again.stop()
		w.stop = nil
	})
}

// TestLostBook: with its file lost, the kernel's quarantines stay; with both lost
// they are gone.
func TestLostBook(t *testing.T) {
	for name, damage := range map[string]func(d disk){"lost": func(d disk) { delete(d, keyOrders) }, "damaged": func(d disk) { d[keyOrders] = []byte("{") }} {
		inBubble(t, func(t *testing.T, w *ward) {
			w.withStranger()
			w.start(wardPolicy(t))
			w.quarantine(stranger().ID, time.Hour, false)
			w.quarantine(pumpID, time.Hour, true)
			w.stop()
			damage(w.disk)
			time.Sleep(10 * time.Minute)
			w.start(wardPolicy(t))
			if w.passes(roaming) || w.passes(clinical) {
				t.Errorf("%s: given up", name)
			}
			got := ""
			for _, q := range w.task.Quarantined() {
				got += fmt.Sprint(q.Device, " ", q.Owner, " ", q.Interlock, about(q.Left, 50*time.Minute), "; ")
			}
			if diff := cmp.Diff("00:11:22:00:00:01 unknown true true; 00:11:22:00:00:66 unknown false true; ", got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			if err := w.task.Release(context.Background(), pumpID, "mia"); err != nil {
				t.Fatal(err)
			}
			w.uncut("released")
			time.Sleep(time.Hour)
			w.cutOff("over", false)
		})
	}
}

// TestKernelKnowsBetterThanTheBook: an agent that is killed between an act and the
// writing of it, or cannot write, neither loses a quarantine nor brings one back.
func TestKernelKnowsBetterThanTheBook(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.start(wardPolicy(t))
		again := func(when string, record []byte, cut bool) {
			t.Helper()
			w.stop()
			w.disk[keyOrders] = record
			w.start(wardPolicy(t))
			w.cutOff(when, cut)
		}
		w.quarantine(pumpID, time.Hour, true)
		if err := w.task.Release(context.Background(), pumpID, "mia"); err != nil {
			t.Fatal(err)
		}
		empty := w.disk[keyOrders]
		w.quarantine(stranger().ID, time.Hour, false)
		full := w.disk[keyOrders]
		again("killed before it was kept", empty, true)
		if err := w.task.Release(context.Background(), stranger().ID, "mia"); err != nil {
			t.Fatal(err)
		}
		again("released, and killed before that was kept", full, false)
		w.quarantine(stranger().ID, time.Hour, false)
		old := w.disk[keyOrders]
		w.quarantine(stranger().ID, 3*time.Hour, true)
		again("another end, and killed before that was kept", old, true)
		if q := w.task.Quarantined()[0]; !about(q.Left, 3*time.Hour) || !q.Interlock || q.Owner != "mia" {
			t.Errorf("%+v", q)
		}
		w.stop()
		w.fw.FlushRuleset() // a kernel that knows nothing
		w.start(wardPolicy(t))
		w.cutOff("a kernel without a table", true)
	})
}

// TestBookReadsOnlyWhatItWrote.
func TestBookReadsOnlyWhatItWrote(t *testing.T) {
	now := clock.New(fake.New().Clock, time.Time{}).Now()
	good := func(change func(k *keptOrders)) []byte {
		k := keptOrders{V: keptVersion, BootID: now.BootID, Orders: []keptOrder{{MAC: fact.MAC{0, 1, 2, 3, 4, 5}, Left: 1000 * time.Hour, Interlock: true}}}
		change(&k)
		b, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var b book
	if err := b.load(good(func(*keptOrders) {}), now); err != nil || len(b.list(now.Mono)) != 1 || b.list(now.Mono)[0].Left > maxInterlock {
		t.Errorf("a thousand hours: %+v, %v", b.list(now.Mono), err)
	}
	for what, record := range map[string][]byte{
		"nothing": {}, "another version": good(func(k *keptOrders) { k.V++ }),
		"no device": good(func(k *keptOrders) { k.Orders[0].MAC = fact.MAC{} }),
		"a group":   good(func(k *keptOrders) { k.Orders[0].MAC = fact.MAC{1} }),
		"too many":  good(func(k *keptOrders) { k.Orders = make([]keptOrder, maxOrders+1) }),
	} {
		if err := b.load(record, now); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
