package policy

import (
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

// Opened are the sets of break-glass that a table which was read back has, with
// what is open.
func Opened(have platform.Table) []platform.Set {
	var out []platform.Set
	for _, ours := range openSets() {
		for _, s := range have.Sets {
			if s.Name == ours.Name && sameKind(s, ours) && len(s.Elements) > 0 {
				out = append(out, s)
			}
		}
	}
	return out
}

// Forever is how long the gateway is open by an element without a timeout, which
// nothing of ours makes.
const Forever = 100 * 365 * 24 * time.Hour

// OpenFor is for how long after the reading the whole gateway is open, 0 for
// closed. opened are the sets as Opened returns them.
func OpenFor(opened []platform.Set) time.Duration {
	for _, s := range opened {
		for _, e := range s.Elements {
			switch {
			case s.Name != SetOpenAll || e.Key != platform.Uint16Key(arphrdEther):
			case e.Timeout == 0:
				return Forever
			default:
				return time.Duration(e.Expires) * time.Millisecond
			}
		}
	}
	return 0
}

// Reopen opens what was open when the sets were read, so long ago, for the rest
// of its time. It is for a table that is made anew: a stranger who removes the
// rules, or a repair, must not close what a person opened.
func Reopen(opened []platform.Set, ago time.Duration) []platform.Step {
	var out []platform.Step
	for _, s := range opened {
		var left []platform.Element
		for _, e := range s.Elements {
			if e.Timeout > 0 {
				e.Timeout = e.Expires - ago.Milliseconds()
				if e.Timeout <= 0 {
					continue
				}
			}
			left = append(left, e)
		}
		if len(left) > 0 {
			out = append(out, platform.Step{AddElements: &platform.SetElements{Set: s.Name, Elements: left}})
		}
	}
	return out
}
