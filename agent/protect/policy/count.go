package policy

import "github.com/wardkeeper/wardkeeper/platform"

// Count is how many packets came to one verdict chain since it was loaded.
type Count struct {
	Refusal
	Chain   string
	Packets uint64
}

// Counts reads the exact counters of a table that was read back.
func Counts(t platform.Table) []Count {
	var out []Count
	for _, c := range t.Chains {
		if len(c.Rules) == 0 || c.Rules[0].Log == nil {
			continue
		}
		r, ok := ParsePrefix(c.Rules[0].Log.Prefix)
		if !ok {
			continue
		}
		n := Count{Refusal: r, Chain: c.Name}
		for _, rule := range c.Rules {
			n.Packets += rule.Packets
		}
		out = append(out, n)
	}
	return out
}
