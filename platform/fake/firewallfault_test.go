package fake_test

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
	"github.com/wardkeeper/wardkeeper/platform/fake"
	"github.com/wardkeeper/wardkeeper/platform/hosttest"
)

// devices is a table with a set of n devices and a rule.
func devices(n byte) platform.Table {
	t := platform.Table{
		Family: platform.FamilyBridge, Name: "t",
		Sets: []platform.Set{{Name: "devices", Key: []platform.KeyType{platform.KeyEtherAddr}}},
		Chains: []platform.Chain{{
			Name: "forward", Hook: &platform.Hook{Point: platform.HookForward, Priority: -200},
			Rules: []platform.Rule{
				{Comment: "one", Matches: []platform.Match{{Fields: []platform.Field{platform.EtherSaddr}, Op: platform.OpIn, Set: "devices"}}, Verdict: platform.Verdict{Kind: platform.Drop}},
				{Comment: "two", Verdict: platform.Verdict{Kind: platform.Accept}},
			},
		}},
	}
	for i := range n {
		t.Sets[0].Elements = append(t.Sets[0].Elements, platform.Element{Key: platform.MACKey(hosttest.MAC(i))})
	}
	return t
}

// TestFaults pins down what each fault does to an Apply and the Read after it.
func TestFaults(t *testing.T) {
	old, replacement := devices(2), devices(4)
	truncated := devices(2)
	tests := []struct {
		name  string
		fault fake.Fault
		err   error // of Apply, nil for none
		want  platform.Table
	}{
		{"lost acknowledgement", fake.LostAck, platform.ErrStateUnknown, replacement},
		{"lost request", fake.LostRequest, platform.ErrStateUnknown, old},
		{"refused", fake.Refused, nil, old},
		{"too large", fake.TooLarge, platform.ErrTooLarge, old},
		{"truncated", fake.Truncated, nil, truncated},
		{"foreign flush", fake.ForeignFlush, nil, platform.Table{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fw := fake.NewFirewall(&clock{})
			changed, err := fw.Watch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := fw.Apply(t.Context(), old.Load()); err != nil {
				t.Fatal(err)
			}
			fw.Inject(tt.fault)
			err = fw.Apply(t.Context(), replacement.Load())
			if (err == nil) != (tt.fault == fake.Truncated || tt.fault == fake.ForeignFlush) || tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if tt.fault == fake.Refused && (errors.Is(err, platform.ErrStateUnknown) || errors.Is(err, platform.ErrTooLarge)) {
				t.Errorf("error %v", err)
			}
			if len(fw.Pending()) != 0 {
				t.Errorf("pending %v", fw.Pending())
			}
			got, err := fw.Read(t.Context(), platform.FamilyBridge, "t")
			if tt.fault == fake.ForeignFlush {
				select {
				case <-changed:
				default:
					t.Error("not told of the flush")
				}
				if !errors.Is(err, platform.ErrNoTable) {
					t.Errorf("read: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want.Static(), got.Static()); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestReadFaults(t *testing.T) {
	fw := fake.NewFirewall(&clock{})
	if err := fw.Apply(t.Context(), devices(4).Load()); err != nil {
		t.Fatal(err)
	}
	fw.Inject(fake.FailedRead, fake.StaleRead)
	if _, err := fw.Read(t.Context(), platform.FamilyBridge, "t"); err == nil || errors.Is(err, platform.ErrNoTable) {
		t.Errorf("failed read: %v", err)
	}
	stale, err := fw.Read(t.Context(), platform.FamilyBridge, "t")
	if err != nil {
		t.Fatal(err)
	}
	want := devices(2)
	want.Chains[0].Rules = want.Chains[0].Rules[:1]
	if diff := cmp.Diff(want.Static(), stale.Static()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if whole, err := fw.Read(t.Context(), platform.FamilyBridge, "t"); err != nil || !cmp.Equal(whole.Static(), devices(4).Static()) {
		t.Errorf("the read after: %v", err)
	}
}

func TestOverlapLost(t *testing.T) {
	fw := fake.NewFirewall(&clock{})
	table := devices(0)
	table.Sets = append(table.Sets, platform.Set{
		Name: "boxes", Interval: true, Key: []platform.KeyType{platform.KeyIPv4, platform.KeyService},
		Elements: []platform.Element{
			{Key: "\x0a\x00\x00\x00\x00\x50", KeyEnd: "\x0a\x00\x00\xff\x00\x50"},
			{Key: "\x0a\x00\x00\x00\x00\x40", KeyEnd: "\x0a\x00\xff\xff\x00\x60"},
		},
	})
	if err := fw.Apply(t.Context(), table.Load()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("overlap: %v", err)
	}
	fw.Inject(fake.OverlapLost)
	if err := fw.Apply(t.Context(), table.Load()); err != nil {
		t.Fatal(err)
	}
	got, err := fw.Read(t.Context(), platform.FamilyBridge, "t")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Sets[0].Elements); n != 1 {
		t.Errorf("%d elements, want the first only", n)
	}
}

func TestDecide(t *testing.T) {
	fw := fake.NewFirewall(&clock{mono: time.Hour})
	table := devices(2)
	if err := fw.Apply(t.Context(), table.Load()); err != nil {
		t.Fatal(err)
	}
	frame := func(n byte) []byte {
		return hosttest.Ethernet(hosttest.MAC(9), hosttest.MAC(n), 0x0800, make([]byte, 46))
	}
	for _, tt := range []struct {
		name  string
		frame []byte
		want  fake.Decision
	}{
		{"in the set", frame(1), fake.Decision{Chain: "forward", Rule: 0, Comment: "one"}},
		{"not in the set", frame(5), fake.Decision{Accepted: true, Chain: "forward", Rule: 1, Comment: "two"}},
		{"no frame", []byte{1}, fake.Decision{Rule: -1}},
	} {
		if diff := cmp.Diff(tt.want, fw.Decide(fake.Packet{Frame: tt.frame, In: "w1", Out: "w2"})); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", tt.name, diff)
		}
	}
	fw.FlushRuleset()
	if diff := cmp.Diff(fake.Decision{Accepted: true, Rule: -1}, fw.Decide(fake.Packet{Frame: frame(1), In: "w1", Out: "w2"})); diff != "" {
		t.Errorf("without rules: want -, got +:\n%s", diff)
	}
	// Priority 0 behind br_netfilter is no protection (trap 1).
	table.Chains[0].Hook.Priority = 0
	if err := fw.Apply(t.Context(), table.Load()); err != nil {
		t.Fatal(err)
	}
	fw.BridgeNetfilter(true)
	if !fw.Decide(fake.Packet{Frame: frame(1), In: "w1", Out: "w2"}).Accepted {
		t.Error("br_netfilter does not bypass priority 0")
	}
	arp := hosttest.Ethernet(hosttest.MAC(9), hosttest.MAC(1), 0x0806, make([]byte, 46))
	if fw.Decide(fake.Packet{Frame: arp, In: "w1", Out: "w2"}).Accepted {
		t.Error("br_netfilter bypasses more than IP")
	}
}

// FuzzDecide: no frame may upset the interpreter.
func FuzzDecide(f *testing.F) {
	f.Add(hosttest.Tag(hosttest.Ethernet(hosttest.MAC(1), hosttest.MAC(2), 0x0800, hosttest.IPv4("10.0.0.1", "10.0.0.2", 17, 0, hosttest.UDP(1, 2, nil))), 0x8100, 1))
	f.Add(hosttest.Ethernet(hosttest.MAC(1), hosttest.MAC(2), 0x86dd, hosttest.IPv6("fd00::1", "fd00::2", 0, hosttest.Options(44, hosttest.Fragment(6, 8, hosttest.TCP(1, 2, 0))))))
	var rules []platform.Rule
	for field := platform.MetaProtocol; field.Len() > 0; field++ {
		if field == platform.ICMPv6Type || field == platform.ARPOp {
			continue
		}
		rules = append(rules, platform.Rule{
			Log:     &platform.Log{Group: 1, Snaplen: 64},
			Matches: []platform.Match{{Fields: []platform.Field{field}, Op: platform.OpNeq, Value: string(make([]byte, field.Len()))}},
		})
	}
	table := devices(1)
	table.Chains[0].Rules = rules
	fw := fake.NewFirewall(&clock{})
	if err := fw.Apply(f.Context(), table.Load()); err != nil {
		f.Fatal(err)
	}
	log, err := fw.Logged(1)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, frame []byte) {
		fw.Decide(fake.Packet{Frame: frame, In: "w1", Out: "w2"})
		for {
			if _, err := log.Next(0); err != nil {
				break
			}
		}
	})
}
