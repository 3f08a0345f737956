package policy

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// fillSets adds the sets of generation n, with an element for everything that
// each device of a segment may do.
func (c *Compiled) fillSets(t *platform.Table, used []shelf, n uint64) {
	sets := map[shelf]*platform.Set{}
	for _, s := range used {
		set := s.set(n)
		sets[s] = &set
	}
	ether := platform.KeyEtherAddr
	hashSet := func(name string, key ...platform.KeyType) *platform.Set {
		return &platform.Set{Name: gen(name, n), Key: key}
	}
	devices, open := hashSet("device", ether), hashSet("open", ether)
	near := hashSet("near", ether, ether)
	ethers := hashSet("ether", ether, platform.KeyEtherType)
	casts := hashSet("broadcast", ether, platform.KeyProto, platform.KeyService)
	casts.Interval = true
	own4, own6 := hashSet("own4", platform.KeyIPv4), hashSet("own6", platform.KeyIPv6)
	leave, reach := hashSet("verdict_leave", ether), hashSet("verdict_reach", ether)
	own4.Map, own6.Map, leave.Map, reach.Map = true, true, true, true

	allowed := map[string]*grants{}
	filled := map[string]map[shelf][]content{}
	for i := range c.in.Policy.Segments {
		s := &c.in.Policy.Segments[i]
		g := c.in.grantsOf(s)
		allowed[s.Name], filled[s.Name] = &g, g.shelves()
	}
	for a, m := range c.owners() {
		own := own4
		if a.Is6() {
			own = own6
		}
		own.Elements = append(own.Elements, platform.Element{Key: platform.AddrKey(a), Verdict: jump(gen(verdictChain(m.Mode, From, m.Segment), n))})
	}
	seen := map[fact.MAC]bool{}
	for _, m := range c.in.Placement.Members {
		if m.Mode == Observe || seen[m.MAC] {
			continue
		}
		seen[m.MAC] = true
		mac := platform.MACKey(m.MAC)
		put := func(set *platform.Set, e platform.Element) { set.Elements = append(set.Elements, e) }
		verdict := func(d Direction) platform.Verdict { return turn(gen(verdictChain(m.Mode, d, m.Segment), n)) }
		put(devices, platform.Element{Key: mac})
		put(leave, platform.Element{Key: mac, Verdict: verdict(To)})
		put(reach, platform.Element{Key: mac, Verdict: verdict(From)})
		g, ok := allowed[m.Segment]
		if !ok {
			continue // the default: nothing is allowed beyond housekeeping
		}
		met := map[fact.MAC]bool{m.MAC: true}
		for s, list := range filled[m.Segment] {
			for _, e := range list {
				if e.mac == m.MAC {
					continue // its own segment is a peer, itself is none
				}
				put(sets[s], e.of(mac))
				if s.near && !met[e.mac] {
					met[e.mac] = true
					put(near, platform.Element{Key: mac + platform.MACKey(e.mac)})
				}
			}
		}
		if g.open {
			put(open, platform.Element{Key: mac})
		}
		for _, et := range g.ethers {
			put(ethers, platform.Element{Key: mac + platform.Uint16Key(et)})
		}
		for _, e := range boxElements(g.broadcast, disjoint, always, castKey) {
			put(casts, e.of(mac))
		}
	}
	for _, s := range used {
		t.Sets = append(t.Sets, *sets[s])
	}
	t.Sets = append(t.Sets, *devices, *open, *near, *own4, *own6, *leave, *reach)
	if c.usesEther() {
		t.Sets = append(t.Sets, *ethers)
	}
	if c.usesBroadcast() {
		t.Sets = append(t.Sets, *casts)
	}
}
