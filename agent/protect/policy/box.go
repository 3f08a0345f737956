package policy

import (
	"cmp"
	"net/netip"
	"slices"
)

// box is a rectangle of addresses by numbers (ports, ICMP types, protocols),
// all bounds inclusive, addresses of one family.
type box struct {
	from, to netip.Addr
	lo, hi   uint16
}

// boxOf is all of a network by lo to hi.
func boxOf(n netip.Prefix, lo, hi uint16) box {
	return box{n.Masked().Addr(), lastAddr(n), lo, hi}
}

// lastAddr is the highest address of the network.
func lastAddr(n netip.Prefix) netip.Addr {
	b := n.Masked().Addr().AsSlice()
	for i := n.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func (b box) single() bool { return b.from == b.to && b.lo == b.hi }

func (b box) covers(c box) bool {
	return b.from.Compare(c.from) <= 0 && c.to.Compare(b.to) <= 0 && b.lo <= c.lo && c.hi <= b.hi
}

// numbers is a range of ports, types or protocols, inclusive.
type numbers struct{ lo, hi uint16 }

// disjoint returns boxes that cover the same points, no point twice: an
// interval set with overlapping elements is refused by some kernels and, worse,
// silently kept incomplete by others (6.1). The result depends on the points
// alone, not on the order or the shape of the input.
//
// It cuts the address axis at every bound, joins the numbers within each slice,
// and joins neighbouring slices with the same numbers.
func disjoint(in []box) []box {
	var cuts []netip.Addr // where a slice begins
	for _, b := range in {
		cuts = append(cuts, b.from)
		if next := b.to.Next(); next.IsValid() {
			cuts = append(cuts, next)
		}
	}
	slices.SortFunc(cuts, netip.Addr.Compare)
	cuts = slices.Compact(cuts)

	type slice struct {
		from, to netip.Addr
		nums     []numbers
	}
	var all []slice
	for i, from := range cuts {
		var nums []numbers
		to := netip.Addr{}
		for _, b := range in {
			if b.from.Compare(from) <= 0 && from.Compare(b.to) <= 0 {
				nums = append(nums, numbers{b.lo, b.hi})
				if !to.IsValid() || b.to.Less(to) {
					to = b.to
				}
			}
		}
		if nums == nil {
			continue // a gap
		}
		if i+1 < len(cuts) && cuts[i+1].Prev().Less(to) {
			to = cuts[i+1].Prev()
		}
		nums = joined(nums)
		if n := len(all); n > 0 && all[n-1].to.Next() == from && slices.Equal(all[n-1].nums, nums) {
			all[n-1].to = to
			continue
		}
		all = append(all, slice{from, to, nums})
	}
	var out []box
	for _, s := range all {
		for _, n := range s.nums {
			out = append(out, box{s.from, s.to, n.lo, n.hi})
		}
	}
	return out
}

// points returns single boxes, each once, and joins none.
func points(in []box) []box {
	slices.SortFunc(in, func(a, b box) int { return cmp.Or(a.from.Compare(b.from), cmp.Compare(a.lo, b.lo)) })
	return slices.Compact(in)
}

// joined sorts ranges and joins those that touch or overlap.
func joined(in []numbers) []numbers {
	slices.SortFunc(in, func(a, b numbers) int { return int(a.lo) - int(b.lo) })
	out := in[:1]
	for _, n := range in[1:] {
		if last := &out[len(out)-1]; int(n.lo) <= int(last.hi)+1 {
			last.hi = max(last.hi, n.hi)
		} else {
			out = append(out, n)
		}
	}
	return out
}
