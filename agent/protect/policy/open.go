package policy

import (
	"cmp"
	"slices"
	"time"

	"github.com/wardkeeper/wardkeeper/platform"
)

// openSets are the sets of break-glass, empty: their elements belong to whoever
// opened, and the kernel takes them away.
func openSets() []platform.Set {
	timed := func(name string, k platform.KeyType) platform.Set {
		return platform.Set{Name: name, Key: []platform.KeyType{k}, Timeout: true}
	}
	return []platform.Set{timed(SetOpenAll, platform.KeyIfType), timed(SetOpenPort, platform.KeyIfName), timed(SetOpenDevice, platform.KeyEtherAddr)}
}

// Opening is something that break-glass opens: an element of one of its sets.
type Opening struct {
	Set, Key string
	Left     time.Duration // from now on
}

// Forever is how long an element without a timeout opens, which nothing of ours
// makes.
const Forever = 100 * 365 * 24 * time.Hour

// timeout is what the kernel is told of the time that is left, in milliseconds.
// Less than a tick of its clock is no timeout to kernels before 6.12, nor is 0 to
// any: what should end now would stay for ever.
func timeout(left time.Duration) int64 { return max(left.Milliseconds(), leastTimeout) }

// leastTimeout is two ticks of the slowest clock that kernels have, 100 Hz.
const leastTimeout = 20

// Gateway opens the whole gateway.
func Gateway(d time.Duration) Opening {
	return Opening{SetOpenAll, platform.Uint16Key(arphrdEther), d}
}

// Opened is what is open in a table that was read back.
func Opened(have platform.Table) []Opening {
	var out []Opening
	for _, ours := range openSets() {
		for _, s := range have.Sets {
			if s.Name != ours.Name || !sameKind(s, ours) {
				continue
			}
			for _, e := range s.Elements {
				o := Opening{s.Name, e.Key, time.Duration(e.Expires) * time.Millisecond}
				if e.Timeout == 0 {
					o.Left = Forever
				}
				out = append(out, o)
			}
		}
	}
	slices.SortFunc(out, func(a, b Opening) int { return cmp.Or(cmp.Compare(a.Set, b.Set), cmp.Compare(a.Key, b.Key)) })
	return out
}

// OpenFor is for how long the whole gateway is open, 0 for closed.
func OpenFor(opened []Opening) time.Duration {
	for _, o := range opened {
		if o.Set == SetOpenAll && o.Key == Gateway(0).Key {
			return o.Left
		}
	}
	return 0
}

// Open opens all of these, each for its time, longer or shorter than it may be
// open already. The kernel takes them away.
func Open(list ...Opening) platform.Change {
	c := platform.Change{Family: platform.FamilyBridge, Table: TableName}
	for _, o := range list {
		e := platform.Element{Key: o.Key, Timeout: timeout(o.Left)}
		if o.Left == Forever {
			e.Timeout = 0
		}
		c.Steps = append(c.Steps, platform.Step{RenewElements: &platform.SetElements{Set: o.Set, Elements: []platform.Element{e}}})
	}
	return c
}

// BreakGlass opens the whole gateway for that long.
func BreakGlass(d time.Duration) platform.Change { return Open(Gateway(d)) }

// EndBreakGlass closes what BreakGlass opened, and is no error where nothing is
// open.
func EndBreakGlass() platform.Change {
	c := BreakGlass(time.Minute)
	e := c.Steps[0].RenewElements
	c.Steps = []platform.Step{{AddElements: e}, {DeleteElements: e}}
	return c
}
