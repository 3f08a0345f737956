package fake

import "github.com/wardkeeper/wardkeeper/platform"

// field reads one field as the kernel does: header fields are bytes at an
// offset, whatever the packet is. Only a match on meta protocol and meta l4proto
// in front of them makes sense of them.
func (p *packet) field(f platform.Field) (string, bool) {
	switch f {
	case platform.MetaProtocol:
		return platform.Uint16Key(p.protocol), true
	case platform.MetaL4Proto:
		return platform.ByteKey(p.l4), p.transport
	case platform.MetaIIFName:
		return platform.NameKey(p.in), true
	case platform.MetaOIFName:
		// Before the frame is forwarded that is the empty name.
		return platform.NameKey(p.out), true
	case platform.MetaIIFType:
		return platform.Uint16Key(1), true // ARPHRD_ETHER
	case platform.MetaPktType:
		return platform.ByteKey(p.packetType()), true
	case platform.EtherDaddr:
		return string(p.link[:6]), true
	case platform.EtherSaddr:
		return string(p.link[6:12]), true
	case platform.ARPOp, platform.IPv4FragOff:
		return at(p.network, 6, f.Len())
	case platform.ARPSenderHW, platform.IPv6Saddr:
		return at(p.network, 8, f.Len())
	case platform.ARPSenderIP:
		return at(p.network, 14, f.Len())
	case platform.ARPTargetIP, platform.IPv6Daddr:
		return at(p.network, 24, f.Len())
	case platform.IPv4Saddr:
		return at(p.network, 12, f.Len())
	case platform.IPv4Daddr:
		return at(p.network, 16, f.Len())
	case platform.IPv6FragOff:
		return p.fragmentHeader()
	case platform.THSport, platform.ICMPType, platform.ICMPv6Type:
		return p.transportAt(0, f.Len())
	case platform.THDport:
		return p.transportAt(2, f.Len())
	case platform.NDTarget:
		return p.transportAt(8, f.Len())
	case platform.TCPFlags:
		return p.transportAt(13, f.Len())
	}
	return "", false
}

func at(b []byte, offset, size int) (string, bool) {
	if offset+size > len(b) {
		return "", false
	}
	return string(b[offset : offset+size]), true
}

// transportAt loads bytes of the transport header. Loads of 1, 2 and 4 bytes
// take a short cut in the kernel that does not look at the fragment offset: in
// a later fragment they read payload, or in IPv6 the beginning of the packet.
func (p *packet) transportAt(offset, size int) (string, bool) {
	short := size == 1 || size == 2 || size == 4
	if !p.transport || p.fragment != 0 && !short {
		return "", false
	}
	return at(p.network, p.offset+offset, size)
}

// fragmentHeader is the kernel's exthdr expression.
func (p *packet) fragmentHeader() (string, bool) {
	if p.protocol != etherIPv6 {
		return "", false
	}
	h, ok := p.findHeader(extFragment)
	if !ok {
		return "", false
	}
	return at(p.network, h.offset+2, 2)
}
