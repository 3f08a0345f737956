package enforce

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/health"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// What happens to an agent must cut no life-sustaining device off its clinical
// peers: not at the end, and not for one packet in between.

// answering is what the pump's server sends.
var answering = packet{uplink, "w1", routerMAC, pumpMAC, "10.20.3.5", "10.20.7.11", 40001}

// uncut fails where the pump and its server do not reach each other.
func (w *ward) uncut(when string) {
	w.t.Helper()
	if !w.passes(clinical) || !w.passes(answering) {
		w.t.Errorf("%s: cut: from the pump passes %v, to it %v", when, w.passes(clinical), w.passes(answering))
	}
}

// fatal is a firewall that kills the agent with one of its transactions: before
// it is committed, or after.
type fatal struct {
	*fake.Firewall
	at, applies int
	after       bool
	kill        context.CancelFunc
	look        func()
}

func (f *fatal) Apply(ctx context.Context, c platform.Change) error {
	f.applies++
	dies := f.applies == f.at
	if dies && !f.after {
		f.kill()
		return context.Canceled
	}
	err := f.Firewall.Apply(ctx, c)
	f.look()
	if dies {
		f.kill()
		return context.Canceled
	}
	return err
}

// TestKilledBetweenTransactions: the agent dies before or after each of the
// transactions of a first load, a change of devices and a change of policy, and
// another starts on what is there.
func TestKilledBetweenTransactions(t *testing.T) {
	for _, what := range []string{"load", "devices", "policy"} {
		deaths := 0
		for at := 1; at <= 8; at++ {
			for _, after := range []bool{false, true} {
				inBubble(t, func(t *testing.T, w *ward) {
					when := fmt.Sprintf("%s, transaction %d, committed %v", what, at, after)
					p := wardPolicy(t)
					if what != "load" {
						w.start(p)
						w.stop()
					}
					switch what {
					case "devices":
						w.inv.set(many(30)[1:]...) // the pump's record is gone, others came
					case "policy":
						p = changedPolicy(t)
					}
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					o := w.options(p)
					f := &fatal{Firewall: w.fw, at: at, after: after, kill: cancel, look: func() { w.uncut(when) }}
					o.Firewall = f
					done := make(chan error, 1)
					go func() { done <- New(o).Run(ctx) }()
					w.settle()
					if f.applies >= at {
						deaths++
					}
					cancel()
					if err := <-done; err != nil {
						t.Error(err)
					}
					w.uncut(when + ": dead")
					time.Sleep(time.Hour)
					w.uncut(when + ": dead for long")
					w.inv.set(many(30)...)
					w.start(p)
					w.enforced(when + ": started again")
					w.uncut(when + ": started again")
					if g := policy.Generations(w.table()); len(g) != 1 {
						t.Errorf("%s: generations %v are left", when, g)
					}
				})
			}
		}
		if deaths < 4 {
			t.Errorf("%s: %d deaths: the test proves little", what, deaths)
		}
	}
}

// TestRenewedLease: the addresses of a pump change, and the inventory knows it
// late or never.
func TestRenewedLease(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		there, back := clinical, answering
		there.from, back.to = "10.20.7.200", "10.20.7.200"
		fresh := func(when string) {
			t.Helper()
			if !w.passes(there) || !w.passes(back) {
				t.Errorf("%s: cut: from the pump passes %v, to it %v", when, w.passes(there), w.passes(back))
			}
		}
		fresh("before anybody knows")
		d := wardDevices()
		d[0].IPs = []netip.Addr{netip.MustParseAddr("10.20.7.200"), netip.MustParseAddr("10.20.7.11")}
		w.inv.set(d...)
		w.settle()
		fresh("once it is known")
		w.uncut("once it is known")
		d[0].IPs = nil
		w.inv.set(d...)
		w.settle()
		fresh("without an address")
		if w.passes(telnet) {
			t.Error("the fence has gone with the address")
		}
	})
}

// TestPolicyOfALowerVersion is taken as any other: it cuts nothing, and ends no
// pair, also where it names other peers.
func TestPolicyOfALowerVersion(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		s := &spy{Firewall: w.fw, look: func(platform.Change) { w.uncut("before a transaction") }}
		o := w.options(wardPolicy(t))
		o.Firewall = s
		w.run(o)
		w.settle()
		src := strings.Replace(string(wardPolicy(t).Source), "version = 4", "version = 2", 1)
		w.task.use(parse(t, []byte(strings.ReplaceAll(src, "10.20.3.5", "10.20.3.6"))))
		w.settle()
		w.uncut("under the lower version")
		if st := w.task.Status(); st.Version != 2 || st.Pairs != 2 {
			t.Errorf("status %+v", st)
		}
		if w.passes(telnet) || w.passes(smb) {
			t.Error("the lower version does not enforce")
		}
	})
}

// TestLostState: inventory, pairs and rules of before are gone, or cannot be
// read, with the kernel's rules still there or not. Nothing is cut; what is not
// known is not fenced in, and comes back with the devices.
func TestLostState(t *testing.T) {
	broken := disk{keyPairs: []byte("{"), keyConfirmed: []byte(`{"v":1,"policy":"version = 4\n[[segment]]\nname = \"infusion\"\nroles = [\"no-such-role\"]\n","uplink":"uplink"}`)}
	for name, c := range map[string]struct {
		disk   disk
		reboot bool
	}{
		"nothing is left": {disk{}, false}, "nothing is left, reboot": {disk{}, true},
		"nothing parses": {broken, false}, "nothing parses, reboot": {broken, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *ward) {
				w.start(wardPolicy(t))
				w.stop()
				again := w
				if c.reboot {
					again = newWard(t)
				}
				again.disk, again.inv = maps.Clone(c.disk), newShelf()
				s := &spy{Firewall: again.fw, look: func(platform.Change) { again.uncut("before a transaction") }}
				o := again.options(wardPolicy(t))
				o.Firewall = s
				again.run(o)
				again.settle()
				again.uncut("before the inventory is back")
				if !c.reboot && again.passes(telnet) {
					t.Error("rules were removed before the inventory was back")
				}
				close(again.inv.ready) // empty
				again.settle()
				if n := again.task.Status().Pairs; c.reboot != (n == 0) {
					t.Errorf("%d pairs: the kernel remembers them, unless it was started anew", n)
				}
				again.uncut("with an empty inventory")
				if !again.passes(smb) {
					t.Error("a device that is not known is fenced in")
				}
				told := slices.ContainsFunc(again.board.Conditions(), func(c health.Condition) bool { return c.Code == "enforce.forgotten" })
				if told {
					t.Error("something was forgotten, though nothing is kept to know it by")
				}
				again.inv.set(wardDevices()...)
				again.settle()
				again.enforced("the devices are back")
				again.uncut("the devices are back")
				again.stop()
				w.stop = nil
			})
		})
	}
}

// TestLostInventoryIsTold: the database is gone, the rules that were kept are not.
func TestLostInventoryIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.stop()
		w.inv.set()
		w.start(wardPolicy(t))
		w.uncut("without an inventory")
		said := func() (out []string) {
			for _, c := range w.board.Conditions() {
				out = append(out, c.Text)
			}
			return out
		}
		if diff := cmp.Diff([]string{"2 of 2 devices that were fenced in before the restart stand open until their role is confirmed again"}, said()); diff != "" {
			t.Errorf("conditions (-want +got)\n%s", diff)
		}
		unsure := wardDevices()
		unsure[1].Identity.Confidence = device.Likely
		w.inv.set(unsure...)
		w.settle()
		if diff := cmp.Diff([]string{"1 of 2 devices that were fenced in before the restart stand open until their role is confirmed again"}, said()); diff != "" {
			t.Errorf("conditions (-want +got)\n%s", diff)
		}
		w.inv.set(wardDevices()...)
		w.settle()
		w.enforced("all are back")
		w.inv.set(wardDevices()[:1]...) // one that leaves now was not forgotten
		w.settle()
		if got := said(); got != nil {
			t.Errorf("conditions %q", got)
		}
	})
}

// TestTooManyRulesChangeNothing: what a flood of made-up devices would make of
// the rules is refused; those in force stay, and it is told.
func TestTooManyRulesChangeNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		src := strings.Replace(string(wardPolicy(t).Source), `allow = [{ from = "any-internal"`, `allow = [{ to = "printers", services = ["tcp/9100"] }, { from = "any-internal"`, 1)
		w.start(parse(t, []byte(src)))
		w.enforced("before the flood")
		w.inv.set(many(1000)...)
		w.settle()
		w.enforced("in the flood")
		w.uncut("in the flood")
		if c := w.board.Conditions(); len(c) != 1 || c[0].Code != "enforce.compile" || !strings.Contains(c[0].Text, "set elements, at most") {
			t.Errorf("conditions %+v", c)
		}
		w.inv.set(wardDevices()...)
		time.Sleep(retryLongest)
		w.settle()
		if c := w.board.Conditions(); len(c) != 0 {
			t.Errorf("conditions %+v", c)
		}
	})
}

// brokenLinks cannot tell of a port.
type brokenLinks struct{ *fake.Ports }

func (brokenLinks) Link(string) (platform.Link, error) {
	return platform.Link{}, errors.New("no such port")
}

// TestPortsComeAndGo: rules do not name the ward's ports, so that none of them
// has to be there.
func TestPortsComeAndGo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		o := w.options(wardPolicy(t))
		o.Links = brokenLinks{w.host.Ports}
		w.run(o)
		w.settle()
		rolled, back := clinical, answering
		rolled.in, back.out = "w7", "w7"
		synctest.Wait()
		w.enforced("without ports")
		if !w.passes(rolled) || !w.passes(back) {
			t.Error("a pump that rolled to another port is cut")
		}
	})
}
