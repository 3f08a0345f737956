package policy

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Pair is an exempt pair: all IP traffic between a life-sustaining device and a
// clinical peer passes, whatever the rest of the policy says. It is kept with
// the rules, and neither a role that changed nor a lost inventory ends it.
type Pair struct {
	Device device.ID  `json:"device"`
	MAC    fact.MAC   `json:"mac"`
	Peer   string     `json:"peer"` // its name when the pair was made
	Addr   netip.Addr `json:"addr"`
	// PeerMAC is set for a peer on the ward; else the peer is behind the uplink.
	PeerMAC fact.MAC `json:"peer_mac"`
}

func (p Pair) onWard() bool { return p.PeerMAC != fact.MAC{} }

// comparePairs orders pairs by what the kernel sees of them, then by name.
func comparePairs(a, b Pair) int {
	return cmp.Or(cmp.Compare(a.Device, b.Device), a.Addr.Compare(b.Addr), cmp.Compare(a.PeerMAC.String(), b.PeerMAC.String()),
		cmp.Compare(a.MAC.String(), b.MAC.String()))
}

// pairs are the exempt pairs that follow from the placement, and those of old.
func (p *Policy) pairs(pl Placement, old []Pair) []Pair {
	out := slices.Clone(old)
	for _, m := range pl.Members {
		for _, s := range p.segmentsOf(&m) {
			for _, peer := range p.clinicalPeers(s) {
				for _, a := range p.addrsOf(peer, pl) {
					if peer.MAC != m.MAC {
						out = append(out, Pair{Device: m.Device, MAC: m.MAC, Peer: peer.Name, Addr: a, PeerMAC: peer.MAC})
					}
				}
			}
		}
	}
	slices.SortStableFunc(out, comparePairs)
	return slices.CompactFunc(out, func(a, b Pair) bool { return comparePairs(a, b) == 0 })
}

// PairsIn are the exempt pairs of a table that was read back, for where nothing
// else remembers them. Their peers have no names there.
func PairsIn(t platform.Table) []Pair {
	var out []Pair
	for _, s := range t.Sets {
		var macs int // in front of the address
		switch s.Name {
		case "exempt_to4", "exempt_to6":
			macs = 1
		case "exempt_ward4", "exempt_ward6":
			macs = 2
		default:
			continue
		}
		for _, e := range s.Elements {
			if len(e.Key) < 6*macs {
				continue // a set of another kind, by a stranger
			}
			p := Pair{MAC: fact.MAC([]byte(e.Key[:6]))}
			if macs == 2 {
				p.PeerMAC = fact.MAC([]byte(e.Key[6:12]))
			}
			var ok bool
			if p.Addr, ok = netip.AddrFromSlice([]byte(e.Key[6*macs:])); ok {
				p.Device, p.Peer = device.IDOf(p.MAC), p.Addr.String()
				out = append(out, p)
			}
		}
	}
	slices.SortStableFunc(out, comparePairs)
	return out
}

// addrsOf are the single addresses of a clinical peer or of one on the ward.
func (p *Policy) addrsOf(peer *Peer, pl Placement) []netip.Addr {
	var out []netip.Addr
	for _, n := range peer.All() {
		out = append(out, n.Addr())
	}
	if len(out) > 0 || peer.Device == "" {
		return out
	}
	for _, w := range pl.Ward {
		if w.Peer == peer.Name {
			return w.Addrs
		}
	}
	return nil
}
