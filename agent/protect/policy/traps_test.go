package policy

// The traps of reference/enforcement.md §0 that the compiler must stay out of;
// 2, 3 and 8 are enforce's. The same on the kernel: cmd/wardlab.

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
)

func (r row) on(fw *fake.Firewall) bool {
	return fw.Decide(fake.Packet{Frame: r.frame.bytes(), In: r.in, Out: r.out}).Accepted
}

func rowNamed(t testing.TB, name string) row {
	t.Helper()
	for _, r := range rows() {
		if r.name == name {
			return r
		}
	}
	t.Fatalf("no row %q", name)
	return row{}
}

func TestTrap01PriorityZeroIsBypassed(t *testing.T) {
	table := compileLab(t).Table(1)
	telnet := rowNamed(t, "an outsider telnets to the pump")
	fw, _ := loadFake(t, table)
	fw.BridgeNetfilter(true)
	if telnet.on(fw) {
		t.Error("leaks with br_netfilter")
	}
	chainOf(t, &table, ChainForward).Hook = &platform.Hook{Point: platform.HookForward}
	fw, _ = loadFake(t, table)
	fw.BridgeNetfilter(true)
	if !telnet.on(fw) {
		t.Error("priority 0 is not bypassed: the test proves nothing")
	}
}

func TestTrap04OverlappingElements(t *testing.T) {
	for name, c := range map[string]*Compiled{"lab": compileLab(t), "wide": compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot())} {
		for _, s := range c.Table(1).Sets {
			if !s.Interval {
				continue
			}
			for i, a := range s.Elements {
				for _, b := range s.Elements[i+1:] {
					if overlap(s.Key, a, b) {
						t.Errorf("%s: set %s: %x-%x and %x-%x overlap", name, s.Name, a.Key, a.KeyEnd, b.Key, b.KeyEnd)
					}
				}
			}
		}
	}
}

// overlap reports whether two ranges share a point: in every field they must.
func overlap(key []platform.KeyType, a, b platform.Element) bool {
	end := func(e platform.Element) string {
		if e.KeyEnd == "" {
			return e.Key
		}
		return e.KeyEnd
	}
	at := 0
	for _, k := range key {
		to := at + k.Len()
		if end(a)[at:to] < b.Key[at:to] || end(b)[at:to] < a.Key[at:to] {
			return false
		}
		at = to
	}
	return true
}

func TestTrap05RenewedTimeout(t *testing.T) {
	fw, clock := loadFake(t, compileLab(t).Table(1))
	telnet := rowNamed(t, "an outsider telnets to the pump")
	open := func() {
		t.Helper()
		if err := fw.Apply(context.Background(), BreakGlass(10*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	open()
	clock.mono += 8 * time.Minute
	open()
	clock.mono += 8 * time.Minute
	if !telnet.on(fw) {
		t.Error("break-glass ended before the time of its renewal was over")
	}
	clock.mono += 3 * time.Minute
	if telnet.on(fw) {
		t.Error("break-glass did not end by itself")
	}
}

func TestTrap06TagsHideNothing(t *testing.T) {
	fw, _ := loadFake(t, compileLab(t).Table(1))
	for _, r := range rows() {
		if len(r.frame.vlans) > 0 {
			continue
		}
		r.frame = r.frame.vlan(30)
		if got := r.on(fw); got != r.pass {
			t.Errorf("%s, tagged: passes %v, want %v", r.name, got, r.pass)
		}
	}
}

func TestTrap07FragmentsFirst(t *testing.T) {
	fw, _ := loadFake(t, compileLab(t).Table(1))
	for _, r := range fragmentRows() {
		if got := r.on(fw); got != r.pass {
			t.Errorf("%s: passes %v, want %v", r.name, got, r.pass)
		}
	}
	// The other order leaks: TestMutationsAreNoticed.
	for _, name := range []string{"leave4_1", "reach4_1", "leave6_1", "reach6_1"} {
		table := compileLab(t).Table(1)
		rules := chainOf(t, &table, name).Rules
		last := 0
		for i, r := range rules {
			if contains(RuleText(r), "fragment&") {
				last = i
			}
		}
		port := slices.IndexFunc(rules, func(r platform.Rule) bool { return contains(RuleText(r), "port-") || contains(RuleText(r), "icmp") })
		if port < last {
			t.Errorf("chain %s reads a port in rule %d, before fragment rule %d", name, port, last)
		}
	}
}

func TestTrap09NothingToLose(t *testing.T) {
	// A connection that began before the rules goes on: no rule asks for state,
	// and no field could.
	fw, _ := loadFake(t, compileLab(t).Table(1))
	for _, name := range []string{"an association runs since before", "dns data over tcp", "central station asks the monitor"} {
		if !rowNamed(t, name).on(fw) {
			t.Errorf("%s: cut", name)
		}
	}
}

func TestTrap10LinkLayerOfDevices(t *testing.T) {
	fw, _ := loadFake(t, compileLab(t).Table(1))
	for _, name := range []string{"pump speaks 802.1x", "printer speaks lldp"} {
		if !rowNamed(t, name).on(fw) {
			t.Errorf("%s: cut", name)
		}
	}
	c := compile(t, parseFile(t, "wide.policy.toml"), wideSnapshot())
	fw, _ = loadFake(t, c.Table(1))
	if r := (row{in: w1, out: up, frame: ether("00:11:22:00:00:0a", "01:1b:19:00:00:00", etherPTP)}); !r.on(fw) {
		t.Error("PTP is cut where the policy names it")
	}
}
