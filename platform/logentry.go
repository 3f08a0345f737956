package platform

import (
	"encoding/binary"
	"net/netip"
)

// EtherTypes whose payload a log entry is read from.
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherVLAN = 0x8100
	etherQinQ = 0x88a8
	etherIPv6 = 0x86dd
)

// IP protocol numbers a log entry knows (IANA protocol-numbers).
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoTCP      = 6
	protoUDP      = 17
	protoRouting  = 43
	protoFragment = 44
	protoICMPv6   = 58
	protoDestOpts = 60
	protoSCTP     = 132
)

// maxExtensions bounds the walk over IPv6 extension headers (RFC 8200 §4.1
// names seven).
const maxExtensions = 16

// ParseLogEntry reads the tuple of a logged packet: link is its Ethernet header,
// with at most one VLAN tag, etherType what the network bytes are. Both may be
// cut short or hostile; what cannot be read stays zero. It keeps no byte of them.
func ParseLogEntry(link []byte, etherType uint16, network []byte) LogEntry {
	e := LogEntry{EtherType: etherType}
	if len(link) >= 12 {
		copy(e.DstMAC[:], link)
		copy(e.SrcMAC[:], link[6:])
	}
	if len(link) >= 16 {
		if tpid := binary.BigEndian.Uint16(link[12:]); tpid == etherVLAN || tpid == etherQinQ {
			e.VLAN = binary.BigEndian.Uint16(link[14:]) & 0xfff
		}
	}
	switch etherType {
	case etherIPv4:
		e.parseIPv4(network)
	case etherIPv6:
		e.parseIPv6(network)
	case etherARP:
		e.parseARP(network)
	}
	return e
}

// parseARP reads the addresses of RFC 826 ARP over Ethernet for IPv4.
func (e *LogEntry) parseARP(b []byte) {
	if len(b) < 28 || binary.BigEndian.Uint16(b[2:]) != etherIPv4 || b[4] != 6 || b[5] != 4 {
		return
	}
	e.Src = netip.AddrFrom4([4]byte(b[14:]))
	e.Dst = netip.AddrFrom4([4]byte(b[24:]))
}

// parseIPv4 reads RFC 791 §3.1.
func (e *LogEntry) parseIPv4(b []byte) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return
	}
	e.Src = netip.AddrFrom4([4]byte(b[12:]))
	e.Dst = netip.AddrFrom4([4]byte(b[16:]))
	e.Proto = b[9]
	header := int(b[0]&0xf) * 4
	if header < 20 || header > len(b) {
		return
	}
	if binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
		e.Fragment = true
		return
	}
	e.parseTransport(b[header:])
}

// parseIPv6 reads RFC 8200 §3 and walks the extension headers of §4.
func (e *LogEntry) parseIPv6(b []byte) {
	if len(b) < 40 || b[0]>>4 != 6 {
		return
	}
	e.Src = netip.AddrFrom16([16]byte(b[8:]))
	e.Dst = netip.AddrFrom16([16]byte(b[24:]))
	e.Proto = b[6]
	b = b[40:]
	for range maxExtensions {
		var size int
		switch e.Proto {
		case protoHopByHop, protoRouting, protoDestOpts:
			if len(b) < 2 {
				return
			}
			size = (int(b[1]) + 1) * 8
		case protoFragment:
			if len(b) < 4 {
				return
			}
			size = 8
			e.Fragment = binary.BigEndian.Uint16(b[2:])&^7 != 0
		default:
			e.parseTransport(b)
			return
		}
		e.Proto = b[0]
		if e.Fragment || size > len(b) {
			return
		}
		b = b[size:]
	}
}

func (e *LogEntry) parseTransport(b []byte) {
	switch e.Proto {
	case protoTCP, protoUDP, protoSCTP:
		if len(b) < 4 {
			return
		}
		e.SrcPort = binary.BigEndian.Uint16(b)
		e.DstPort = binary.BigEndian.Uint16(b[2:])
		if e.Proto == protoTCP && len(b) >= 14 {
			e.TCPFlags = b[13]
		}
	case protoICMP, protoICMPv6:
		if len(b) < 2 {
			return
		}
		e.SrcPort, e.DstPort = uint16(b[0]), uint16(b[1])
	}
}
