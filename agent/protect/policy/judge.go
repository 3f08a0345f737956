package policy

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// Cut is a flow with a clinical peer that rules would take from a
// life-sustaining device.
type Cut struct {
	Device device.ID
	Peer   string     // its name; "everybody" where the device's own address is refused
	Addr   netip.Addr // of the peer
	Why    string
}

// wardPort is where a judged device is: rules name no port of the ward.
const wardPort = "ward"

// Judge lists what these rules would cut of the devices that vital names: of
// their exempt pairs, those of old among them, and of the conversations they have
// had with what these rules or those of before call a clinical peer.
func (c *Compiled) Judge(snap *device.Snapshot, before *Compiled, vital func(device.ID) bool) []Cut {
	clinical := c.clinicalAddrs()
	if before != nil {
		for a, name := range before.clinicalAddrs() {
			clinical[a] = name
		}
	}
	ward := map[fact.MAC]bool{}
	for i := range snap.Devices {
		ward[snap.Devices[i].MAC] = true
	}
	var out []Cut
	for i := range snap.Devices {
		d := &snap.Devices[i]
		if !vital(d.ID) {
			continue
		}
		told := map[netip.Addr]bool{}
		judge := func(name string, addr netip.Addr, packets []Packet) {
			for _, p := range packets {
				if e := c.Explain(p); e.Verdict == Deny && !told[addr] {
					told[addr] = true
					out = append(out, Cut{Device: d.ID, Peer: name, Addr: addr, Why: strings.Join(e.Why, "; ")})
				}
			}
		}
		for _, a := range sortedAddrs(d.IPs) {
			// With its own address taken for another's it would reach nobody, if not
			// now, then under another mode. Where it is so already nothing changes:
			// a host that borrows addresses in its name must not stop a policy.
			if c.behind[a] && (before == nil || !before.behind[a]) {
				out = append(out, Cut{Device: d.ID, Peer: "everybody", Addr: a, Why: fmt.Sprintf("its own address %s lies behind the uplink", a)})
			}
		}
		for _, x := range c.Pairs {
			if x.MAC == d.MAC {
				judge(x.Peer, x.Addr, c.between(d, x.Addr, x.PeerMAC, fact.Service{Proto: protoUDP, Port: 1}, fact.OpenerPeer))
			}
		}
		for _, v := range d.Conversations {
			name, ok := clinical[v.Peer]
			if !ok {
				continue
			}
			peer := v.PeerMAC
			if !ward[peer] {
				peer = fact.MAC{}
			}
			judge(name, v.Peer, c.between(d, v.Peer, peer, v.Service, v.Opener))
		}
	}
	return out
}

// clinicalAddrs are the addresses of all clinical peers, with their names.
func (c *Compiled) clinicalAddrs() map[netip.Addr]string {
	out := map[netip.Addr]string{}
	for i := range c.in.Policy.Peers {
		if q := &c.in.Policy.Peers[i]; q.Clinical {
			for _, a := range c.in.Policy.addrsOf(q, c.in.Placement) {
				out[a] = q.Name
			}
		}
	}
	for _, x := range c.Pairs {
		out[x.Addr] = x.Peer
	}
	return out
}

// between are the packets of a conversation of a device with a peer, which is on
// the ward (peer) or behind the uplink (zero), from each address of the device.
func (c *Compiled) between(d *device.Device, addr netip.Addr, peer fact.MAC, s fact.Service, opener fact.Opener) []Packet {
	const client = 49152
	own := []netip.Addr{}
	for _, a := range sortedAddrs(d.IPs) {
		if a.Is4() == addr.Is4() {
			own = append(own, a)
		}
	}
	if len(own) == 0 {
		own = append(own, netip.Addr{})
	}
	there := c.in.Uplink
	if peer != (fact.MAC{}) {
		there = wardPort + " 2"
	}
	ether := uint16(etherIPv4)
	if addr.Is6() {
		ether = etherIPv6
	}
	var out []Packet
	for _, a := range own {
		leave := Packet{In: wardPort, Out: there, SrcMAC: d.MAC, DstMAC: peer, EtherType: ether, Src: a, Dst: addr, Proto: s.Proto, SrcPort: client, DstPort: s.Port}
		reach := Packet{In: there, Out: wardPort, SrcMAC: peer, DstMAC: d.MAC, EtherType: ether, Src: addr, Dst: a, Proto: s.Proto, SrcPort: s.Port, DstPort: client}
		switch {
		case s.Proto == protoICMP || s.Proto == protoICMP6:
			leave.SrcPort, leave.DstPort, reach.DstPort = s.Port, 0, 0
		case opener == fact.OpenerPeer:
			leave.SrcPort, leave.DstPort, reach.SrcPort, reach.DstPort = s.Port, client, client, s.Port
		}
		leave.Opens = s.Proto == protoTCP && opener != fact.OpenerPeer
		reach.Opens = s.Proto == protoTCP && opener == fact.OpenerPeer
		out = append(out, leave, reach)
	}
	return out
}
