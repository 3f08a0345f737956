package policy

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func bx(from, to string, lo, hi uint16) box {
	return box{netip.MustParseAddr(from), netip.MustParseAddr(to), lo, hi}
}

func TestDisjoint(t *testing.T) {
	tests := []struct {
		name string
		in   []box
		want []box
	}{
		{"none", nil, nil},
		{"one", []box{bx("10.0.0.0", "10.0.0.255", 80, 80)}, []box{bx("10.0.0.0", "10.0.0.255", 80, 80)}},
		{"a network in a network", []box{bx("10.0.0.0", "10.0.255.255", 80, 90), bx("10.0.4.0", "10.0.4.255", 80, 90)},
			[]box{bx("10.0.0.0", "10.0.255.255", 80, 90)}},
		{"ports overlap", []box{bx("10.0.0.1", "10.0.0.1", 80, 90), bx("10.0.0.1", "10.0.0.1", 85, 99)}, []box{bx("10.0.0.1", "10.0.0.1", 80, 99)}},
		{"ports touch", []box{bx("10.0.0.1", "10.0.0.1", 80, 84), bx("10.0.0.1", "10.0.0.1", 85, 99)}, []box{bx("10.0.0.1", "10.0.0.1", 80, 99)}},
		{"a cross", []box{bx("10.0.0.0", "10.0.0.9", 5, 6), bx("10.0.0.4", "10.0.0.5", 1, 9)},
			[]box{bx("10.0.0.0", "10.0.0.3", 5, 6), bx("10.0.0.4", "10.0.0.5", 1, 9), bx("10.0.0.6", "10.0.0.9", 5, 6)}},
		{"networks touch", []box{bx("10.0.0.128", "10.0.0.255", 1, 1), bx("10.0.0.0", "10.0.0.127", 1, 1)}, []box{bx("10.0.0.0", "10.0.0.255", 1, 1)}},
		{"the ends of the space", []box{bx("0.0.0.0", "255.255.255.255", 0, 65535), bx("255.255.255.255", "255.255.255.255", 65535, 65535)},
			[]box{bx("0.0.0.0", "255.255.255.255", 0, 65535)}},
		{"the last address", []box{bx("ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, 2), bx("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 7, 7)},
			[]box{bx("ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 1, 2), bx("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, 2),
				bx("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 7, 7)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, disjoint(tt.in), cmp.AllowUnexported(box{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// checkDisjoint checks that out covers what in covers, no point twice, whatever
// the order of in. The space is small, so all points are tried.
func checkDisjoint(t *testing.T, in []box, space []netip.Addr, ports uint16) {
	t.Helper()
	out := disjoint(in)
	for _, a := range space {
		for p := range ports {
			at := box{a, a, p, p}
			covers := func(b box) bool { return b.covers(at) }
			n := 0
			for _, b := range out {
				if covers(b) {
					n++
				}
			}
			if want := slices.ContainsFunc(in, covers); (n == 1) != want || n > 1 {
				t.Fatalf("%v port %d is in %d boxes, want covered %v\nin  %v\nout %v", a, p, n, want, in, out)
			}
		}
	}
	turned := slices.Clone(in)
	slices.Reverse(turned)
	if !slices.Equal(disjoint(turned), out) {
		t.Fatalf("another order of %v gives other boxes", in)
	}
}

func smallSpace() []netip.Addr {
	var space []netip.Addr
	for i := range 16 { // the last addresses there are: the end is where it breaks
		space = append(space, netip.AddrFrom4([4]byte{255, 255, 255, byte(240 + i)}))
	}
	return space
}

func TestDisjointProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	space := smallSpace()
	for range 3000 {
		var in []box
		for range 1 + r.IntN(8) {
			a, b := r.IntN(16), r.IntN(16)
			p, q := uint16(r.IntN(16)), uint16(r.IntN(16))
			in = append(in, box{space[min(a, b)], space[max(a, b)], min(p, q), max(p, q)})
		}
		checkDisjoint(t, in, space, 16)
	}
}

func FuzzDisjoint(f *testing.F) {
	f.Add([]byte{0x0f, 0x0f, 0x48, 0x2c})
	f.Fuzz(func(t *testing.T, b []byte) {
		space := smallSpace()
		var in []box
		for ; len(b) >= 2 && len(in) < 12; b = b[2:] {
			x, y, p, q := b[0]>>4, b[0]&15, uint16(b[1]>>4), uint16(b[1]&15)
			in = append(in, box{space[min(x, y)], space[max(x, y)], min(p, q), max(p, q)})
		}
		checkDisjoint(t, in, space, 16)
	})
}

func TestLastAddr(t *testing.T) {
	for in, want := range map[string]string{
		"10.0.0.0/8": "10.255.255.255", "10.1.2.3/32": "10.1.2.3", "0.0.0.0/0": "255.255.255.255", "10.0.0.128/25": "10.0.0.255",
		"fd00::/8": "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1/128": "::1", "fd00::/13": "fd07:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	} {
		if got := lastAddr(netip.MustParsePrefix(in)); got != netip.MustParseAddr(want) {
			t.Errorf("lastAddr(%s) = %v, want %s", in, got, want)
		}
	}
}
