package linux

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
	"github.com/wardkeeper/wardkeeper/platform/linux/rig"
)

// smallBuffer is what an ordinary Linux lets an unprivileged socket have
// (net.core.rmem_max).
const smallBuffer = 212992

// TestFirewallHarshHost runs the suite with both socket buffers capped, and where
// iptables sees bridged packets too, if the kernel can: at priority -200 nothing
// of it is bypassed.
func TestFirewallHarshHost(t *testing.T) {
	if testing.Short() {
		t.Skip("TestFirewall's suite again, with small buffers")
	}
	_, err := os.Stat("/proc/sys/net/bridge/bridge-nf-call-iptables")
	hosttest.Firewall(t, func(t *testing.T) hosttest.Rig { return openRig(t, smallBuffer, err == nil) })
}

// TestPriorityZeroIsBypassed is why our chains are not at priority 0 (trap 1):
// there a chain that was loaded before the first bridge never sees an IP packet.
// Only a namespace that has had no bridge yet can show it.
func TestPriorityZeroIsBypassed(t *testing.T) {
	if os.Getenv("WARDKEEPER_FIRST_BRIDGE") == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestPriorityZeroIsBypassed$", "-test.v")
		cmd.Env = append(rig.Fresh(), "WARDKEEPER_FIRST_BRIDGE=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	load := func(priority int32) func() {
		return func() {
			table := platform.Table{
				Family: platform.FamilyBridge, Name: "bench",
				Chains: []platform.Chain{{
					Name:  "forward",
					Hook:  &platform.Hook{Point: platform.HookForward, Priority: priority},
					Rules: []platform.Rule{{Verdict: platform.Verdict{Kind: platform.Drop}}},
				}},
			}
			if err := NewFirewall(FirewallOptions{}).Apply(t.Context(), table.Load()); err != nil {
				t.Fatal(err)
			}
		}
	}
	row := func(pass bool) []hosttest.Row {
		return []hosttest.Row{{
			Name: "udp", In: hosttest.Ward1, Want: map[string]bool{hosttest.Ward2: pass},
			Frame: hosttest.Ethernet(hosttest.MAC(2), hosttest.MAC(1), 0x0800, hosttest.IPv4("10.0.0.1", "10.0.0.2", 17, 0, hosttest.UDP(1, 2, nil))),
		}}
	}
	r := rig.Open(t, rig.Options{BridgeNetfilter: true, Before: load(0)})
	hosttest.EvalRows(t, r, row(true))
	load(-200)()
	hosttest.EvalRows(t, r, row(false))
}

// manyRules is a table of n rules.
func manyRules(n int) platform.Table {
	rules := make([]platform.Rule, n)
	for i := range rules {
		rules[i] = platform.Rule{Counter: true, Matches: []platform.Match{{
			Fields: []platform.Field{platform.MetaProtocol}, Op: platform.OpEq, Value: platform.Uint16Key(uint16(0x9000 + i)),
		}}}
	}
	return platform.Table{Family: platform.FamilyBridge, Name: "bench", Chains: []platform.Chain{{Name: "c", Rules: rules}}}
}

// TestLostAcknowledgements: with small buffers the kernel commits hundreds of
// rules and the socket loses its answers (trap 3). The error must say that the
// state is unknown, and a read over a fresh connection must see all of them.
func TestLostAcknowledgements(t *testing.T) {
	r := openRig(t, smallBuffer, false)
	fw := r.Firewall()
	var want platform.Table
	var err error
	for n := 400; err == nil && n <= 800; n += 100 { // how many fit is each kernel's own
		want = manyRules(n)
		err = fw.Apply(t.Context(), want.Load())
		t.Logf("%d rules: %v", n, err)
	}
	if !errors.Is(err, platform.ErrStateUnknown) {
		t.Fatalf("error %v, want %v", err, platform.ErrStateUnknown)
	}
	got, err := fw.Read(t.Context(), platform.FamilyBridge, "bench")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Static(), got.Static()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestTooLarge: a batch that does not fit the socket leaves no trace.
func TestTooLarge(t *testing.T) {
	r := openRig(t, smallBuffer, false)
	fw := r.Firewall()
	err := fw.Apply(t.Context(), manyRules(4000).Load())
	if !errors.Is(err, platform.ErrTooLarge) {
		t.Errorf("error %v, want %v", err, platform.ErrTooLarge)
	}
	if _, err := fw.Read(t.Context(), platform.FamilyBridge, "bench"); !errors.Is(err, platform.ErrNoTable) {
		t.Errorf("read: %v, want %v", err, platform.ErrNoTable)
	}
}

// TestLargeBuffers: with the buffers asked for, 4,000 rules are one transaction.
func TestLargeBuffers(t *testing.T) {
	if os.Getenv("WARDKEEPER_RIG_USERNS") != "" {
		t.Log("the kernel caps buffers in a user namespace: only the outcome is checked")
	}
	r := openRig(t, 0, false)
	fw := r.Firewall()
	want := manyRules(4000)
	if err := fw.Apply(t.Context(), want.Load()); err != nil && !errors.Is(err, platform.ErrStateUnknown) {
		t.Fatal(err)
	}
	got, err := fw.Read(t.Context(), platform.FamilyBridge, "bench")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Static(), got.Static()); diff != "" {
		t.Errorf("%d bytes of difference", len(diff))
	}
}

// TestForeignFlush: Watch tells of `nft flush ruleset`, by the library and by nft.
func TestForeignFlush(t *testing.T) {
	r := openRig(t, 0, false)
	fw := r.Firewall()
	changed, err := fw.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	flushes := map[string]func(){"library": r.FlushRuleset, "nft": func() { nft(t, "flush", "ruleset") }}
	for name, flush := range flushes {
		if err := fw.Apply(t.Context(), manyRules(3).Load()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		flush()
		select {
		case <-changed:
			t.Logf("%s: told %v after the flush began", name, time.Since(start))
		case <-time.After(2 * time.Second):
			t.Errorf("%s: not told", name)
		}
	}
}

// TestWatchEnds: the channel is closed with the context.
func TestWatchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	changed, err := openRig(t, 0, false).Firewall().Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case _, open := <-changed:
		if open {
			t.Error("a value instead of the end")
		}
	case <-time.After(2 * time.Second):
		t.Error("the channel stays open")
	}
}

// nft runs the nft command, for what only it can show.
func nft(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("nft is missing: apt-get install nftables")
		}
		t.Skip("nft is missing: apt-get install nftables")
	}
	out, err := exec.Command("nft", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("nft %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestNftReadsUs: nft lists what we loaded, in its own words, and what it lists
// can be loaded by nft and then reads back the same.
func TestNftReadsUs(t *testing.T) {
	r := openRig(t, 0, false)
	fw := r.Firewall()
	mac := platform.MACKey(hosttest.MAC(1))
	want := platform.Table{
		Family: platform.FamilyBridge, Name: "bench",
		Sets: []platform.Set{
			{Name: "boxes", Key: []platform.KeyType{platform.KeyEtherAddr, platform.KeyIPv4, platform.KeyProto, platform.KeyService}, Interval: true, Counter: true,
				Elements: []platform.Element{{Key: mac + "\x0a\x00\x00\x00\x06\x01\xbb", KeyEnd: mac + "\x0a\x00\x00\xff\x06\x01\xbb"}}},
			{Name: "devices", Key: []platform.KeyType{platform.KeyEtherAddr}, Elements: []platform.Element{{Key: mac}}},
			{Name: "peers", Key: []platform.KeyType{platform.KeyIfName, platform.KeyIPv4, platform.KeyEtherAddr},
				Elements: []platform.Element{{Key: platform.NameKey("uplink") + "\x0a\x00\x00\x01" + mac}}},
			{Name: "ports", Key: []platform.KeyType{platform.KeyService}, Interval: true, Elements: []platform.Element{{Key: "\x00\x50", KeyEnd: "\x00\x5a"}}},
			{Name: "types", Key: []platform.KeyType{platform.KeyIfType}, Map: true, Timeout: true},
		},
		Chains: []platform.Chain{
			{Name: "forward", Hook: &platform.Hook{Point: platform.HookForward, Priority: -200}, Rules: []platform.Rule{
				{VMap: &platform.VMap{Fields: []platform.Field{platform.MetaIIFType}, Map: "types"}},
				{Matches: []platform.Match{{Fields: []platform.Field{platform.EtherSaddr}, Op: platform.OpIn, Set: "devices"}}, Verdict: platform.Verdict{Kind: platform.Jump, Chain: "out"}},
				{Matches: []platform.Match{{Fields: []platform.Field{platform.MetaIIFName, platform.IPv4Saddr, platform.EtherDaddr}, Op: platform.OpIn, Set: "peers"}}, Verdict: platform.Verdict{Kind: platform.Accept}},
			}},
			{Name: "out", Rules: []platform.Rule{
				{Matches: []platform.Match{
					{Fields: []platform.Field{platform.MetaProtocol}, Op: platform.OpEq, Value: "\x08\x00"},
					{Fields: []platform.Field{platform.EtherSaddr, platform.IPv4Daddr, platform.MetaL4Proto, platform.THDport}, Op: platform.OpIn, Set: "boxes"},
				}, Counter: true, Verdict: platform.Verdict{Kind: platform.Return}, Comment: "allowed"},
				{Limit: &platform.Limit{PerSecond: 50, Burst: 100}, Log: &platform.Log{Group: 7, Snaplen: 128, Prefix: "wk d"}, Counter: true, Verdict: platform.Verdict{Kind: platform.Drop}},
			}},
		},
	}
	if err := fw.Apply(t.Context(), want.Load()); err != nil {
		t.Fatal(err)
	}
	listed := nft(t, "-s", "-nn", "list", "table", "bridge", "bench")
	for _, part := range []string{
		"type ether_addr . ipv4_addr . inet_proto . inet_service", "02:00:00:00:00:01 . 10.0.0.0/24 . 6 . 443", "80-90",
		"type filter hook forward priority -200; policy accept;", "iiftype vmap @types", "ether saddr @devices jump out",
		`"uplink" . 10.0.0.1 . 02:00:00:00:00:01`, `ether saddr . ip daddr . meta l4proto . th dport @boxes counter return comment "allowed"`,
		`limit rate 50/second burst 100 packets log prefix "wk d" group 7 snaplen 128 counter drop`,
	} {
		if !strings.Contains(listed, part) {
			t.Errorf("nft does not list %s", part)
		}
	}
	if t.Failed() {
		t.Log(listed)
	}
	if err := fw.Apply(t.Context(), want.Load()); err != nil {
		t.Fatal(err)
	}
	if again := nft(t, "-s", "-nn", "list", "table", "bridge", "bench"); again != listed {
		t.Errorf("applied twice, nft lists another table:\n%s", cmp.Diff(listed, again))
	}
}

// TestForeignRules: what our words cannot say reads back as foreign, not as a
// wider rule of ours.
func TestForeignRules(t *testing.T) {
	r := openRig(t, 0, false)
	fw := r.Firewall()
	if err := fw.Apply(t.Context(), manyRules(1).Load()); err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{
		"vlan id 5 drop", "ether type ip drop", "meta mark 7 accept", "tcp dport 1-5 drop", "limit rate 5/minute drop",
		"counter ether saddr 02:00:00:00:00:01 drop", "ip ttl 5 drop", "numgen random mod 2 0 drop", "meta mark set 5",
	} {
		nft(t, "flush", "chain", "bridge", "bench", "c")
		args := append([]string{"add", "rule", "bridge", "bench", "c"}, strings.Fields(rule)...)
		nft(t, args...)
		got, err := fw.Read(t.Context(), platform.FamilyBridge, "bench")
		if err != nil {
			t.Fatal(err)
		}
		if rules := got.Chains[0].Rules; len(rules) != 1 || !rules[0].Foreign {
			t.Errorf("%s: read back as %+v", rule, rules)
		}
	}
	// An expression that has no matches in front of it, but no place in a rule of ours.
	conn, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	table := &nftables.Table{Family: nftables.TableFamilyBridge, Name: "bench"}
	conn.AddRule(&nftables.Rule{Table: table, Chain: &nftables.Chain{Table: table, Name: "c"}, Exprs: []expr.Any{
		&expr.Quota{Bytes: 5}, &expr.Verdict{Kind: expr.VerdictDrop},
	}})
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	got, err := fw.Read(t.Context(), platform.FamilyBridge, "bench")
	if err != nil {
		t.Fatal(err)
	}
	if last := got.Chains[0].Rules[len(got.Chains[0].Rules)-1]; !last.Foreign {
		t.Errorf("quota: %+v", last)
	}
}

// TestApplyEndsWithItsContext: a context that is over stops the exchange.
func TestApplyEndsWithItsContext(t *testing.T) {
	r := openRig(t, 0, false)
	fw := r.Firewall()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := fw.Apply(ctx, manyRules(1).Load()); !errors.Is(err, context.Canceled) || errors.Is(err, platform.ErrStateUnknown) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if err := fw.Apply(t.Context(), manyRules(1).Load()); err != nil {
		t.Errorf("the next change: %v", err)
	}
}
