package main

import (
	"net/netip"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
)

// A capture knows no ports: every device is taken to be on one ward port, and
// every peer that the policy places behind the uplink to be there.
const (
	wardPort   = "ward"
	uplinkPort = "uplink"
)

// refusal is one conversation that the policy does not let through.
type refusal struct {
	Peer    string `json:"peer"`
	Service string `json:"service"`
	Opener  string `json:"opener"`
	Verdict string `json:"verdict"` // "deny", "would-deny"
	Why     string `json:"why"`
}

// refusals judges a device's conversations by the policy, at the packet that
// opened them.
func refusals(c *policy.Compiled, d device.Device) []refusal {
	if c == nil {
		return nil
	}
	var out []refusal
	for _, v := range d.Conversations {
		e := c.Explain(opening(c, d, v))
		if e.Verdict == policy.Pass {
			continue
		}
		out = append(out, refusal{Peer: peerName(v), Service: v.Service.String(), Opener: v.Opener.String(), Verdict: e.Verdict, Why: strings.Join(e.Why, "; ")})
	}
	return out
}

// opening is the packet that began the conversation; where nobody saw it, the
// device is taken to have sent it.
func opening(c *policy.Compiled, d device.Device, v device.Conversation) policy.Packet {
	own := d.MAC
	var ip netip.Addr
	for _, a := range d.IPs { // newest first
		if a.Is4() == v.Peer.Is4() {
			ip = a
			break
		}
	}
	p := policy.Packet{In: wardPort, Out: uplinkPort, SrcMAC: own, DstMAC: v.PeerMAC, EtherType: v.Service.EtherType, Src: ip, Dst: v.Peer,
		Proto: v.Service.Proto, DstPort: v.Service.Port, SrcPort: 49152, Opens: v.Service.Proto == 6}
	if v.Service.Proto == 1 || v.Service.Proto == 58 {
		p.SrcPort, p.DstPort = v.Service.Port, 0
	}
	if v.Opener == fact.OpenerPeer {
		p.In, p.Out = uplinkPort, wardPort
		p.SrcMAC, p.DstMAC, p.Src, p.Dst = p.DstMAC, p.SrcMAC, p.Dst, p.Src
	}
	return p
}

func peerName(v device.Conversation) string {
	if v.Peer.IsValid() {
		return v.Peer.String()
	}
	return v.PeerMAC.String()
}
