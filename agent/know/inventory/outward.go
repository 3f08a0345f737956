package inventory

import (
	"net/netip"

	"golang.org/x/net/publicsuffix"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// outward is what leaves the box of a device's facts: of the names that a
// device asks for only the registered domain, since longer ones can carry what
// a user typed. In memory they stay whole.
func outward(facts []device.Known) []device.Known {
	out := make([]device.Known, 0, len(facts))
	seen := make(map[string]bool)
	for _, f := range facts {
		if f.Kind == fact.TLSSNI {
			f.Value = registered(f.Value)
			if f.Value == "" || seen[f.Value] {
				continue
			}
			seen[f.Value] = true
		}
		out = append(out, f)
	}
	return out
}

// registered is the registered domain (public suffix plus one label), "" where
// the name has none.
func registered(name string) string {
	if _, err := netip.ParseAddr(name); err == nil {
		return ""
	}
	d, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return ""
	}
	return d
}
