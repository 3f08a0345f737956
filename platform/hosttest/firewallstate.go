package hosttest

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

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
	b.load(devices(platform.Set{Timeout: true, Elements: []platform.Element{one(400 * time.Millisecond), {Key: platform.MACKey(MAC(2))}}}))
	b.want(false, "before", plain(1))
	for _, e := range b.set("devices").Elements {
		if e.Key == platform.MACKey(MAC(2)) {
			if e.Timeout != 0 || e.Expires != 0 {
				b.Errorf("timeout of an element without: %+v", e)
			}
		} else if e.Timeout != 400 || e.Expires <= 0 || e.Expires > 400 {
			b.Errorf("timeout %d, expires %d", e.Timeout, e.Expires)
		}
	}
	b.rig.Advance(600 * time.Millisecond)
	b.want(true, "after", plain(2))
	if got := b.set("devices").Elements; len(got) != 1 {
		b.Errorf("%d elements are left, want 1", len(got))
	}
	// It can be added anew, by itself and as a renewal.
	b.apply(platform.Step{AddElements: elements(one(400 * time.Millisecond))})
	b.want(false, "added anew", plain(3))
	b.rig.Advance(600 * time.Millisecond)
	b.apply(platform.Step{RenewElements: elements(one(400 * time.Millisecond))})
	b.want(false, "renewed after it expired", plain(4))
}

func testRenewal(b *bench) {
	b.load(devices(platform.Set{Timeout: true, Elements: []platform.Element{one(600 * time.Millisecond)}}))
	for range 3 {
		b.rig.Advance(400 * time.Millisecond)
		b.apply(platform.Step{RenewElements: elements(one(600 * time.Millisecond))})
	}
	b.want(false, "renewed", plain(1))
	b.apply(platform.Step{RenewElements: elements(one(50 * time.Millisecond))})
	b.rig.Advance(200 * time.Millisecond)
	b.want(true, "shortened", plain(2))
	b.refuse(syscall.ENOENT, platform.Step{DeleteElements: elements(one(0))})
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
	trial := platform.Element{Key: "\x00\x01", Verdict: platform.Verdict{Kind: platform.Goto, Chain: "through"}, Timeout: 400}
	b.apply(platform.Step{AddElements: &platform.SetElements{Set: "active", Elements: []platform.Element{trial}}})
	wants("trial", true, true)
	b.rig.Advance(600 * time.Millisecond)
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
	b.refuse(syscall.EBUSY, platform.Step{DeleteChain: "closed"})
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
	limited := accept(etherType(0x88b5))
	limited.Limit = &platform.Limit{PerSecond: 2, Burst: 5}
	t := table([]platform.Rule{limited, drop()})
	// Only one way out, so that the flooded copies do not use it up.
	t.Chains[0].Rules = append([]platform.Rule{drop(platform.Match{Fields: []platform.Field{platform.MetaOIFName}, Op: platform.OpNeq, Value: platform.NameKey(Ward2)})}, t.Chains[0].Rules...)
	b.load(t)
	send := func() (passed int) {
		for range 20 {
			b.rig.Send(Ward1, plain(1))
		}
		for comes(b.rig, Ward2, plain(1), quiet) {
			passed++
		}
		return passed
	}
	if got := send(); got != 5 {
		b.Errorf("%d passed at once, want the burst of 5", got)
	}
	b.rig.Advance(1100 * time.Millisecond)
	// Two more a second; while they are sent another may fill.
	if got := send(); got < 2 || got > 3 {
		b.Errorf("%d passed after 1.1 s, want 2", got)
	}
}

// keys are n different MACs.
func keys(n int) []platform.Element {
	out := make([]platform.Element, n)
	for i := range out {
		var mac [6]byte
		mac[0] = 2
		binary.BigEndian.PutUint32(mac[2:], uint32(i))
		out[i].Key = platform.MACKey(mac)
	}
	return out
}

// settle is what to do about the error of a change that may be too much for the
// sockets: whatever it says, the table is all or nothing.
func (b *bench) settle(err error, want, before platform.Table) {
	b.Helper()
	got, readErr := b.fw.Read(b.ctx, platform.FamilyBridge, tableName)
	if readErr != nil {
		b.Fatal(readErr)
	}
	diff := gocmp.Diff(want.Static(), got.Static())
	switch {
	case err == nil && diff == "":
	case errors.Is(err, platform.ErrStateUnknown) && diff == "":
		b.Logf("committed, although: %v", err)
	case (errors.Is(err, platform.ErrTooLarge) || errors.Is(err, platform.ErrStateUnknown)) &&
		gocmp.Equal(before.Static(), got.Static()):
		b.Logf("not committed: %v", err)
	default:
		b.Errorf("error %v, and the table differs:\n%.2000s", err, diff)
	}
}

func testManyElements(b *bench) {
	boxes := make([]platform.Element, 1200)
	for i := range boxes {
		boxes[i].Key = "\x0a" + platform.Uint16Key(uint16(i)) + "\x00\x00\x50"
		boxes[i].KeyEnd = "\x0a" + platform.Uint16Key(uint16(i)) + "\xff\x00\x5a"
	}
	ranges := make([]platform.Element, 1200)
	for i := range ranges {
		ranges[i].Key = platform.Uint16Key(uint16(i * 10))
		ranges[i].KeyEnd = platform.Uint16Key(uint16(i*10 + 4))
	}
	for _, n := range []int{401, 2500, 20000} {
		b.load(devices(platform.Set{}))
		before, want := b.read(), devices(platform.Set{Elements: keys(n)})
		err := b.fw.Apply(b.ctx, change(platform.Step{AddElements: elements(keys(n)...)}))
		if n <= 2500 && err != nil && !errors.Is(err, platform.ErrStateUnknown) && !errors.Is(err, platform.ErrTooLarge) {
			b.Fatal(err)
		}
		b.settle(err, want, before)
	}
	t := table(nil)
	t.Sets = []platform.Set{
		{Name: "boxes", Key: []platform.KeyType{platform.KeyIPv4, platform.KeyService}, Interval: true, Elements: boxes},
		{Name: "ranges", Key: []platform.KeyType{platform.KeyService}, Interval: true, Elements: ranges},
	}
	b.load(t)
	if diff := gocmp.Diff(t.Static(), b.read().Static()); diff != "" {
		b.Errorf("intervals: %d bytes of difference", len(diff))
	}
	// And away with most of them.
	b.apply(platform.Step{DeleteElements: &platform.SetElements{Set: "boxes", Elements: boxes[:1000]}},
		platform.Step{DeleteElements: &platform.SetElements{Set: "ranges", Elements: ranges[:1000]}})
	t.Sets[0].Elements, t.Sets[1].Elements = boxes[1000:], ranges[1000:]
	if diff := gocmp.Diff(t.Static(), b.read().Static()); diff != "" {
		b.Errorf("want -, got +:\n%s", diff)
	}
	b.load(devices(platform.Set{Size: 3, Elements: keys(3)}))
	b.refuse(syscall.ENFILE, platform.Step{AddElements: elements(keys(4)...)})
}

// testManyRules is the change whose acknowledgements a small buffer loses.
func testManyRules(b *bench) {
	rules := make([]platform.Rule, 400)
	for i := range rules {
		rules[i] = drop(etherType(uint16(0x9000 + i)))
		rules[i].Counter = true
	}
	b.load(table(nil))
	before := b.read()
	err := b.fw.Apply(b.ctx, change(platform.Step{AddChain: &platform.Chain{Name: "forward", Rules: rules}}))
	b.settle(err, table(rules), before)
	// Whatever the sockets went through, the next change goes through.
	b.apply(platform.Step{FlushChain: "forward"})
	if diff := gocmp.Diff(table(nil).Static(), b.read().Static()); diff != "" {
		b.Errorf("want -, got +:\n%s", diff)
	}
}

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
	b.refuse(syscall.ENOENT, good, platform.Step{DeleteElements: elements(platform.Element{Key: platform.MACKey(MAC(3))})})
	b.refuse(syscall.ENOENT, good, platform.Step{AddChain: &platform.Chain{Name: "new", Rules: []platform.Rule{{Verdict: jump("nowhere")}}}})
	b.refuse(syscall.ENOENT, good, platform.Step{AddChain: &platform.Chain{Name: "new", Rules: []platform.Rule{drop(in("nothing", platform.EtherSaddr))}}})
	b.refuse(syscall.ENOENT, good, platform.Step{AddElements: &platform.SetElements{Set: "nothing", Elements: []platform.Element{two}}})
	b.refuse(syscall.ENOENT, good, platform.Step{FlushChain: "nowhere"})
	b.refuse(syscall.ENOENT, good, platform.Step{DeleteChain: "nowhere"})
	b.refuse(syscall.ENOENT, good, platform.Step{DeleteSet: "nothing"})
	b.refuse(syscall.EBUSY, good, platform.Step{DeleteSet: "devices"})
	b.refuse(syscall.EEXIST, good, platform.Step{AddElements: &platform.SetElements{Set: "boxes", Elements: []platform.Element{
		{Key: "\x0a\x00\x00\x80\x00\x55", KeyEnd: "\x0a\x00\x01\xff\x00\x56"},
	}}})
	b.refuse(syscall.EEXIST, good, platform.Step{AddElements: &platform.SetElements{Set: "ranges", Elements: []platform.Element{
		{Key: "\x00\x18", KeyEnd: "\x00\x30"},
	}}})
	b.refuse(nil, good, platform.Step{AddChain: &platform.Chain{Name: "new", Rules: []platform.Rule{drop(in("devices", platform.IPv6Saddr))}}})
	b.refuse(syscall.EEXIST, platform.Step{AddSet: &platform.Set{Name: "devices", Key: []platform.KeyType{platform.KeyIPv6}}})
	b.refuse(syscall.EMLINK, good, platform.Step{AddChain: &platform.Chain{Name: "a"}},
		platform.Step{AddChain: &platform.Chain{Name: "b", Rules: []platform.Rule{{Verdict: jump("a")}}}},
		platform.Step{AddChain: &platform.Chain{Name: "a", Rules: []platform.Rule{{Verdict: jump("b")}}}},
		platform.Step{AddChain: &platform.Chain{Name: "forward", Rules: []platform.Rule{{Verdict: jump("a")}}}})
	// The same elements again are fine, and so is add and delete in one.
	b.apply(platform.Step{AddElements: elements(one(0), two)})
	b.apply(platform.Step{AddElements: elements(one(0), two)}, platform.Step{DeleteElements: elements(two)}, good)
	if err := b.fw.Apply(b.ctx, platform.Change{Family: platform.FamilyBridge, Table: "other", Steps: []platform.Step{{FlushChain: "forward"}}}); !errors.Is(err, syscall.ENOENT) {
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
	b.refuse(syscall.EBUSY, platform.Step{DeleteChain: "more"})
	b.apply(platform.Step{FlushChain: "forward"}, platform.Step{DeleteChain: "more"}, platform.Step{DeleteSet: "devices"})
	if diff := gocmp.Diff(table(nil).Static(), b.read().Static()); diff != "" {
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
	told := func() bool {
		select {
		case <-changed:
			return true
		case <-time.After(quiet * 4):
			return false
		}
	}
	for range 20 {
		b.load(devices(platform.Set{Elements: keys(50)}))
	}
	if told() {
		b.Error("told of our own change")
	}
	start := time.Now()
	if err := stranger.Apply(b.ctx, change(platform.Step{AddElements: elements(platform.Element{Key: platform.MACKey(Broadcast())})})); err != nil {
		b.Fatal(err)
	}
	if !told() {
		b.Error("not told of a stranger's element")
	}
	b.Logf("told after %v", time.Since(start))
	if err := stranger.Apply(b.ctx, change(platform.Step{DeleteTable: &struct{}{}})); err != nil {
		b.Fatal(err)
	}
	if !told() {
		b.Error("not told of a stranger's delete")
	}
	if _, err := b.fw.Read(b.ctx, platform.FamilyBridge, tableName); !errors.Is(err, platform.ErrNoTable) {
		b.Errorf("read: %v, want %v", err, platform.ErrNoTable)
	}
	b.load(table(nil))
	if told() {
		b.Error("told of our own repair")
	}
}

func testLog(b *bench) {
	logged := func(prefix string, m ...platform.Match) platform.Rule {
		r := drop(m...)
		r.Log = &platform.Log{Group: 7, Snaplen: 128, Prefix: prefix}
		r.Counter = true
		return r
	}
	only := eq(platform.MetaOIFName, platform.NameKey(Ward2))
	b.load(table([]platform.Rule{logged("wk arp", only, etherType(0x0806)), logged("wk d", only)}))
	source, err := b.fw.Logged(7)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := b.rig.Firewall().Logged(7); err == nil {
		b.Error("a second reader got the group")
	}
	if _, err := source.Next(10 * time.Millisecond); !errors.Is(err, platform.ErrNoFrame) {
		b.Errorf("nothing logged: %v", err)
	}
	ip6 := IPv6("fd00::1", "fd00::2", 0, Options(17, UDP(68, 67, nil)))
	for _, c := range []struct {
		prefix string
		frame  []byte
		l2     int
	}{
		{"wk d", udp(49152, 443), 14},
		{"wk d", Tag(udp(49152, 443), 0x8100, 0x6007), 18},
		{"wk d", Ethernet(MAC(2), MAC(1), 0x86dd, ip6), 14},
		{"wk d", Ethernet(MAC(2), MAC(1), 0x0800, IPv4("10.0.0.1", "10.0.0.2", 6, 0, TCP(1, 445, SYN))), 14},
		{"wk d", Ethernet(MAC(2), MAC(1), 0x0800, IPv4("10.0.0.1", "10.0.0.2", 17, 3, make([]byte, 30))), 14},
		{"wk arp", Ethernet(Broadcast(), MAC(1), 0x0806, ARP(2, MAC(1), "10.0.0.1", MAC(2), "10.0.0.2")), 14},
		{"wk d", plain(1), 14},
	} {
		start := time.Now()
		b.rig.Send(Ward1, c.frame)
		got, err := source.Next(patience)
		if err != nil {
			b.Fatal(err)
		}
		inner := binary.BigEndian.Uint16(c.frame[c.l2-2:])
		want := platform.ParseLogEntry(c.frame[:c.l2], inner, c.frame[c.l2:])
		want.Prefix, want.In, want.Out = c.prefix, Ward1, Ward2
		if got.Time == 0 {
			b.Error("no time")
		}
		got.Time = 0
		if diff := gocmp.Diff(want, got, gocmp.Comparer(func(a, b platform.LogEntry) bool { return a == b })); diff != "" {
			b.Errorf("want -, got +:\n%s", diff)
		}
		if took := time.Since(start); took > 500*time.Millisecond {
			b.Errorf("the entry took %v", took)
		}
	}
	testLogLost(b, source)
	waiting := make(chan error)
	go func() {
		_, err := source.Next(time.Minute)
		waiting <- err
	}()
	time.Sleep(10 * time.Millisecond)
	if err := source.Close(); err != nil {
		b.Error(err)
	}
	if err := <-waiting; !errors.Is(err, platform.ErrClosed) {
		b.Errorf("after close: %v", err)
	}
	again, err := b.fw.Logged(7)
	if err != nil {
		b.Fatal(err)
	}
	_ = again.Close()
}

// testLogLost logs more than the queue takes: each entry is read or counted.
func testLogLost(b *bench, source platform.LogSource) {
	b.Helper()
	logged := func() uint64 { return b.read().Chains[0].Rules[1].Packets }
	before := logged()
	for range 20000 {
		b.rig.Send(Ward1, plain(1))
	}
	var sent uint64
	for sent == 0 || sent != logged()-before {
		sent = logged() - before
		b.rig.Advance(quiet)
	}
	var read uint64
	for {
		if _, err := source.Next(quiet); err != nil {
			break
		}
		read++
	}
	// How many were lost is known when a later one arrives.
	b.rig.Send(Ward1, plain(2))
	if _, err := source.Next(patience); err != nil {
		b.Error(err)
	}
	b.Logf("%d read, %d lost", read, source.Lost())
	if source.Lost() == 0 || read+source.Lost() != sent {
		b.Errorf("%d read and %d lost of %d", read, source.Lost(), sent)
	}
}
