package hosttest

import (
	"errors"
	"io/fs"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

func testAtomicity(b *bench) {
	t := devices(platform.Set{Elements: []platform.Element{one(0)}})
	t.Sets = append(t.Sets, platform.Set{
		Name: "boxes", Interval: true, Key: []platform.KeyType{platform.KeyIPv4, platform.KeyService},
		Elements: []platform.Element{{Key: "\x0a\x00\x00\x00\x00\x50", KeyEnd: "\x0a\x00\x00\xff\x00\x5a"}},
	}, platform.Set{
		Name: "ranges", Interval: true, Key: []platform.KeyType{platform.KeyService},
		Elements: []platform.Element{{Key: "\x00\x10", KeyEnd: "\x00\x20"}},
	})
	b.load(t)
	two := platform.Element{Key: platform.MACKey(MAC(2))}
	good := platform.Step{AddElements: elements(two)}
	b.refuse(fs.ErrNotExist, good, platform.Step{DeleteElements: elements(platform.Element{Key: platform.MACKey(MAC(3))})})
	b.refuse(fs.ErrNotExist, good, platform.Step{AddChain: &platform.Chain{Name: "new", Rules: []platform.Rule{{Verdict: jump("nowhere")}}}})
	b.refuse(fs.ErrNotExist, good, platform.Step{AddChain: &platform.Chain{Name: "new", Rules: []platform.Rule{drop(in("nothing", platform.EtherSaddr))}}})
	b.refuse(fs.ErrNotExist, good, platform.Step{AddElements: &platform.SetElements{Set: "nothing", Elements: []platform.Element{two}}})
	b.refuse(fs.ErrNotExist, good, platform.Step{FlushChain: "nowhere"})
	b.refuse(fs.ErrNotExist, good, platform.Step{DeleteChain: "nowhere"})
	b.refuse(fs.ErrNotExist, good, platform.Step{DeleteSet: "nothing"})
	b.refuse(nil, good, platform.Step{DeleteSet: "devices"})
	b.refuse(fs.ErrExist, good, platform.Step{AddElements: &platform.SetElements{Set: "boxes", Elements: []platform.Element{
		{Key: "\x0a\x00\x00\x80\x00\x55", KeyEnd: "\x0a\x00\x01\xff\x00\x56"},
	}}})
	b.refuse(fs.ErrExist, good, platform.Step{AddElements: &platform.SetElements{Set: "ranges", Elements: []platform.Element{
		{Key: "\x00\x18", KeyEnd: "\x00\x30"},
	}}})
	b.refuse(nil, good, platform.Step{AddChain: &platform.Chain{Name: "new", Rules: []platform.Rule{drop(in("devices", platform.IPv6Saddr))}}})
	b.refuse(fs.ErrExist, platform.Step{AddSet: &platform.Set{Name: "devices", Key: []platform.KeyType{platform.KeyIPv6}}})
	b.refuse(nil, good, platform.Step{AddChain: &platform.Chain{Name: "a"}},
		platform.Step{AddChain: &platform.Chain{Name: "b", Rules: []platform.Rule{{Verdict: jump("a")}}}},
		platform.Step{AddChain: &platform.Chain{Name: "a", Rules: []platform.Rule{{Verdict: jump("b")}}}},
		platform.Step{AddChain: &platform.Chain{Name: "forward", Rules: []platform.Rule{{Verdict: jump("a")}}}})
	// The same elements again are fine, and so is add and delete in one.
	b.apply(platform.Step{AddElements: elements(one(0), two)})
	b.apply(platform.Step{AddElements: elements(one(0), two)}, platform.Step{DeleteElements: elements(two)}, good)
	if err := b.fw.Apply(b.ctx, platform.Change{Family: platform.FamilyBridge, Table: "other", Steps: []platform.Step{{FlushChain: "forward"}}}); !errors.Is(err, fs.ErrNotExist) {
		b.Errorf("flush in a missing table: %v", err)
	}
	if _, err := b.fw.Read(b.ctx, platform.FamilyBridge, "other"); !errors.Is(err, platform.ErrNoTable) {
		b.Errorf("read other table: %v", err)
	}
}

// testReplacement rebuilds parts of a table in one transaction.
func testReplacement(b *bench) {
	t := devices(platform.Set{Elements: []platform.Element{one(0)}})
	b.load(t)
	b.apply(
		platform.Step{FlushChain: "forward"},
		platform.Step{DeleteSet: "devices"},
		platform.Step{AddSet: &platform.Set{Name: "devices", Key: []platform.KeyType{platform.KeyEtherAddr}, Elements: []platform.Element{{Key: platform.MACKey(MAC(2))}}}},
		platform.Step{AddChain: &platform.Chain{Name: "forward", Rules: []platform.Rule{drop(in("devices", platform.EtherDaddr))}}},
		platform.Step{AddChain: &platform.Chain{Name: "more", Rules: []platform.Rule{drop()}}},
		platform.Step{AddChain: &platform.Chain{Name: "forward", Rules: []platform.Rule{{Matches: []platform.Match{etherType(0x88b6)}, Verdict: jump("more")}}}},
	)
	b.want(false, "to device 2", plain(1))
	b.want(true, "to device 3", Ethernet(MAC(3), MAC(1), 0x88b5, make([]byte, 46)))
	b.want(false, "appended rule", Ethernet(MAC(3), MAC(1), 0x88b6, make([]byte, 46)))
	b.refuse(nil, platform.Step{DeleteChain: "more"})
	b.apply(platform.Step{FlushChain: "forward"}, platform.Step{DeleteChain: "more"}, platform.Step{DeleteSet: "devices"})
	if diff := cmp.Diff(table(nil).Static(), b.read().Static()); diff != "" {
		b.Errorf("want -, got +:\n%s", diff)
	}
}

// testFlip changes generations under traffic: nothing that both allow is lost,
// nothing that both deny leaks.
func testFlip(b *bench) {
	b.load(table([]platform.Rule{{Verdict: jump("dispatch")}}, platform.Chain{Name: "dispatch"}))
	generation := func(name string) []platform.Step {
		return []platform.Step{
			{AddSet: &platform.Set{Name: "deny_" + name, Interval: true, Key: []platform.KeyType{platform.KeyEtherAddr, platform.KeyEtherType},
				Elements: []platform.Element{{Key: platform.MACKey(MAC(1)) + "\x88\xb6", KeyEnd: platform.MACKey(MAC(1)) + "\x88\xb7"}}}},
			{AddChain: &platform.Chain{Name: "gen_" + name, Rules: []platform.Rule{drop(in("deny_"+name, platform.EtherSaddr, platform.MetaProtocol))}}},
		}
	}
	flip := func(to string) []platform.Step {
		return []platform.Step{
			{FlushChain: "dispatch"},
			{AddChain: &platform.Chain{Name: "dispatch", Rules: []platform.Rule{{Verdict: jump("gen_" + to)}}}},
		}
	}
	b.apply(generation("0")...)
	b.apply(flip("0")...)
	var flips atomic.Int64
	stop, done := make(chan struct{}), make(chan error)
	go func() {
		names := []string{"0", "1"}
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			old, next := names[flips.Load()%2], names[(flips.Load()+1)%2]
			for _, steps := range [][]platform.Step{generation(next), flip(next), {{DeleteChain: "gen_" + old}, {DeleteSet: "deny_" + old}}} {
				if err := b.fw.Apply(b.ctx, change(steps...)); err != nil {
					done <- err
					return
				}
			}
			flips.Add(1)
		}
	}()
	allowed, denied := plain(1), Ethernet(MAC(2), MAC(1), 0x88b6, make([]byte, 46))
	frames, lost, leaked := 0, 0, 0
	for ; frames < 2000 || flips.Load() < 20; frames++ {
		b.rig.Send(Ward1, denied)
		b.rig.Send(Ward1, allowed)
		switch got := b.rig.Receive(Ward2, patience); {
		case got == nil:
			lost++
		case slices.Equal(got, denied):
			leaked++
		}
		select {
		case err := <-done:
			b.Fatal(err)
		default:
		}
	}
	close(stop)
	if err := <-done; err != nil {
		b.Error(err)
	}
	if lost+leaked != 0 {
		b.Errorf("%d lost, %d leaked", lost, leaked)
	}
	b.Logf("%d flips, %d frames", flips.Load(), frames)
}

func testStrangers(b *bench) {
	stranger := b.rig.Firewall()
	changed, err := b.fw.Watch(b.ctx)
	if err != nil {
		b.Fatal(err)
	}
	told := func(wait time.Duration) bool {
		select {
		case <-changed:
			return true
		case <-time.After(wait):
			return false
		}
	}
	for range 20 {
		b.load(devices(platform.Set{Elements: keys(50)}))
	}
	if told(4 * quiet) {
		b.Error("told of our own change")
	}
	start := time.Now()
	if err := stranger.Apply(b.ctx, change(platform.Step{AddElements: elements(platform.Element{Key: platform.MACKey(Broadcast())})})); err != nil {
		b.Fatal(err)
	}
	if !told(patience) {
		b.Error("not told of a stranger's element")
	}
	b.Logf("told after %v", time.Since(start))
	if err := stranger.Apply(b.ctx, change(platform.Step{DeleteTable: &struct{}{}})); err != nil {
		b.Fatal(err)
	}
	if !told(patience) {
		b.Error("not told of a stranger's delete")
	}
	if _, err := b.fw.Read(b.ctx, platform.FamilyBridge, tableName); !errors.Is(err, platform.ErrNoTable) {
		b.Errorf("read: %v, want %v", err, platform.ErrNoTable)
	}
	b.load(table(nil))
	if told(4 * quiet) {
		b.Error("told of our own repair")
	}
}
