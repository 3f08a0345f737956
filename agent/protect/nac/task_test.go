package nac

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/health"
)

func good(name string) means { return means{name: name, reach: ReachDevice, works: true} }
func idle(name string) means { return means{name: name, reach: ReachDevice} }

// What the hooks do and the wire shows decides which hooks are asked, and at the
// end all is undone. The order is for an hour; release is a way to end it before.
func TestCourse(t *testing.T) {
	refuses, silent, lost := good("a"), idle("a"), good("a")
	refuses.apply, silent.apply = Refused, Unsure
	lost.apply, lost.lost = Unsure, true
	stubborn := good("a")
	stubborn.undo = []Outcome{Unsure, Refused, Unsure, Unsure, Unsure}
	wide, ward := good("a"), good("a")
	wide.reach, ward.reach = ReachPort, ReachWard
	for _, tt := range []struct {
		name  string
		means []means
		set   func(*bench)
		acts  []string // until the end of the quarantine
		after []string // what follows
		told  []string // by events
		up    []string // conditions just before the end
	}{
		{"the first hook works", []means{good("a"), good("b")}, nil, []string{"apply a"}, []string{"undo a"},
			[]string{"a applying", "a applied", "a applied confirmed", "a undoing confirmed", "a undone confirmed"}, nil},
		{"without effect: the next", []means{idle("a"), good("b"), good("c")}, nil, []string{"apply a", "apply b"}, []string{"undo a", "undo b"},
			[]string{"a applying", "a applied", "a applied not-effective", "b applying", "b applied", "b applied confirmed",
				"a undoing not-effective", "b undoing confirmed", "a undone not-effective", "b undone confirmed"}, nil},
		{"refused: the next, and nothing to undo", []means{refuses, good("b")}, nil, []string{"apply a", "apply b"}, []string{"undo b"},
			[]string{"a applying", "a failed", "b applying", "b applied", "b applied confirmed", "b undoing confirmed", "b undone confirmed"}, nil},
		{"no answer: the next, and it is undone", []means{silent, good("b")}, nil, []string{"apply a", "apply b"}, []string{"undo a", "undo b"},
			[]string{"a applying", "a doubtful", "b applying", "b applied", "b applied confirmed", "a undoing", "b undoing confirmed", "a undone", "b undone confirmed"}, nil},
		{"no answer although it holds", []means{lost}, nil, []string{"apply a"}, []string{"undo a"},
			[]string{"a applying", "a doubtful", "a doubtful confirmed", "a undoing confirmed", "a undone confirmed"}, nil},
		{"no hook has an effect", []means{idle("a"), idle("b")}, nil, []string{"apply a", "apply b"}, []string{"undo a", "undo b"}, nil,
			[]string{"nac.not-effective:02:00:00:00:00:01"}},
		{"silent before: nobody can tell", []means{good("a"), good("b")}, func(b *bench) { b.silent = true }, []string{"apply a"}, []string{"undo a"},
			[]string{"a applying", "a applied", "a applied unknown", "a undoing unknown", "a undone unknown"}, nil},
		{"out of sight: nobody can tell", []means{good("a"), good("b")}, func(b *bench) { b.blind = true }, []string{"apply a"}, []string{"undo a"}, nil, nil},
		{"undoing takes several tries", []means{stubborn}, nil, []string{"apply a"}, []string{"undo a", "undo a", "undo a", "undo a", "undo a", "undo a"}, nil, nil},
		{"a pump", []means{good("a"), good("b")}, func(b *bench) { b.know(dev(intruder, "w1", "pump")) }, nil, nil,
			[]string{"a skipped: it is, or counts as, life-sustaining", "b skipped: it is, or counts as, life-sustaining"}, nil},
		{"perhaps a pump", []means{good("a")}, func(b *bench) { b.know(dev(intruder, "w1", "?")) }, nil, nil, nil, nil},
		{"a pump behind its port", []means{good("a")}, func(b *bench) { b.know(dev(intruder, "w1", "pc"), dev(pump, "w1", "pump")) }, nil, nil, nil, nil},
		{"not in the inventory", []means{good("a")}, func(b *bench) { b.know() }, nil, nil, []string{"a skipped: it is not in the inventory"}, nil},
		{"two behind the port: no hook for the port, but the next", []means{wide, good("b")}, func(b *bench) { b.know(dev(intruder, "w1", "pc"), dev(printer, "w1", "printer")) },
			[]string{"apply b"}, []string{"undo b"}, nil, nil},
		{"others behind the gateway: no hook for the uplink", []means{ward, good("b")}, func(b *bench) { b.know(dev(intruder, "w1", "pc"), dev(printer, "w2", "printer")) },
			[]string{"apply b"}, []string{"undo b"}, nil, nil},
		{"break-glass is open", []means{good("a")}, func(b *bench) { b.open.Store(true) }, nil, nil, nil, nil},
	} {
		for how, end := range map[string]func(*Task) error{
			"expiry":      func(*Task) error { return nil },
			"release":     func(n *Task) error { return n.Release(intruder, "bob") },
			"break-glass": func(n *Task) error { return n.Suspend("button", nil) },
		} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, tt.means...)
					if tt.set != nil {
						tt.set(b)
					}
					n, stop := b.start(newLife(0))
					defer stop()
					time.Sleep(time.Minute)
					if err := n.Quarantine(order(time.Hour)); err != nil {
						t.Fatal(err)
					}
					time.Sleep(59 * time.Minute)
					if diff := cmp.Diff(tt.acts, b.site.said()); diff != "" {
						t.Errorf("acts until the end (-want +got):\n%s", diff)
					}
					if diff := cmp.Diff(tt.up, b.conditions()); diff != "" {
						t.Errorf("conditions (-want +got):\n%s", diff)
					}
					before := len(b.site.said())
					if err := end(n); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Hour)
					if diff := cmp.Diff(sorted(tt.after), sorted(b.site.said()[before:])); diff != "" {
						t.Errorf("acts after it (-want +got):\n%s", diff)
					}
					if tt.told != nil {
						if diff := cmp.Diff(tt.told, orderly(b.told())); diff != "" {
							t.Errorf("events (-want +got):\n%s", diff)
						}
					}
					b.empty()
					if got := n.Status(); len(got) > 0 {
						t.Errorf("status %+v", got)
					}
				})
			})
		}
	}
}

// orderly puts the two hooks that are undone at once into one order.
func orderly(s []string) []string {
	for i := 1; i < len(s); i++ {
		if strings.HasPrefix(s[i], "a un") && strings.HasPrefix(s[i-1], "b un") && strings.Fields(s[i])[1] == strings.Fields(s[i-1])[1] {
			s[i], s[i-1] = s[i-1], s[i]
		}
	}
	return s
}

// begin starts a bench and an order for it.
func begin(t *testing.T, o Order, m ...means) (*bench, *Task, func()) {
	t.Helper()
	b := newBench(t, m...)
	n, stop := b.start(newLife(0))
	time.Sleep(time.Minute)
	if err := n.Quarantine(o); err != nil {
		t.Fatal(err)
	}
	return b, n, stop
}

// What is learned later counts: a hook that could touch a pump by now is undone,
// and not asked for again in this quarantine.
func TestDangerThatComesLater(t *testing.T) {
	for _, tt := range []struct {
		name string
		then []device.Device
		want []string
	}{
		{"it turns out to be a pump", []device.Device{dev(intruder, "w1", "pump")}, []string{"apply a", "undo a"}},
		{"a pump is plugged in behind the port", []device.Device{dev(intruder, "w1", "pc"), dev(pump, "w1", "pump")}, []string{"apply a", "undo a"}},
		{"a second device is plugged in behind the port", []device.Device{dev(intruder, "w1", "pc"), dev(printer, "w1", "printer")}, []string{"apply a", "undo a", "apply b"}},
		{"the inventory forgets it, as it is cut off", nil, []string{"apply a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := good("a")
				a.reach = ReachPort
				b, _, stop := begin(t, order(time.Hour), a, good("b"))
				defer stop()
				time.Sleep(5 * time.Minute)
				b.know(tt.then...)
				time.Sleep(5 * time.Minute)
				b.know(dev(intruder, "w1", "pc"))
				time.Sleep(5 * time.Minute)
				got := b.site.said()
				if len(tt.want) == 2 { // b may run once the pump is gone
					got = got[:min(2, len(got))]
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				time.Sleep(2 * time.Hour)
				b.empty()
			})
		})
	}
}

// A device that finds its way back is handed to the next hook.
func TestComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, stop := begin(t, order(time.Hour), good("a"), good("b"))
		defer stop()
		time.Sleep(5 * time.Minute)
		b.site.act("somebody clears", "a", false, true)
		time.Sleep(5 * time.Minute)
		if diff := cmp.Diff([]string{"apply a", "somebody clears a", "apply b"}, b.site.said()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		time.Sleep(2 * time.Hour)
		b.empty()
	})
}

// Break-glass does not wait for a hook that hangs, and nothing is applied again
// when it closes; another order begins anew.
// A new order while the old is still being undone waits for that.
// Desired state comes again with each connection, and the flash must not pay.
// A process was killed while a hook was called; to the next it says that it does
// nothing. That is no word about the first call: it is undone in the end.
// An agent that is told to end cuts its hook short; the next start asks again,
// it does not go on to the next hook.
func TestEndsWhileAHookIsCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := good("a")
		slow.takes = time.Minute
		b, _, stop := begin(t, order(time.Hour), slow, good("b"))
		time.Sleep(10 * time.Second)
		stop()
		_, stop = b.start(newLife(0))
		defer stop()
		time.Sleep(10 * time.Minute)
		if diff := cmp.Diff([]string{"apply a", "apply a"}, b.site.said()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		time.Sleep(2 * time.Hour)
		b.empty()
	})
}

// Before the inventory is back nobody knows who is behind the port: nothing is
// asked, and what is owed is undone all the same.
func TestBeforeTheInventoryIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, end := begin(t, order(time.Hour), good("a"))
		time.Sleep(5 * time.Minute)
		end()
		b.ready = make(chan struct{})
		other := order(time.Hour)
		other.Device = printer
		b.know()
		n, stop := b.start(newLife(0))
		defer stop()
		if err := n.Quarantine(other); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		if diff := cmp.Diff([]string{"apply a"}, b.site.said()); diff != "" {
			t.Errorf("before it is back (-want +got):\n%s", diff)
		}
		if err := n.Release(intruder, "bob"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if diff := cmp.Diff([]string{"apply a", "undo a"}, b.site.said()); diff != "" {
			t.Errorf("released (-want +got):\n%s", diff)
		}
		b.know(dev(printer, "w1", "printer"))
		close(b.ready)
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"apply a", "undo a", "apply a"}, b.site.said()); diff != "" {
			t.Errorf("it is back (-want +got):\n%s", diff)
		}
		time.Sleep(2 * time.Hour)
		b.empty()
	})
}

// At a start everybody counts as life-sustaining until it is known who does: that
// is no reason to undo what is applied, nor to give up what was being applied.
func TestBeforeItIsKnownWhoCounts(t *testing.T) {
	for name, dies := range map[string]int{"applied": 0, "being applied": 6} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, good("a"))
				first := newLife(dies)
				n, stop := b.start(first)
				time.Sleep(time.Minute)
				go n.Quarantine(order(time.Hour))
				time.Sleep(time.Minute)
				stop()
				b.early.Store(true)
				_, stop = b.start(newLife(0))
				defer stop()
				time.Sleep(5 * time.Minute)
				if diff := cmp.Diff([]string{"apply a"}, b.site.said()); diff != "" {
					t.Errorf("before it is known (-want +got):\n%s", diff)
				}
				b.early.Store(false)
				time.Sleep(5 * time.Minute)
				if !b.site.holds("a") {
					t.Error("not held once it is known")
				}
				time.Sleep(2 * time.Hour)
				b.empty()
			})
		})
	}
}

// Hooks that hang for many devices do not take more than their share.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := good("a")
		slow.takes = time.Minute
		b := newBench(t, slow)
		var ward []device.Device
		for i := range maxRecords + 1 {
			ward = append(ward, dev(device.ID(fmt.Sprintf("02:00:00:00:01:%02x", i)), fmt.Sprint("w", i), "pc"))
		}
		b.know(ward...)
		n, stop := b.start(newLife(0))
		defer stop()
		for i, d := range ward {
			o := order(15 * time.Minute)
			o.ID, o.Device = fmt.Sprint("cmd-", i), d.ID
			err := n.Quarantine(o)
			if (err != nil) != (i == maxRecords) {
				t.Errorf("order %d: %v", i, err)
			}
		}
		time.Sleep(30 * time.Second)
		if got := len(b.site.said()); got != maxCalls {
			t.Errorf("%d calls at once, want %d", got, maxCalls)
		}
		time.Sleep(10 * time.Minute)
		if got := len(b.site.said()); got != maxRecords {
			t.Errorf("%d calls in the end, want %d", got, maxRecords)
		}
		time.Sleep(10 * time.Minute)
		b.empty()
	})
}

// A flash that takes seconds for each of many records is no hang.
func TestSlowLedgerIsNoHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, good("a"))
		var ward []device.Device
		for i := range 32 {
			ward = append(ward, dev(device.ID(fmt.Sprintf("02:00:00:00:01:%02x", i)), fmt.Sprint("w", i), "pc"))
		}
		b.know(ward...)
		n, stop := b.start(newLife(0))
		for i, d := range ward {
			o := order(15 * time.Minute)
			o.ID, o.Device = fmt.Sprint("cmd-", i), d.ID
			if err := n.Quarantine(o); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		stop()
		time.Sleep(time.Hour) // all are over
		var watch health.Watch
		var now time.Duration
		b.disk.during = func() {
			watch.Board = b.board
			for range 3 * time.Second / health.LookEvery {
				now += health.LookEvery
				if hung := watch.Look(now); len(hung) > 0 {
					t.Errorf("%v hangs after %s", hung, now)
				}
			}
		}
		_, stop = b.start(newLife(0))
		time.Sleep(time.Minute)
		stop()
		b.empty()
		if now < time.Minute {
			t.Errorf("all was written within %s", now)
		}
	})
}

// A person hears of what cannot be undone, and what to do.
func TestOwedIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := good("a")
		for range 40 {
			a.undo = append(a.undo, Unsure)
		}
		b, n, stop := begin(t, order(time.Hour), a)
		defer stop()
		time.Sleep(5 * time.Minute)
		if err := n.Release(intruder, "bob"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		c := b.board.Conditions()
		if len(c) != 1 || !strings.HasPrefix(c[0].Code, "nac.owed:cmd-1.") || c[0].Text != "cannot be undone yet, do it by hand: take back a (undo unsure)" {
			t.Errorf("conditions %+v", c)
		}
		time.Sleep(4 * time.Hour)
		b.empty()
	})
}

// A hook that is no longer in the configuration leaves its debt standing.
func TestHookIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, stop := begin(t, order(time.Hour), good("a"))
		time.Sleep(5 * time.Minute)
		stop()
		b.means = []means{good("b")}
		_, stop = b.start(newLife(0))
		time.Sleep(2 * time.Hour)
		if c := b.board.Conditions(); len(c) != 1 || !strings.Contains(c[0].Text, "not in the configuration any more; do by hand: take back a") {
			t.Errorf("conditions %+v", c)
		}
		stop()
		b.means = []means{good("a")}
		_, stop = b.start(newLife(0))
		defer stop()
		time.Sleep(time.Minute)
		b.empty()
	})
}

// What a hook owes that is gone ends once a person says that it is undone, and
// what a hook owes that is there does not.
func TestUndoneByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, stop := begin(t, order(time.Hour), good("a"))
		time.Sleep(5 * time.Minute)
		stop()
		b.means = []means{good("b")}
		n, stop := b.start(newLife(0))
		undone := func() {
			t.Helper()
			if err := n.Undone(intruder, "bob"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		undone() // it is in quarantine: nothing is to be undone yet
		if got := n.Status(); len(got) != 1 || got[0].Obligations[0].State != Applied {
			t.Errorf("in quarantine: %+v", got)
		}
		if err := n.Release(intruder, "bob"); err != nil {
			t.Fatal(err)
		}
		undone()
		if got := n.Status(); len(got) != 0 || len(b.board.Conditions()) != 0 {
			t.Errorf("undone by hand: %+v, %+v", got, b.board.Conditions())
		}
		stop()
		_, stop = b.start(newLife(0))
		stop()
		b.empty()
	})
}

// What cannot be noted is not asked for; what is owed is undone all the same.
func TestLedgerTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk is full")
		b := newBench(t, good("a"))
		n, stop := b.start(newLife(0))
		defer stop()
		b.disk.set(full)
		time.Sleep(time.Minute)
		if err := n.Quarantine(order(time.Hour)); !errors.Is(err, full) {
			t.Errorf("order: %v, want %v", err, full)
		}
		b.disk.set(nil)
		if err := n.Quarantine(order(time.Hour)); err != nil {
			t.Fatal(err)
		}
		b.disk.set(full)
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string(nil), b.site.said()); diff != "" {
			t.Errorf("asked without a note (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"nac.ledger"}, b.conditions()); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
		b.disk.set(nil)
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"apply a"}, b.site.said()); diff != "" {
			t.Errorf("the disk is back (-want +got):\n%s", diff)
		}
		b.disk.set(full)
		if err := n.Release(intruder, "bob"); !errors.Is(err, full) {
			t.Errorf("release: %v, want %v", err, full)
		}
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"apply a", "undo a"}, b.site.said()); diff != "" {
			t.Errorf("released (-want +got):\n%s", diff)
		}
		b.disk.set(nil)
		time.Sleep(time.Minute)
		b.empty()
	})
}

// A record that cannot be read is said, and does not keep the others.
func TestDamagedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, stop := begin(t, order(time.Hour), good("a"))
		time.Sleep(time.Minute)
		stop()
		b.disk.values["02:00:00:00:00:09"] = []byte("{")
		_, stop = b.start(newLife(0))
		defer stop()
		time.Sleep(2 * time.Hour)
		if b.site.holds("a") {
			t.Error("the sound record was not undone")
		}
		if diff := cmp.Diff([]string{"nac.ledger-damaged"}, b.conditions()); diff != "" {
			t.Errorf("conditions (-want +got):\n%s", diff)
		}
	})
}
