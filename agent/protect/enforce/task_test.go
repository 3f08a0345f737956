package enforce

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/health/healthtest"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

func TestApplies(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.enforced("at first")
		select {
		case <-w.task.Ready():
		default:
			t.Error("not ready")
		}
		want := []event.PolicyChange{{Version: 4, Generation: 1, Result: "applied"}}
		if diff := cmp.Diff(want, w.events.policies()); diff != "" {
			t.Errorf("events (-want +got)\n%s", diff)
		}
		s := w.task.Status()
		if s.Version != 4 || s.Generation != 1 || s.Result != "applied" || s.Pairs != 1 || len(s.Segments) != 3 || s.Segments[0].Allow[0] != "to pump-server tcp/443" {
			t.Errorf("status %+v", s)
		}
		if c := w.board.Conditions(); len(c) > 0 {
			t.Errorf("conditions %+v", c)
		}
		if seg, mode := w.task.Segment(device.IDOf(cameraMAC)); seg != "cameras" || mode != "stage" {
			t.Errorf("the camera is in %q, %q", seg, mode)
		}
	})
}

func TestAgreementIsQuiet(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		n, before := w.fw.Transactions(), policy.TableText(w.table())
		time.Sleep(10 * time.Minute)
		w.inv.set(wardDevices()...)
		w.settle()
		if got := w.fw.Transactions(); got != n {
			t.Errorf("%d transactions while nothing changed", got-n)
		}
		if diff := cmp.Diff(before, policy.TableText(w.table())); diff != "" {
			t.Errorf("the table changed:\n%s", diff)
		}
	})
}

func TestFollowsDevices(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.inv.set()
		w.start(wardPolicy(t))
		if !w.passes(telnet) {
			t.Error("an unknown device is filtered")
		}
		w.inv.set(wardDevices()...)
		w.settle()
		w.enforced("after the devices came")
		moved := wardDevices()
		moved[0].IPs = []netip.Addr{netip.MustParseAddr("10.20.7.99")}
		w.inv.set(moved[:2]...)
		w.settle()
		w.enforced("after one went")
		if n, _ := policy.Confirmed(w.table()); n != 1 {
			t.Errorf("generation %d: devices want no other one", n)
		}
		// A role that is no longer sure is no longer enforced, but its pair stays.
		unsure := wardDevices()
		unsure[0].Identity.Confidence = device.Likely
		w.inv.set(unsure...)
		w.settle()
		if !w.passes(telnet) || !w.passes(clinical) || w.task.Status().Pairs != 1 {
			t.Errorf("an unsure pump: telnet %v, clinical %v, %d pairs", w.passes(telnet), w.passes(clinical), w.task.Status().Pairs)
		}
	})
}

func TestPolicyChangeIsAnotherGeneration(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		p := changedPolicy(t)
		w.task.use(p)
		w.settle()
		w.enforced("after the change")
		if got := policy.Generations(w.table()); len(got) != 1 || got[0] != 2 {
			t.Errorf("generations %v, want 2 alone", got)
		}
		if e := w.events.policies(); len(e) != 2 || e[1].Version != 5 || e[1].Generation != 2 || e[1].Result != "applied" {
			t.Errorf("events %+v", e)
		}
		w.task.use(nil)
		w.settle()
		if !w.passes(telnet) || !w.passes(clinical) {
			t.Error("without a policy something is filtered")
		}
	})
}

// changedPolicy is the ward's with another allow-list for the printers.
func changedPolicy(t *testing.T) *policy.Policy {
	t.Helper()
	src := string(wardPolicy(t).Source)
	src = strings.Replace(src, "version = 4", "version = 5", 1)
	return parse(t, []byte(strings.Replace(src, `"tcp/631"`, `"tcp/631", "tcp/9100-9102"`, 1)))
}

func TestForeignFlushIsRepaired(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		start := time.Now()
		w.fw.FlushRuleset()
		synctest.Wait()
		w.enforced("after the flush")
		if d := time.Since(start); d > settleTime {
			t.Errorf("repaired after %v", d)
		}
		w.settle()
		e := w.events.policies()
		if len(e) != 2 || e[1].Result != "repaired" || e[1].Reason != "rules were changed by someone else: there is no table" {
			t.Errorf("events %+v", e)
		}
	})
}

func TestForeignRulesAreRemoved(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		stranger := w.fw.Peer()
		open := policy.BreakGlass(time.Hour)
		if err := stranger.Apply(context.Background(), open); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if !w.passes(telnet) {
			t.Error("break-glass by another program does not open")
		}
		err := stranger.Apply(context.Background(), platform.Change{Family: platform.FamilyBridge, Table: policy.TableName, Steps: []platform.Step{
			{FlushChain: policy.ChainForward}, {AddChain: &platform.Chain{Name: "theirs"}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		if !w.passes(telnet) {
			t.Error("the repair closed break-glass")
		}
		time.Sleep(time.Hour)
		w.enforced("after break-glass ended by itself")
	})
}

func TestAgentDiesRulesStay(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		w.enforced("the agent is dead")
		before, n := policy.TableText(w.table()), w.fw.Transactions()
		// It comes back before its inventory does: nothing is removed.
		all := wardDevices()
		w.inv = newShelf()
		w.start(wardPolicy(t))
		w.enforced("without an inventory")
		time.Sleep(5 * time.Minute)
		w.enforced("without an inventory for long")
		w.inv.set(all...)
		close(w.inv.ready)
		w.settle()
		w.enforced("the inventory is back")
		if diff := cmp.Diff(before, policy.TableText(w.table())); diff != "" || w.fw.Transactions() != n {
			t.Errorf("%d transactions, and:\n%s", w.fw.Transactions()-n, diff)
		}
		if e := w.events.policies(); e[len(e)-1].Reason != "found in the kernel as it should be" {
			t.Errorf("events %+v", e)
		}
	})
}

func TestRebootBringsRulesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		all := wardDevices()
		again := newWard(t) // another kernel, the same disk
		again.disk, again.inv = w.disk, newShelf()
		again.start(changedPolicy(t))
		again.enforced("before the inventory is back")
		if v := again.task.Status().Version; v != 4 {
			t.Errorf("policy %d before the inventory is back, want that of before the reboot", v)
		}
		again.inv.set(all...)
		close(again.inv.ready)
		again.settle()
		again.enforced("after it is back")
		if v := again.task.Status().Version; v != 5 {
			t.Errorf("policy %d, want the new one", v)
		}
		again.stop()
		w.stop = nil
	})
}

func TestPairsOutliveTheInventory(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		again := newWard(t)
		again.disk = w.disk
		again.inv.set() // the inventory was lost
		again.start(wardPolicy(t))
		if n := again.task.Status().Pairs; n != 1 {
			t.Errorf("%d pairs", n)
		}
		again.stop()
		w.stop = nil
	})
}

func TestUnreadableRecords(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.disk[keyPairs], w.disk[keyConfirmed] = []byte("{"), []byte(`{"v":9}`)
		ready := w.inv.ready
		w.inv.ready = make(chan struct{})
		w.start(wardPolicy(t))
		told := func(when string) {
			t.Helper()
			var got []string
			for _, c := range w.board.Conditions() {
				got = append(got, c.Code+": "+c.Text)
			}
			want := []string{"enforce.lost:exempt-pairs: exempt pairs of before the start are lost, or older: unexpected end of JSON input",
				"enforce.lost:rules: rules of before the start are lost, or older: record of version 9"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		told("before the inventory is back")
		w.stop()
		w.inv.ready = ready
		w.start(wardPolicy(t))
		w.enforced("with a bad store")
		told("once others are kept") // else nobody would ever see it
	})
}

// fullDisk is a store that takes nothing.
type fullDisk struct{ disk }

func (fullDisk) Put(string, []byte) error { return errors.New("no space left") }

func TestFullDiskStopsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		o := w.options(wardPolicy(t))
		o.Store = fullDisk{disk{}}
		w.run(o)
		w.settle()
		w.enforced("with a full disk")
		if c := w.board.Conditions(); len(c) != 1 || c[0].Text != "the rules in force are not kept over a restart: no space left" {
			t.Errorf("conditions %+v", c)
		}
	})
}

func TestEnforceIsRefusedOutsideALab(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		o := w.options(wardPolicy(t))
		o.Lab = false
		w.run(o)
		w.settle()
		if !w.passes(telnet) || !w.passes(smb) {
			t.Error("something is dropped outside a lab")
		}
		if s := w.task.Status(); s.WouldDeny != 0 && s.Segments[0].Mode != policy.Stage {
			t.Errorf("status %+v", s)
		}
		w.task.Recount()
		w.settle()
		if s := w.task.Status(); s.WouldDeny != 2 || s.Denied != 0 || s.Segments[0].Mode != policy.Stage {
			t.Errorf("status %+v, want two would-be denies in stage", s)
		}
		if e := w.events.policies(); e[0].Result != "refused" || !strings.HasPrefix(e[0].Reason, `segment "infusion": mode "enforce" is refused`) {
			t.Errorf("events %+v", e)
		}
	})
}

func TestHardwareInALab(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.enforced("virtual ports")
		w.host.Ports.Add(platform.Link{Name: "w1", Bus: "pci"}) // the port came back as another
		time.Sleep(2 * resyncEvery)
		if !w.passes(telnet) {
			t.Error("packets of hardware are dropped")
		}
		e := w.events.policies()
		if want := `lab = true is refused: port "w1" is hardware (/sys/class/net/w1/device is on the pci bus); a virtual ward has only virtual ports`; e[1].Result != "refused" || e[1].Reason != want {
			t.Errorf("events %+v", e)
		}
	})
}

func TestCountersOutliveGenerations(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		send := func(n int) {
			for range n {
				w.passes(telnet)
				w.passes(smb)
				w.passes(calling)
			}
		}
		send(300)
		w.task.use(changedPolicy(t))
		w.settle()
		send(40)
		w.task.Recount()
		w.settle()
		s := w.task.Status()
		if s.Denied != 680 || s.WouldDeny != 340 || s.Segments[0].Denied != 340 || s.Segments[2].WouldDeny != 340 {
			t.Errorf("counted %+v", s)
		}
		want := map[string]uint64{"rules.denied": 680, "rules.would_deny": 340, "rules.claimed": 0, "rules.quarantined": 0}
		if diff := cmp.Diff(want, w.task.Counters()); diff != "" {
			t.Errorf("counters (-want +got)\n%s", diff)
		}
	})
}

// TestOnlyWhatRulesAreMadeOfMoves: what a device says or does makes no work,
// what puts it under other rules does.
func TestOnlyWhatRulesAreMadeOfMoves(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		w.stop = nil
		for name, c := range map[string]struct {
			change func(d *device.Device)
			moved  bool
		}{
			"nothing":      {func(d *device.Device) {}, false},
			"fact":         {func(d *device.Device) { d.Facts = append(d.Facts, device.Known{Kind: "dhcp.hostname", Value: "x"}) }, false},
			"conversation": {func(d *device.Device) { d.Conversations = make([]device.Conversation, 3) }, false},
			"seen":         {func(d *device.Device) { d.LastSeen = time.Unix(9, 0) }, false},
			"evidence":     {func(d *device.Device) { d.Identity.Score += 2 }, false},
			"ward port":    {func(d *device.Device) { d.Port = "w2" }, false}, // no rule names one
			"role":         {func(d *device.Device) { d.Identity.Role = "camera" }, true},
			"class":        {func(d *device.Device) { d.Identity.Class = device.Clinical }, true},
			"confidence":   {func(d *device.Device) { d.Identity.Confidence = device.Likely }, true},
			"pin":          {func(d *device.Device) { d.Pin = &device.Pin{Role: "camera"} }, true},
			"address":      {func(d *device.Device) { d.IPs = append(d.IPs, netip.MustParseAddr("10.20.7.99")) }, true},
			"mac":          {func(d *device.Device) { d.MAC[5]++ }, true},
		} {
			d := wardDevices()
			c.change(&d[1]) // the printer
			w.inv.set(d...)
			if got := w.task.moved(); got != c.moved {
				t.Errorf("%s: moved %v, want %v", name, got, c.moved)
			}
		}
		w.inv.set(wardDevices()[:2]...)
		if !w.task.moved() {
			t.Error("a device that is gone moves nothing")
		}
	})
}

func TestNewsWithoutConsequenceReadsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		s := &saboteur{Firewall: w.fw, look: func() {}}
		o := w.options(wardPolicy(t))
		o.Firewall = s
		w.run(o)
		w.settle()
		synctest.Wait()
		s.reads.Store(0)
		for i := range 20 {
			seen := wardDevices()
			seen[0].LastSeen = time.Unix(int64(i), 0)
			w.inv.set(seen...)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if n := s.reads.Load(); n > 0 {
			t.Errorf("the kernel was read %d times", n)
		}
		time.Sleep(2 * resyncEvery)
		if s.reads.Load() == 0 {
			t.Error("no resync")
		}
	})
}

// slowKernel answers, and takes its time.
type slowKernel struct {
	platform.Firewall
	apply, read time.Duration
}

func (k slowKernel) Apply(ctx context.Context, c platform.Change) error {
	if !wait(ctx, k.apply) {
		return ctx.Err()
	}
	return k.Firewall.Apply(ctx, c)
}

func (k slowKernel) Read(ctx context.Context, f platform.Family, table string) (platform.Table, error) {
	if !wait(ctx, k.read) {
		return platform.Table{}, ctx.Err()
	}
	return k.Firewall.Read(ctx, f, table)
}

// A kernel that takes seconds for each of many steps is no hang: an agent that is
// killed meanwhile would begin with them again, and be killed again.
func TestSlowKernelIsNoHang(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		o := w.options(wardPolicy(t))
		o.Firewall = slowKernel{w.fw, 9 * time.Second, 9 * time.Second}
		w.run(o)
		if hung, after := healthtest.Watch(w.board, 5*time.Minute, w.host.Clock.Mono); hung != nil {
			t.Errorf("after %s: %v", after, hung)
			return
		}
		w.enforced("slowly")
	})
}
