package enforce

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

// saboteur lets a fault happen to one of the calls, and looks at the packets
// after each.
type saboteur struct {
	*fake.Firewall
	fault   fake.Fault
	at      int // which call of the faulty kind
	applies int
	reads   atomic.Int64 // the agent's goroutine counts, the test's looks
	look    func()
}

func (s *saboteur) Apply(ctx context.Context, c platform.Change) error {
	if s.applies++; s.applies == s.at && s.fault < fake.FailedRead {
		s.Inject(s.fault)
	}
	err := s.Firewall.Apply(ctx, c)
	s.look()
	return err
}

func (s *saboteur) Read(ctx context.Context, f platform.Family, name string) (platform.Table, error) {
	if s.reads.Add(1) == int64(s.at) && s.fault >= fake.FailedRead {
		s.Inject(s.fault)
	}
	return s.Firewall.Read(ctx, f, name)
}

func faults() map[string]fake.Fault {
	return map[string]fake.Fault{"lost ack": fake.LostAck, "lost request": fake.LostRequest, "refused": fake.Refused, "too large": fake.TooLarge,
		"truncated": fake.Truncated, "foreign flush": fake.ForeignFlush, "failed read": fake.FailedRead, "stale read": fake.StaleRead}
}

// TestFaultsAtEveryStep injects each fault into each transaction and reading of
// a first load, of a change of devices and of a change of policy. In the end the
// rules are right; in between nothing that the policy allows is cut, and once
// enforced nothing leaks but where a stranger removed the rules.
func TestFaultsAtEveryStep(t *testing.T) {
	for name, fault := range faults() {
		for _, what := range []string{"load", "devices", "policy"} {
			t.Run(name+" "+what, func(t *testing.T) {
				for at := 1; at <= 12; at++ {
					faultAt(t, fault, what, at)
				}
			})
		}
	}
}

func faultAt(t *testing.T, fault fake.Fault, what string, at int) {
	inBubble(t, func(t *testing.T, w *ward) {
		enforced := what == "policy"
		ward := many(20) // so that half of a set is not all of it
		last := packet{"w2", "w1", strangerMAC, ward[len(ward)-1].MAC, "10.20.7.66", "10.21.0.19", 445}
		w.inv.set(ward...)
		if what == "devices" {
			w.inv.set()
		}
		s := &saboteur{Firewall: w.fw, look: func() {}}
		o := w.options(wardPolicy(t))
		o.Firewall = s
		if what != "load" {
			w.run(o)
			w.settle()
		}
		s.fault, s.at, s.applies = fault, at, 0
		s.reads.Store(0)
		s.look = func() {
			if !w.passes(clinical) || !w.passes(printing) || !w.passes(calling) {
				t.Errorf("after transaction %d: cut: clinical %v, printing %v, calling %v", s.applies, w.passes(clinical), w.passes(printing), w.passes(calling))
			}
			if enforced && fault != fake.ForeignFlush && (w.passes(telnet) || w.passes(smb) || w.passes(last)) {
				t.Errorf("after transaction %d: leaks", s.applies)
			}
		}
		switch what {
		case "load":
			w.run(o)
		case "devices":
			w.inv.set(ward...)
		case "policy":
			w.task.use(changedPolicy(t))
		}
		// At once, not after a while: one fault is no reason to wait.
		time.Sleep(2 * settleTime)
		synctest.Wait()
		w.enforced(fmt.Sprintf("at %d, at once", at))
		if w.passes(last) {
			t.Errorf("at %d, at once: the last printer is open", at)
		}
		w.settle()
		time.Sleep(time.Minute)
		w.settle()
		if p := w.fw.Pending(); s.applies >= at && fault < fake.FailedRead && len(p) > 0 {
			t.Errorf("fault %v did not happen", p)
		}
		w.enforced(fmt.Sprintf("at %d", at))
		if got := policy.Generations(w.table()); len(got) != 1 {
			t.Errorf("at %d: generations %v are left", at, got)
		}
		if c := w.board.Conditions(); len(c) > 0 {
			t.Errorf("at %d: conditions %+v", at, c)
		}
	})
}

// many is a ward of n printers.
func many(n int) []device.Device {
	out := wardDevices()
	for i := range n {
		out = append(out, confirmed(fact.MAC{0, 0x11, 0x22, 9, byte(i >> 8), byte(i)}, "printer", fmt.Sprintf("10.21.%d.%d", i>>8, i&255)))
	}
	return out
}

func TestTrap02TruncatedSet(t *testing.T) {
	// Committed without half of the elements, and no error.
	inBubble(t, func(t *testing.T, w *ward) {
		w.inv.set(many(600)...)
		w.fw.Inject(fake.Truncated, fake.Truncated, fake.Truncated)
		w.start(wardPolicy(t))
		w.enforced("after truncated commits")
		for _, s := range w.table().Sets {
			if s.Name == "device_1" || s.Name == "device_2" || s.Name == "device_3" || s.Name == "device_4" {
				if len(s.Elements) != 603 {
					t.Errorf("set %s has %d elements, want 603", s.Name, len(s.Elements))
				}
			}
		}
		if p := w.fw.Pending(); len(p) > 0 {
			t.Errorf("faults %v did not happen", p)
		}
	})
}

func TestTrap03ErrorAlthoughCommitted(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.fw.Inject(fake.LostAck, fake.LostAck, fake.LostAck, fake.LostAck)
		w.start(wardPolicy(t))
		w.enforced("after errors without a cause")
		if n, _ := policy.Confirmed(w.table()); n != 1 {
			t.Errorf("generation %d: what was committed was done again", n)
		}
	})
}

func TestTrap08FlipNotReplace(t *testing.T) {
	// No transaction takes away what is in force: the flip alone does, and it
	// touches nothing but one rule.
	inBubble(t, func(t *testing.T, w *ward) {
		var flips int
		s := &spy{Firewall: w.fw}
		o := w.options(wardPolicy(t))
		o.Firewall = s
		w.run(o)
		w.settle()
		s.look = func(c platform.Change) {
			current, _ := policy.Confirmed(w.table())
			flip := slices.ContainsFunc(c.Steps, func(x platform.Step) bool { return x.FlushChain == policy.ChainConfirmed })
			if flip {
				flips++
				if len(c.Steps) != 2 {
					t.Errorf("the flip has %d steps", len(c.Steps))
				}
			}
			for _, x := range c.Steps {
				if x.DeleteTable != nil {
					t.Error("the table was deleted")
				}
				for _, name := range []string{x.FlushChain, x.DeleteChain, x.DeleteSet} {
					if name == "gen_1" && current == 1 {
						t.Error("the generation in force was touched")
					}
				}
			}
		}
		w.task.use(changedPolicy(t))
		w.settle()
		if flips != 1 {
			t.Errorf("%d flips", flips)
		}
	})
}

// spy looks at each change before it is applied.
type spy struct {
	*fake.Firewall
	look func(platform.Change)
}

func (s *spy) Apply(ctx context.Context, c platform.Change) error {
	if s.look != nil {
		s.look(c)
	}
	return s.Firewall.Apply(ctx, c)
}

func TestTooLargeIsSplit(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.inv.set(many(900)...)
		s := &narrow{Firewall: w.fw, most: 600}
		o := w.options(wardPolicy(t))
		o.Firewall = s
		w.run(o)
		w.settle()
		w.enforced("over a narrow socket")
		if s.refused == 0 {
			t.Error("nothing was too large: the test proves nothing")
		}
	})
}

// narrow is a firewall whose transactions hold few elements.
type narrow struct {
	*fake.Firewall
	most, refused int
}

func (n *narrow) Apply(ctx context.Context, c platform.Change) error {
	sum := 0
	for _, s := range c.Steps {
		switch {
		case s.AddSet != nil:
			sum += len(s.AddSet.Elements)
		case s.AddElements != nil:
			sum += len(s.AddElements.Elements)
		case s.DeleteElements != nil:
			sum += len(s.DeleteElements.Elements)
		}
	}
	if sum > n.most {
		n.refused++
		return fmt.Errorf("%d elements: %w", sum, platform.ErrTooLarge)
	}
	return n.Firewall.Apply(ctx, c)
}

func TestManyDevicesComeAsAGeneration(t *testing.T) {
	inBubble(t, func(t *testing.T, w *ward) {
		w.start(wardPolicy(t))
		w.inv.set(many(1500)...)
		w.settle()
		w.enforced("with many devices")
		if n, _ := policy.Confirmed(w.table()); n != 2 {
			t.Errorf("generation %d, want 2", n)
		}
	})
}

// TestSplitKeepsReplacementsTogether: an element of an allow-list and what takes
// its place are exchanged in one transaction.
func TestSplitKeepsReplacementsTogether(t *testing.T) {
	change := func(set string, n int) []platform.Step {
		e := platform.SetElements{Set: set, Elements: make([]platform.Element, n)}
		return []platform.Step{{DeleteElements: &e}, {AddElements: &e}}
	}
	for _, tx := range split(slices.Concat(change("a", 3), change("b", 4), change("c", 5), change("d", 1)), 10) {
		balance := map[string]int{}
		for _, s := range tx {
			if s.DeleteElements != nil {
				balance[s.DeleteElements.Set]++
			} else {
				balance[s.AddElements.Set]--
			}
		}
		for set, n := range balance {
			if n != 0 {
				t.Errorf("set %s is half exchanged by %d steps", set, len(tx))
			}
		}
	}
}

func TestSplitKeepsAll(t *testing.T) {
	els := func(n int) []platform.Element {
		out := make([]platform.Element, n)
		for i := range out {
			out[i].Key = fmt.Sprint(i)
		}
		return out
	}
	steps := []platform.Step{
		{AddChain: &platform.Chain{Name: "c"}}, {AddSet: &platform.Set{Name: "s", Elements: els(25)}}, {AddSet: &platform.Set{Name: "t", Elements: els(3)}},
		{DeleteElements: &platform.SetElements{Set: "u", Elements: els(11)}}, {FlushChain: "d"},
	}
	got := map[string]int{}
	for _, tx := range split(steps, 10) {
		n := 0
		for _, s := range tx {
			switch {
			case s.AddSet != nil:
				n += len(s.AddSet.Elements)
				got[s.AddSet.Name] += len(s.AddSet.Elements)
			case s.AddElements != nil:
				n += len(s.AddElements.Elements)
				got[s.AddElements.Set] += len(s.AddElements.Elements)
			case s.DeleteElements != nil:
				n += len(s.DeleteElements.Elements)
				got[s.DeleteElements.Set] += len(s.DeleteElements.Elements)
			}
		}
		if n > 10 {
			t.Errorf("a transaction of %d elements", n)
		}
	}
	if got["s"] != 25 || got["t"] != 3 || got["u"] != 11 {
		t.Errorf("elements %v", got)
	}
}
