package policy

// maxElements bounds a ruleset: far above any ward, far below what the kernel
// and a small box can hold.
const maxElements = 200_000

// size is how many elements the sets of the table have, or somewhat more. It is
// known before they are made: where devices of a segment may speak
// with each other their number grows as the square of the devices, and whoever
// makes up devices must not eat the memory.
func (c *Compiled) size() int {
	each := map[string]int{}   // of one device of the segment
	groups := map[string]int{} // of them, those of an exempt device
	for i := range c.in.Policy.Segments {
		s := &c.in.Policy.Segments[i]
		g := c.in.grantsOf(s)
		n := len(g.ethers) + len(g.broadcast)
		for shelf, list := range g.shelves() {
			n += len(list)
			if shelf.near && shelf.what == pairWhat {
				n += len(list) // who may be near
			}
		}
		for _, a := range s.Allow { // of exempt devices
			if grp, ok := groupNamed(a.Name); ok {
				groups[s.Name] += len(a.Services) * (len(grp.Addrs) + 1)
			}
		}
		each[s.Name] = n + groups[s.Name]
	}
	n := len(tags()) + len(c.claims.drop) + len(c.claims.stage) + 4*len(c.Pairs) + 2*len(c.in.Quarantine)
	for _, m := range c.in.Placement.Members {
		if m.Mode != Observe {
			for _, name := range m.Also {
				n += groups[name]
			}
			n += 4 + len(m.Addrs) + each[m.Segment] // 4: that it is filtered, its verdicts, and that it may meet strangers
		}
	}
	return n
}
