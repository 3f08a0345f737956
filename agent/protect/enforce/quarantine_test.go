package enforce

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// stranger is a host of the ward whose role nobody is sure of.
func stranger() device.Device {
	return device.Device{ID: device.IDOf(strangerMAC), MAC: strangerMAC, Identity: device.Identity{Role: "workstation-pc", Class: device.Other, Confidence: device.Likely}}
}

// roaming is what the stranger does without being denied.
var roaming = packet{"w2", uplink, strangerMAC, routerMAC, "10.20.7.66", "10.99.1.1", 443}

// withStranger is a ward with somebody to quarantine.
func (w *ward) withStranger() {
	w.inv.set(append(wardDevices(), stranger())...)
}

func (w *ward) quarantine(id device.ID, d time.Duration, interlock bool) {
	w.t.Helper()
	if err := w.task.Quarantine(context.Background(), Order{Device: id, Owner: "mia", Reason: "scans the ward", For: d, Interlock: interlock}); err != nil {
		w.t.Fatal(err)
	}
}

// cutOff fails unless the stranger is cut off, or not, and everybody says so.
func (w *ward) cutOff(when string, cut bool) {
	w.t.Helper()
	if w.passes(roaming) == cut {
		w.t.Errorf("%s: cut off is %v, want %v", when, !cut, cut)
	}
	if got := len(w.task.Quarantined()); (got == 1) != cut {
		w.t.Errorf("%s: %d in quarantine", when, got)
	}
}

func TestQuarantineCutsAtOnceAndEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.start(wardPolicy(t))
		w.cutOff("before", false)
		begun := time.Now()
		w.quarantine(stranger().ID, time.Hour, false)
		if d := time.Since(begun); d > 100*time.Millisecond {
			t.Errorf("it took %v", d)
		}
		w.cutOff("at once", true)
		w.uncut("the others")
		w.settle()
		w.cutOff("settled", true)
		var told []string
		for _, e := range w.events.denies() {
			if d := e.Body.(event.Deny); d.Device == stranger().ID {
				told = append(told, d.Verdict+" "+d.Direction+" "+d.Peer+" "+d.Service)
			}
		}
		if diff := cmp.Diff([]string{"quarantined from-device 10.99.1.1 tcp/443"}, told); diff != "" {
			t.Errorf("deny events (-want +got):\n%s", diff)
		}
		w.task.Recount()
		w.settle()
		if s := w.task.Status(); s.Quarantined == 0 || w.task.Counters()["rules.quarantined"] != s.Quarantined {
			t.Errorf("not counted: %+v", s)
		}
		if e, _ := w.task.Explain(policy.Packet{In: "w2", Out: uplink, SrcMAC: strangerMAC, EtherType: 0x0800, Proto: 6}); !strings.Contains(e.String(), "quarantine: "+string(stranger().ID)+", by mia: scans the ward") {
			t.Errorf("explained as %v", e)
		}
		time.Sleep(time.Hour - 10*time.Second)
		w.cutOff("in the last seconds", true)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		w.cutOff("over", false)
		w.audited("quarantine mia 3600 "+string(stranger().ID), "quarantine-ended kernel 0 "+string(stranger().ID))
	})
}

// Longer, shorter, and released by one call, as often as one likes.
func TestQuarantineAgainAndRelease(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.start(wardPolicy(t))
		w.quarantine(stranger().ID, time.Minute, false)
		w.quarantine(stranger().ID, time.Hour, false)
		time.Sleep(30 * time.Minute)
		w.cutOff("made longer", true)
		w.quarantine(stranger().ID, time.Minute, false)
		time.Sleep(time.Minute + countEvery)
		synctest.Wait()
		w.cutOff("made shorter", false)
		w.quarantine(stranger().ID, time.Hour, false)
		for range 2 {
			if err := w.task.Release(context.Background(), stranger().ID, "otto"); err != nil {
				t.Fatal(err)
			}
			w.cutOff("released", false)
			w.settle()
			w.cutOff("released, settled", false)
		}
		id := " " + string(stranger().ID)
		w.audited("quarantine mia 60"+id, "quarantine mia 3600"+id, "quarantine mia 60"+id, "quarantine-ended kernel 0"+id, "quarantine mia 3600"+id, "release otto 0"+id, "release otto 0"+id)
	})
}

// TestQuarantineUnderTheInterlock takes the pump's pairs out for its time and no
// longer, with the agent dead as well; then they are back by themselves.
func TestQuarantineUnderTheInterlock(t *testing.T) {
	for _, dead := range []bool{false, true} {
		inBubble(t, func(t *testing.T, w *ward) {
			w.start(wardPolicy(t))
			w.uncut("before")
			w.quarantine(pumpID, time.Hour, true)
			if w.passes(clinical) || w.passes(answering) {
				t.Error("its pairs are still there")
			}
			w.settle()
			if n := w.task.Status().Pairs; n != 1 {
				t.Errorf("%d pairs: none is ever removed", n)
			}
			if dead {
				w.stop()
				w.stop = nil
			}
			time.Sleep(time.Hour - 10*time.Second)
			if w.passes(clinical) {
				t.Error("it ended early")
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
			w.uncut("over")
			if !dead {
				w.audited("quarantine-interlock mia 3600 "+string(pumpID), "quarantine-ended kernel 0 "+string(pumpID))
				return
			}
			w.start(wardPolicy(t))
			w.uncut("an agent starts")
			w.audited("quarantine-interlock mia 3600 "+string(pumpID), "quarantine-ended kernel 0 "+string(pumpID))
		})
	}
}

func TestQuarantineRefuses(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.start(wardPolicy(t))
		before := w.fw.Transactions()
		ok := Order{Device: stranger().ID, Owner: "mia", Reason: "scans", For: time.Hour}
		for what, c := range map[string]struct {
			change func(o *Order)
			code   string
		}{
			"for ever":                   {func(o *Order) { o.For = 0 }, "invalid-args"},
			"more than a week":           {func(o *Order) { o.For = maxFor + time.Second }, "invalid-args"},
			"an interlock of five hours": {func(o *Order) { o.Interlock, o.For = true, 5*time.Hour }, "invalid-args"},
			"nobody's":                   {func(o *Order) { o.Owner = "" }, "invalid-args"},
			"without a reason":           {func(o *Order) { o.Reason = "" }, "invalid-args"},
			"no device":                  {func(o *Order) { o.Device = "pump 3" }, "not-found"},
			"no device, in capitals":     {func(o *Order) { o.Device = "00:11:22:00:00:0A" }, "not-found"},
			"a group":                    {func(o *Order) { o.Device, o.Interlock = "01:00:5e:00:00:fb", true }, "not-found"},
			"one that is not known":      {func(o *Order) { o.Device = "00:11:22:00:00:99" }, "interlock"},
			"the pump":                   {func(o *Order) { o.Device = pumpID }, "interlock"},
		} {
			o := ok
			c.change(&o)
			refused(t, what, w.task.Quarantine(context.Background(), o), c.code)
		}
		refused(t, "release of nothing", w.task.Release(context.Background(), "pump 3", "mia"), "not-found")
		if n := w.fw.Transactions(); n != before {
			t.Errorf("%d transactions", n-before)
		}
		for i := range maxOrders {
			if _, err := w.task.book.put(order{Quarantine: policy.Quarantine{MAC: fact.MAC{2, 0, 0, 1, byte(i >> 8), byte(i)}}, end: time.Hour * 9}); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, "too many", w.task.Quarantine(context.Background(), ok), "rate-limit")
		w.audited()
	})
}

// TestQuarantineIsReadBack, and where the kernel does not take it, all is as it
// was before.
func TestQuarantineIsReadBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault faulty
		err   string
	}{
		{"one lost transaction", faulty{apply: 1}, ""},
		{"one that said yes", faulty{apply: 1, lies: true}, ""},
		{"one failed reading", faulty{read: 1}, ""},
		{"none gets through", faulty{apply: 3}, "apply: state of the ruleset is unknown"},
		{"none gets through, without an error", faulty{apply: 3, lies: true}, "the kernel does not take the rules"},
		{"cannot be read", faulty{read: 3}, "read it back: no buffer space"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, release := range []bool{false, true} {
				inBubble(t, func(t *testing.T, w *ward) {
					w.withStranger()
					w.start(wardPolicy(t))
					do, verb := func() error {
						return w.task.Quarantine(context.Background(), Order{Device: stranger().ID, Owner: "mia", Reason: "scans", For: time.Hour})
					}, "quarantine "
					if release {
						w.quarantine(stranger().ID, time.Hour, false)
						do, verb = func() error { return w.task.Release(context.Background(), stranger().ID, "mia") }, "release "
					}
					w.settle()
					f := c.fault
					f.Firewall = w.fw
					w.task.opt.Firewall = &f
					switch err := do(); {
					case c.err == "" && err != nil:
						t.Error(err)
					case c.err != "" && (err == nil || err.Error() != verb+string(stranger().ID)+": "+c.err):
						t.Errorf("error %v, want %q", err, c.err)
					}
					w.settle()
					w.cutOff("afterwards", (c.err == "") != release)
				})
			}
		})
	}
}

// TestQuarantineWhileTheTableIsLaid: what the agent does to the table at the same
// moment neither loses a quarantine nor brings one back.
func TestQuarantineWhileTheTableIsLaid(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.start(wardPolicy(t))
		for i := range 6 {
			w.fw.FlushRuleset()
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			w.quarantine(stranger().ID, time.Hour, false)
			w.settle()
			w.cutOff("quarantined", true)
			w.fw.FlushRuleset()
			w.settle()
			w.cutOff("laid anew", true)
			w.fw.FlushRuleset()
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			if err := w.task.Release(context.Background(), stranger().ID, "mia"); err != nil {
				t.Fatal(err)
			}
			w.settle()
			w.cutOff("released", false)
		}
	})
}

// A stranger's program takes one out, puts one in, or gives it another end: the
// book counts.
func TestQuarantineByOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.start(wardPolicy(t))
		peer := func(c platform.Change) {
			t.Helper()
			if err := w.fw.Peer().Apply(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			w.settle()
		}
		peer(policy.QuarantineChange(policy.Quarantine{MAC: strangerMAC, Left: time.Hour}))
		w.cutOff("put in by a stranger", false)
		peer(policy.QuarantineChange(policy.Quarantine{MAC: pumpMAC, Interlock: true, Left: time.Hour}))
		w.uncut("put in by a stranger")
		w.quarantine(stranger().ID, time.Hour, false)
		peer(policy.ReleaseChange(strangerMAC))
		w.cutOff("taken out by a stranger", true)
		peer(policy.QuarantineChange(policy.Quarantine{MAC: strangerMAC, Left: time.Minute}))
		time.Sleep(2 * time.Minute)
		w.cutOff("made shorter by a stranger", true)
	})
}

// TestBreakGlassOpensQuarantine, of all kinds, for its time.
func TestBreakGlassOpensQuarantine(t *testing.T) {
	for scope, name := range map[string]string{"gateway": "", "port": "w1", "device": string(pumpID), "segment": "infusion"} {
		inBubble(t, func(t *testing.T, w *ward) {
			w.start(wardPolicy(t))
			w.quarantine(pumpID, time.Hour, true)
			if w.passes(clinical) {
				t.Error("not cut")
			}
			if err := w.task.Open(context.Background(), scope, name, 10*time.Minute, "mia"); err != nil {
				t.Fatal(err)
			}
			w.uncut(scope + " open")
			w.settle()
			w.uncut(scope + " open, settled")
			time.Sleep(10 * time.Minute)
			if w.passes(clinical) {
				t.Errorf("%s: the quarantine is gone with break-glass", scope)
			}
		})
	}
}

// TestQuarantinedDeviceBecomesLifeSustaining: it is told, and its clinical peers
// are reached as soon as its role is confirmed.
func TestQuarantinedDeviceBecomesLifeSustaining(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.withStranger()
		w.start(wardPolicy(t))
		w.quarantine(stranger().ID, time.Hour, false)
		w.settle()
		told := func() bool {
			for _, c := range w.board.Conditions() {
				if c.Code == "quarantine.life-sustaining" {
					return true
				}
			}
			return false
		}
		if told() {
			t.Error("told of a pc")
		}
		d := stranger()
		d.Identity.Role, d.Identity.Class = "infusion-pump-lvp", device.LifeSustaining
		w.inv.set(append(wardDevices(), d)...)
		w.settle()
		if !told() {
			t.Error("not told of a likely pump")
		}
		d.Identity.Confidence = device.Confirmed
		w.inv.set(append(wardDevices(), d)...)
		w.settle()
		toServer := packet{"w2", uplink, strangerMAC, routerMAC, "10.20.7.66", "10.20.3.5", 443}
		if !w.passes(toServer) || w.passes(roaming) {
			t.Errorf("a confirmed pump reaches its server: %v, anybody else: %v", w.passes(toServer), w.passes(roaming))
		}
		if err := w.task.Release(context.Background(), d.ID, "mia"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if told() {
			t.Error("told of nobody")
		}
	})
}
