package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Text is the canonical text of the compiled policy: who is placed where, then
// the table, element by element. It is for people and for comparing; no tool
// reads it back.
func (c *Compiled) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "policy %d %s\n\n", c.Version, c.Hash)
	for _, s := range c.Segments {
		fmt.Fprintf(&b, "segment %s: %s, %d enforced, %d staged, %d observed\n", s.Name, s.Mode, s.Enforced, s.Staged, s.Observed)
		for _, m := range c.in.Placement.Members {
			if m.Segment != s.Name {
				continue
			}
			fmt.Fprintf(&b, "  %s %s %s %s", m.Device, m.Role, m.Class, m.Mode)
			if m.Reason != "" {
				fmt.Fprintf(&b, " (%s)", m.Reason)
			}
			b.WriteByte('\n')
		}
	}
	for _, p := range c.Pairs {
		fmt.Fprintf(&b, "exempt pair: %s and %s %s", p.Device, p.Peer, p.Addr)
		if p.onWard() {
			fmt.Fprintf(&b, " (on the ward, %s)", p.PeerMAC)
		}
		b.WriteByte('\n')
	}
	for _, q := range c.in.Quarantine {
		fmt.Fprintf(&b, "quarantine: %s for %s, by %s: %s", q.Device, q.Left, q.Owner, q.Reason)
		if q.Interlock {
			b.WriteString(" (interlock: without its exempt pairs)")
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(TableText(c.Table(1)))
	return b.String()
}

// TableText writes a table: chains, then sets. Counters are left out.
func TableText(t platform.Table) string {
	t = t.Canonical()
	var b strings.Builder
	fmt.Fprintf(&b, "table %s\n", t.Name)
	for _, c := range t.Chains {
		fmt.Fprintf(&b, "\nchain %s", c.Name)
		if c.Hook != nil {
			fmt.Fprintf(&b, " at %s, priority %d, policy %s", [...]string{platform.HookPrerouting: "prerouting", platform.HookForward: "forward"}[c.Hook.Point],
				c.Hook.Priority, map[bool]string{true: "drop", false: "accept"}[c.Hook.Drop])
		}
		b.WriteByte('\n')
		for _, r := range c.Rules {
			fmt.Fprintf(&b, "  %s\n", RuleText(r))
		}
	}
	for _, s := range t.Sets {
		b.WriteString("\n" + setText(s))
	}
	return b.String()
}

func setText(s platform.Set) string {
	var b strings.Builder
	what := "set"
	if s.Map {
		what = "map"
	}
	names := [...]string{platform.KeyEtherAddr: "mac", platform.KeyIPv4: "ipv4", platform.KeyIPv6: "ipv6", platform.KeyProto: "proto",
		platform.KeyService: "port", platform.KeyIfName: "ifname", platform.KeyIfType: "iftype", platform.KeyEtherType: "ethertype", platform.KeyICMPType: "type"}
	fmt.Fprintf(&b, "%s %s of", what, s.Name)
	for _, k := range s.Key {
		b.WriteString(" " + names[k])
	}
	for _, f := range []struct {
		on   bool
		name string
	}{{s.Interval, "ranges"}, {s.Timeout, "timeouts"}, {s.Counter, "counters"}} {
		if f.on {
			b.WriteString(", " + f.name)
		}
	}
	b.WriteByte('\n')
	for _, e := range s.Elements {
		b.WriteString(" ")
		at := 0
		for _, k := range s.Key {
			end := at + k.Len()
			lo := keyText(k, e.Key[at:end])
			b.WriteString(" " + lo)
			if e.KeyEnd != "" {
				if hi := keyText(k, e.KeyEnd[at:end]); hi != lo {
					b.WriteString("-" + hi)
				}
			}
			at = end
		}
		if s.Map {
			b.WriteString(": " + verdictText(e.Verdict))
		}
		if e.Timeout > 0 {
			fmt.Fprintf(&b, " for %s", time.Duration(e.Timeout)*time.Millisecond)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func keyText(k platform.KeyType, v string) string {
	switch k {
	case platform.KeyEtherAddr:
		return fact.MAC([]byte(v)).String()
	case platform.KeyIPv4, platform.KeyIPv6:
		a, _ := netip.AddrFromSlice([]byte(v))
		return a.String()
	case platform.KeyIfName:
		return strings.TrimRight(v, "\x00")
	case platform.KeyEtherType:
		return fmt.Sprintf("0x%x", v)
	}
	n := 0
	for i := range len(v) {
		n = n<<8 | int(v[i])
	}
	return fmt.Sprint(n)
}
