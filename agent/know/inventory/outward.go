package inventory

import (
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/know/utilise"
)

// outward is what leaves the box of a device's facts: of the names that a
// device asks for only the registered domain, since longer ones can carry what
// a user typed. In memory they stay whole. What tells what a device is doing stays
// inside, and of all times no more than the hour leaves: some messages tell when
// a device is used, and with a bed that would name a person.
func outward(facts []device.Known) []device.Known {
	out := make([]device.Known, 0, len(facts))
	seen := make(map[string]bool)
	for _, f := range facts {
		if utilise.Reports(f.Kind) {
			continue
		}
		f.First, f.Last = f.First.Truncate(time.Hour), f.Last.Truncate(time.Hour)
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

// registered is the registered domain: a public suffix of the registries and
// one label. It is "" where the name has none, as names inside a site do, whose
// first label may be a person's. Below the suffixes that companies hand out to
// their customers (myname.dyndns.example) the company's own domain counts.
func registered(name string) string {
	if _, err := netip.ParseAddr(name); err == nil {
		return ""
	}
	name = strings.ToLower(strings.Trim(name, "."))
	for rest := name; ; {
		label, tail, more := strings.Cut(rest, ".")
		if !more || label == "" || suffix(rest) {
			return ""
		}
		if suffix(tail) {
			return rest
		}
		rest = tail
	}
}

// suffix reports a public suffix of the registries.
func suffix(name string) bool {
	s, icann := publicsuffix.PublicSuffix(name)
	return icann && s == name
}
