package hosttest

import (
	"encoding/binary"
	"errors"

	"github.com/google/go-cmp/cmp"

	"github.com/wardkeeper/wardkeeper/platform"
)

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
	diff := cmp.Diff(want.Static(), got.Static())
	switch {
	case err == nil && diff == "":
	case errors.Is(err, platform.ErrStateUnknown) && diff == "":
		b.Logf("committed, although: %v", err)
	case (errors.Is(err, platform.ErrTooLarge) || errors.Is(err, platform.ErrStateUnknown)) &&
		cmp.Equal(before.Static(), got.Static()):
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
	if diff := cmp.Diff(t.Static(), b.read().Static()); diff != "" {
		b.Errorf("intervals: %d bytes of difference", len(diff))
	}
	// And away with most of them.
	b.apply(platform.Step{DeleteElements: &platform.SetElements{Set: "boxes", Elements: boxes[:1000]}},
		platform.Step{DeleteElements: &platform.SetElements{Set: "ranges", Elements: ranges[:1000]}})
	t.Sets[0].Elements, t.Sets[1].Elements = boxes[1000:], ranges[1000:]
	if diff := cmp.Diff(t.Static(), b.read().Static()); diff != "" {
		b.Errorf("want -, got +:\n%s", diff)
	}
	b.load(devices(platform.Set{Size: 3, Elements: keys(3)}))
	b.refuse(nil, platform.Step{AddElements: elements(keys(4)...)})
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
	if diff := cmp.Diff(table(nil).Static(), b.read().Static()); diff != "" {
		b.Errorf("want -, got +:\n%s", diff)
	}
}
