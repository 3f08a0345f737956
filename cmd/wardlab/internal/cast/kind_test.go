package cast

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKinds: each kind of ward has the basic ward in it, unchanged, and its
// members are distinct.
func TestKinds(t *testing.T) {
	same := cmp.Comparer(func(x, y netip.Addr) bool { return x == y })
	for _, kind := range append(Kinds(), Basic) {
		for seed := range uint64(50) {
			basic, c := New(seed), NewKind(seed, kind)
			macs, addrs := map[MAC]Part{}, map[netip.Addr]Part{}
			for _, p := range c.Parts() {
				m := c.Member(p)
				if m.Part != p || p.String() == "invalid" {
					t.Errorf("%q: member of %d is %v", kind, p, m)
				}
				if !p.Bedside() && !cmp.Equal(m, basic.Member(p), same) {
					t.Errorf("%q, seed %d: %v is another than in the basic ward", kind, seed, p)
				}
				if other, dup := macs[m.MAC]; dup {
					t.Errorf("%q, seed %d: %v and %v share %v", kind, seed, p, other, m.MAC)
				}
				if other, dup := addrs[m.Addr]; dup || !c.Subnet.Contains(m.Addr) {
					t.Errorf("%q, seed %d: address %v of %v and %v", kind, seed, m.Addr, p, other)
				}
				macs[m.MAC], addrs[m.Addr] = p, p
			}
		}
	}
	devices := 0
	for _, p := range NewKind(DefaultSeed, ICU).Parts() {
		if p.Role() != "" && !p.Uplink() {
			devices++
		}
	}
	if devices < 10 {
		t.Errorf("an icu of %d devices, want at least 10", devices)
	}
	for p := Hub; p <= Automation; p++ {
		if !p.Bedside() {
			t.Errorf("part %d is not in the table", p)
		}
	}
}
