package policy

import "net/netip"

// somePort is a port that clients ask from (RFC 6335: dynamic).
const somePort = 49152

// echoRequest is the type of a ping (RFC 792); that of IPv6 is echoRequest6
// (RFC 4443).
const (
	echoRequest  = 8
	echoRequest6 = 128
)

// Request is the first packet of somebody at src who asks dst for the service,
// of a range the lowest. Ports and MAC addresses are the caller's.
func Request(svc Service, src, dst netip.Addr) Packet {
	if svc.Proto == Ether {
		return Packet{EtherType: svc.Lo}
	}
	p := Packet{EtherType: etherIPv4, Src: src, Dst: dst, SrcPort: somePort, DstPort: svc.Lo}
	if dst.Is6() {
		p.EtherType = etherIPv6
	}
	switch svc.Proto {
	case TCP:
		p.Proto, p.Opens = protoTCP, true
	case UDP:
		p.Proto = protoUDP
	case ICMP:
		p.Proto, p.SrcPort, p.DstPort = protoICMP, svc.Lo, 0
	case ICMP6:
		p.Proto, p.SrcPort, p.DstPort = protoICMP6, svc.Lo, 0
	case Echo:
		p.Proto, p.SrcPort, p.DstPort = protoICMP, echoRequest, 0
		if dst.Is6() {
			p.Proto, p.SrcPort = protoICMP6, echoRequest6
		}
	case IP:
		p.Proto, p.SrcPort, p.DstPort = uint8(svc.Lo), 0, 0
	}
	return p
}
