package hosttest

import (
	"io/fs"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// devices is a set of MACs with a rule that drops what they send.
func devices(set platform.Set) platform.Table {
	set.Name, set.Key = "devices", []platform.KeyType{platform.KeyEtherAddr}
	t := table([]platform.Rule{drop(in("devices", platform.EtherSaddr))})
	t.Sets = []platform.Set{set}
	return t
}

func elements(e ...platform.Element) *platform.SetElements {
	return &platform.SetElements{Set: "devices", Elements: e}
}

// one is the element of device 1, with a timeout.
func one(timeout time.Duration) platform.Element {
	return platform.Element{Key: platform.MACKey(MAC(1)), Timeout: timeout.Milliseconds()}
}

func testTimeouts(b *bench) {
	b.load(devices(platform.Set{Timeout: true, Elements: []platform.Element{one(800 * time.Millisecond), {Key: platform.MACKey(MAC(2))}}}))
	b.want(false, "before", plain(1))
	for _, e := range b.set("devices").Elements {
		if e.Key == platform.MACKey(MAC(2)) {
			if e.Timeout != 0 || e.Expires != 0 {
				b.Errorf("timeout of an element without: %+v", e)
			}
		} else if e.Timeout != 800 || e.Expires <= 0 || e.Expires > 800 {
			b.Errorf("timeout %d, expires %d", e.Timeout, e.Expires)
		}
	}
	b.rig.Advance(time.Second)
	b.want(true, "after", plain(2))
	if got := b.set("devices").Elements; len(got) != 1 {
		b.Errorf("%d elements are left, want 1", len(got))
	}
	// It can be added anew, by itself and as a renewal.
	b.apply(platform.Step{AddElements: elements(one(800 * time.Millisecond))})
	b.want(false, "added anew", plain(3))
	b.rig.Advance(time.Second)
	b.apply(platform.Step{RenewElements: elements(one(800 * time.Millisecond))})
	b.want(false, "renewed after it expired", plain(4))
}

func testRenewal(b *bench) {
	b.load(devices(platform.Set{Timeout: true, Elements: []platform.Element{one(1500 * time.Millisecond)}}))
	for range 3 {
		b.rig.Advance(800 * time.Millisecond)
		b.apply(platform.Step{RenewElements: elements(one(1500 * time.Millisecond))})
	}
	b.want(false, "renewed", plain(1))
	b.apply(platform.Step{RenewElements: elements(one(50 * time.Millisecond))})
	b.rig.Advance(200 * time.Millisecond)
	b.want(true, "shortened", plain(2))
	b.refuse(fs.ErrNotExist, platform.Step{DeleteElements: elements(one(0))})
}

func testVerdictMaps(b *bench) {
	t := table(
		[]platform.Rule{
			{VMap: &platform.VMap{Map: "active", Fields: []platform.Field{platform.MetaIIFType}}},
			{VMap: &platform.VMap{Map: "from", Fields: []platform.Field{platform.EtherSaddr}}, Counter: true},
			drop(etherType(0x88b6)),
		},
		platform.Chain{Name: "closed", Rules: []platform.Rule{drop()}},
		platform.Chain{Name: "through"})
	t.Sets = []platform.Set{
		{Name: "active", Map: true, Timeout: true, Key: []platform.KeyType{platform.KeyIfType}},
		{Name: "from", Map: true, Key: []platform.KeyType{platform.KeyEtherAddr}, Counter: true, Elements: []platform.Element{
			{Key: platform.MACKey(MAC(1)), Verdict: jump("closed")},
			{Key: platform.MACKey(MAC(2)), Verdict: jump("through")},
			{Key: platform.MACKey(MAC(3)), Verdict: platform.Verdict{Kind: platform.Goto, Chain: "through"}},
			{Key: platform.MACKey(MAC(4)), Verdict: platform.Verdict{Kind: platform.Accept}},
			{Key: platform.MACKey(MAC(5)), Verdict: platform.Verdict{Kind: platform.Drop}},
		}},
	}
	b.load(t)
	from := func(n byte) []byte { return Ethernet(MAC(9), MAC(n), 0x88b6, make([]byte, 46)) }
	wants := func(when string, pass ...bool) {
		b.Helper()
		for i, want := range pass {
			b.want(want, when, from(byte(i+1)))
		}
	}
	wants("map", false, false, true, true, false, false)
	// A trial: one timed element goes somewhere else, and ends by itself.
	trial := platform.Element{Key: "\x00\x01", Verdict: platform.Verdict{Kind: platform.Goto, Chain: "through"}, Timeout: 800}
	b.apply(platform.Step{AddElements: &platform.SetElements{Set: "active", Elements: []platform.Element{trial}}})
	wants("trial", true, true)
	b.rig.Advance(time.Second)
	wants("after the trial", false, false)
	counts := map[string]uint64{}
	for _, e := range b.set("from").Elements {
		counts[e.Key] = e.Packets
	}
	// Twice two packets, three ways out each; the others once.
	for n, want := range map[byte]uint64{1: 6, 2: 6, 3: 3, 4: 3, 5: 3} {
		if got := counts[platform.MACKey(MAC(n))]; got != want {
			b.Errorf("device %d: %d packets, want %d", n, got, want)
		}
	}
	// EBUSY on older kernels, EEXIST on newer ones.
	b.refuse(nil, platform.Step{AddElements: &platform.SetElements{Set: "from", Elements: []platform.Element{
		{Key: platform.MACKey(MAC(1)), Verdict: jump("through")},
	}}})
	b.refuse(nil, platform.Step{DeleteChain: "closed"})
}

func testCounters(b *bench) {
	t := devices(platform.Set{Counter: true, Elements: []platform.Element{one(0)}})
	t.Chains[0].Rules = []platform.Rule{
		{Counter: true, Matches: []platform.Match{in("devices", platform.EtherSaddr), eq(platform.MetaOIFName, platform.NameKey(Ward2))}},
		{Counter: true, Matches: []platform.Match{etherType(0x86dd)}},
	}
	b.load(t)
	const n = 500
	frame := Tag(plain(1), 0x8100, 7) // 60 bytes, and the tag
	for i := range n {
		b.rig.Send(Ward1, frame)
		if !comes(b.rig, Ward2, frame, patience) {
			b.Fatalf("frame %d is missing", i)
		}
	}
	for got := b.rig.Receive(Ward3, patience); got != nil; got = b.rig.Receive(Ward3, quiet) {
		continue
	}
	read := b.read()
	rules := read.Chains[0].Rules
	// The kernel counts from layer 3 on, once for each port the frame leaves by.
	want := [4]uint64{n, n * 46, 0, 0}
	if got := [4]uint64{rules[0].Packets, rules[0].Bytes, rules[1].Packets, rules[1].Bytes}; got != want {
		b.Errorf("rules counted %v, want %v", got, want)
	}
	if e := read.Sets[0].Elements[0]; e.Packets != 3*n || e.Bytes != 3*n*46 {
		b.Errorf("element counted %d packets, %d bytes, want %d, %d", e.Packets, e.Bytes, 3*n, 3*n*46)
	}
}

func testLimit(b *bench) {
	limited, rest := accept(), drop()
	limited.Limit = &platform.Limit{PerSecond: 2, Burst: 5}
	limited.Counter, rest.Counter = true, true
	// Only one way out, so that the flooded copies do not use it up.
	elsewhere := drop(platform.Match{Fields: []platform.Field{platform.MetaOIFName}, Op: platform.OpNeq, Value: platform.NameKey(Ward2)})
	b.load(table([]platform.Rule{elsewhere, limited, rest}))
	const frames = 20
	sent, before := uint64(0), uint64(0)
	// passed sends some frames and says how many of them passed.
	passed := func() uint64 {
		for range frames {
			b.rig.Send(Ward1, plain(1))
		}
		sent += frames
		for range 100 {
			rules := b.read().Chains[0].Rules
			if rules[1].Packets+rules[2].Packets == sent {
				now := rules[1].Packets - before
				before = rules[1].Packets
				return now
			}
			time.Sleep(quiet / 5)
		}
		b.Fatal("not all frames were counted")
		return 0
	}
	// One more may pass where sending takes half a second.
	if got := passed(); got < 5 || got > 6 {
		b.Errorf("%d passed at once, want the burst of 5", got)
	}
	b.rig.Advance(1100 * time.Millisecond)
	if got := passed(); got < 2 || got > 3 {
		b.Errorf("%d passed after 1.1 s, want 2", got)
	}
}
