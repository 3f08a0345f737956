package enforce

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// full is a disk that takes nothing for a while.
type full struct {
	disk
	until time.Time
}

func (f *full) Put(key string, v []byte) error {
	if time.Now().Before(f.until) {
		return errors.New("no space left on device")
	}
	return f.disk.Put(key, v)
}

// boot preloads a gateway with what the disk of the other has.
func (w *ward) boot() *ward {
	w.t.Helper()
	again := newWard(w.t)
	again.disk = w.disk
	again.withStranger()
	again.host.Clock.Reboot()
	o := again.options(nil)
	o.Inventory, o.Events = nil, nil
	if _, err := New(o).Preload(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	return again
}

// TestFullDiskForAWhile: what was released, or opened, while the disk took nothing
// is kept once it does: a reboot cuts off nobody again.
func TestFullDiskForAWhile(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		f := &full{disk: w.disk}
		o := w.options(wardPolicy(t))
		o.Store = f
		w.run(o)
		w.settle()
		w.quarantine(stranger().ID, 3*time.Hour, false)
		w.settle()
		f.until = time.Now().Add(time.Minute)
		if err := w.task.Release(context.Background(), stranger().ID, "dora"); err != nil {
			t.Fatal(err)
		}
		w.mode("printers", "stage")
		time.Sleep(5 * time.Minute)
		again := w.boot()
		if again.left() > 0 {
			t.Errorf("quarantined again for %s, although it was released", again.left())
		}
		if !again.passes(smb) {
			t.Error("the segment is enforced again, although it was opened")
		}
	})
}

// TestOverWhileItWasOff: the rules that are loaded at boot know no clock, and put
// the quarantine back; the agent has one, and knows that it is over.
func TestOverWhileItWasOff(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.host.Clock.SetSynced(true)
		w.start(wardPolicy(t))
		w.quarantine(stranger().ID, 3*time.Hour, false)
		again := w.boot()
		if again.left() == 0 {
			t.Fatal("not put back at boot")
		}
		again.host.Clock.Jump(5 * time.Hour)
		again.host.Clock.SetSynced(true)
		again.start(wardPolicy(t))
		again.cutOff("over while it was off", false)
		if q := policy.QuarantinesIn(again.table()); len(q) > 0 {
			t.Errorf("the kernel still has %+v", q)
		}
		again.audited("quarantine-ended kernel 0 " + string(stranger().ID))
		again.stop()
	})
}
