package cast

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewIsReproducible(t *testing.T) {
	a, b := New(7), New(7)
	if diff := cmp.Diff(a.members, b.members, cmp.Comparer(func(x, y netip.Addr) bool { return x == y })); diff != "" {
		t.Fatalf("same seed, other ward (-first +second):\n%s", diff)
	}
}

func TestShuffleChangesEverythingButVendor(t *testing.T) {
	a, b := New(DefaultSeed), New(99)
	for _, p := range Parts() {
		x, y := a.Member(p), b.Member(p)
		if x.MAC == y.MAC || x.Addr == y.Addr {
			t.Errorf("%v keeps its MAC or address under another seed", p)
		}
		if x.Name != "" && x.Serial != "" && x.Name == y.Name {
			t.Errorf("%v keeps its name %q under another seed", p, x.Name)
		}
	}
}

func TestMembersAreDistinct(t *testing.T) {
	for seed := range uint64(200) {
		c := New(seed)
		macs, addrs := map[MAC]Part{}, map[netip.Addr]Part{}
		for _, p := range Parts() {
			m := c.Member(p)
			if m.Part != p {
				t.Fatalf("seed %d: member of %v says it is %v", seed, p, m.Part)
			}
			if q, dup := macs[m.MAC]; dup {
				t.Errorf("seed %d: %v and %v share %v", seed, p, q, m.MAC)
			}
			if q, dup := addrs[m.Addr]; dup {
				t.Errorf("seed %d: %v and %v share %v", seed, p, q, m.Addr)
			}
			macs[m.MAC], addrs[m.Addr] = p, p
			if !c.Subnet.Contains(m.Addr) || m.Addr == c.Broadcast() {
				t.Errorf("seed %d: %v has %v outside %v", seed, p, m.Addr, c.Subnet)
			}
			if m.MAC[0]&3 != 0 {
				t.Errorf("seed %d: %v: %v is not a global unicast address", seed, p, m.MAC)
			}
			if got, ok := c.ByMAC(m.MAC); !ok || got.Part != p {
				t.Errorf("seed %d: ByMAC(%v) = %v, %v", seed, m.MAC, got.Part, ok)
			}
			if got, ok := c.ByAddr(m.Addr); !ok || got.Part != p {
				t.Errorf("seed %d: ByAddr(%v) = %v, %v", seed, m.Addr, got.Part, ok)
			}
		}
	}
}

func TestUnknownPart(t *testing.T) {
	c := New(DefaultSeed)
	for _, p := range []Part{0, -1, Infra + 1} {
		if got := c.Member(p); got.Part != 0 {
			t.Errorf("Member(%d) = %+v, want nothing", int(p), got)
		}
		if p.String() != "invalid" {
			t.Errorf("Part(%d) = %q", int(p), p)
		}
	}
}
