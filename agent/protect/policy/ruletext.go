package policy

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

func fieldName(f platform.Field) string {
	names := [...]string{
		platform.MetaProtocol: "protocol", platform.MetaL4Proto: "l4proto", platform.MetaIIFName: "in-port", platform.MetaOIFName: "out-port",
		platform.MetaIIFType: "in-type", platform.MetaPktType: "packet-type", platform.EtherSaddr: "mac-from", platform.EtherDaddr: "mac-to",
		platform.ARPOp: "arp-op", platform.ARPSenderHW: "arp-sender-mac", platform.ARPSenderIP: "arp-sender", platform.ARPTargetIP: "arp-target",
		platform.IPv4Saddr: "ip-from", platform.IPv4Daddr: "ip-to", platform.IPv4FragOff: "ip-fragment", platform.IPv6Saddr: "ip6-from",
		platform.IPv6Daddr: "ip6-to", platform.IPv6FragOff: "ip6-fragment", platform.NDTarget: "nd-target", platform.THSport: "port-from",
		platform.THDport: "port-to", platform.TCPFlags: "tcp-flags", platform.ICMPType: "icmp-type", platform.ICMPv6Type: "icmp6-type",
	}
	if int(f) < len(names) && names[f] != "" {
		return names[f]
	}
	return "?"
}

// RuleText writes a rule on one line, its comment last.
func RuleText(r platform.Rule) string {
	var w []string
	for _, m := range r.Matches {
		w = append(w, matchText(m))
	}
	if r.Limit != nil {
		w = append(w, fmt.Sprintf("at most %d/s burst %d", r.Limit.PerSecond, r.Limit.Burst))
	}
	if r.Log != nil {
		w = append(w, fmt.Sprintf("log %q to group %d, %d bytes", r.Log.Prefix, r.Log.Group, r.Log.Snaplen))
	}
	if r.Counter {
		w = append(w, "count")
	}
	switch {
	case r.VMap != nil:
		w = append(w, "do as "+r.VMap.Map+" says of "+fieldNames(r.VMap.Fields))
	case r.Verdict.Kind != 0:
		w = append(w, verdictText(r.Verdict))
	}
	if r.Foreign {
		w = append(w, "(not ours)")
	}
	s := strings.Join(w, " ")
	if r.Comment != "" {
		s += "  # " + r.Comment
	}
	return s
}

func fieldNames(f []platform.Field) string {
	out := make([]string, len(f))
	for i := range f {
		out[i] = fieldName(f[i])
	}
	return strings.Join(out, ".")
}

func matchText(m platform.Match) string {
	s := fieldNames(m.Fields)
	if m.Mask != "" {
		s += fmt.Sprintf("&%x", m.Mask)
	}
	op := map[platform.Op]string{platform.OpEq: "=", platform.OpNeq: "!=", platform.OpIn: " in ", platform.OpNotIn: " not in "}[m.Op]
	switch {
	case m.Set != "":
		return s + op + m.Set
	case len(m.Values) > 0:
		v := make([]string, len(m.Values))
		for i := range v {
			v[i] = valueText(m.Fields[0], m.Mask, m.Values[i])
		}
		return s + op + "{" + strings.Join(v, " ") + "}"
	}
	return s + op + valueText(m.Fields[0], m.Mask, m.Value)
}

func valueText(f platform.Field, mask, v string) string {
	switch {
	case mask != "":
		return fmt.Sprintf("%x", v)
	case f == platform.MetaIIFName || f == platform.MetaOIFName:
		return strings.TrimRight(v, "\x00")
	case f == platform.EtherSaddr || f == platform.EtherDaddr || f == platform.ARPSenderHW:
		return fact.MAC([]byte(v)).String()
	case f == platform.MetaProtocol:
		return fmt.Sprintf("0x%x", v)
	case len(v) == 4 || len(v) == 16:
		a, _ := netip.AddrFromSlice([]byte(v))
		return a.String()
	}
	return keyText(platform.KeyService, v)
}

func verdictText(v platform.Verdict) string {
	name := [...]string{"", "accept", "drop", "return", "jump ", "goto "}[min(v.Kind, platform.Goto)]
	return name + v.Chain
}
