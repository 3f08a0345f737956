package fake

import (
	"encoding/binary"

	"github.com/wardkeeper/wardkeeper/platform"
)

// EtherTypes, as in the kernel's if_ether.h.
const (
	etherIPv4 = 0x0800
	etherVLAN = 0x8100
	etherIPv6 = 0x86dd
	etherQinQ = 0x88a8

	ether8023  = 0x0001 // raw 802.3, in skb->protocol only
	ether8022  = 0x0004 // 802.2 LLC, in skb->protocol only
	leastEther = 0x0600 // below, the type is a length
)

// packet is what the bridge's hooks see of a frame: the kernel has taken one
// VLAN tag out of it, and looked at the IP header.
type packet struct {
	in, out  string
	link     []byte // 14 bytes, with the type behind the tag
	tagged   bool
	tci      uint16
	protocol uint16 // skb->protocol
	network  []byte // from layer 3 to the end of the frame, padding included

	// transport is set where the IP header was sound (NFT_PKTINFO_L4PROTO).
	transport bool
	l4        uint8
	offset    int    // of the transport header in network
	fragment  uint16 // offset of a later fragment
}

// parsePacket does what eth_type_trans, skb_vlan_untag and nft_set_pktinfo do.
// It returns false for a frame that the kernel drops before any hook.
func parsePacket(frame []byte) (*packet, bool) {
	if len(frame) < 14 {
		return nil, false
	}
	p := &packet{link: append([]byte(nil), frame[:14]...), network: frame[14:]}
	if kind := binary.BigEndian.Uint16(frame[12:]); kind == etherVLAN || kind == etherQinQ {
		if len(frame) < 20 { // the kernel pulls the tag and two bytes more
			return nil, false
		}
		p.tagged, p.tci = true, binary.BigEndian.Uint16(frame[14:])
		copy(p.link[12:], frame[16:18])
		p.network = frame[18:]
	}
	kind := binary.BigEndian.Uint16(p.link[12:])
	p.protocol = kind
	if kind < leastEther {
		p.protocol = ether8022
		if len(p.network) >= 2 && p.network[0] == 0xff && p.network[1] == 0xff {
			p.protocol = ether8023
		}
	}
	switch kind {
	case etherIPv4:
		p.parseIPv4()
	case etherIPv6:
		p.parseIPv6()
	}
	return p, true
}

func (p *packet) isIP() bool { return p.protocol == etherIPv4 || p.protocol == etherIPv6 }

// parseIPv4 is nft_set_pktinfo_ipv4_validate.
func (p *packet) parseIPv4() {
	b := p.network
	if len(b) < 20 || b[0]>>4 != 4 || b[0]&0xf < 5 {
		return
	}
	header, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
	if total > len(b) || total < header {
		return
	}
	p.transport, p.l4, p.offset = true, b[9], header
	p.fragment = binary.BigEndian.Uint16(b[6:]) & 0x1fff
}

// parseIPv6 is nft_set_pktinfo_ipv6_validate.
func (p *packet) parseIPv6() {
	b := p.network
	if len(b) < 40 || b[0]>>4 != 6 || int(binary.BigEndian.Uint16(b[4:]))+40 > len(b) {
		return
	}
	h, ok := p.findHeader(-1)
	if !ok {
		return
	}
	p.transport, p.l4, p.offset, p.fragment = true, h.proto, h.offset, h.fragment
}

// header is where an IPv6 header was found.
type header struct {
	proto    uint8
	offset   int
	fragment uint16
}

// Extension headers (ipv6_ext_hdr of the kernel).
const (
	extHopByHop = 0
	extRouting  = 43
	extFragment = 44
	extAuth     = 51
	extNone     = 59
	extDest     = 60
)

func isExtension(proto uint8) bool {
	switch proto {
	case extHopByHop, extRouting, extFragment, extAuth, extNone, extDest:
		return true
	}
	return false
}

// findHeader is ipv6_find_hdr: it walks to the header with the wanted number, or
// with -1 to the transport header. Of a later fragment it then returns offset 0,
// so that a load of a port reads the beginning of the IPv6 header.
func (p *packet) findHeader(want int) (header, bool) {
	b := p.network
	if len(b) < 40 {
		return header{}, false
	}
	next, at := b[6], 40
	for {
		found := int(next) == want
		if !isExtension(next) || next == extNone {
			return header{proto: next, offset: at}, want < 0 || found
		}
		if at+2 > len(b) || next == extRouting && at+4 > len(b) {
			return header{}, false
		}
		size := (int(b[at+1]) + 1) * 8
		switch next {
		case extFragment:
			if at+4 > len(b) {
				return header{}, false
			}
			if fragment := binary.BigEndian.Uint16(b[at+2:]) &^ 7; fragment != 0 {
				inner := b[at]
				if want < 0 && (!isExtension(inner) || inner == extNone) {
					return header{proto: inner, fragment: fragment}, true
				}
				return header{proto: next, offset: at, fragment: fragment}, found
			}
			size = 8
		case extAuth:
			if want < 0 { // nftables asks to stop here (IP6_FH_F_AUTH)
				return header{proto: next, offset: at}, true
			}
			size = (int(b[at+1]) + 2) * 4
		}
		if found {
			return header{proto: next, offset: at}, true
		}
		next, at = b[at], at+size
	}
}

// packetType is skb->pkt_type of a frame that is not for the port itself.
func (p *packet) packetType() uint8 {
	broadcast := true
	for _, c := range p.link[:6] {
		broadcast = broadcast && c == 0xff
	}
	switch {
	case broadcast:
		return 1
	case p.link[0]&1 != 0:
		return 2
	}
	return 3
}

// key reads the fields, side by side; false if the packet lacks one of them.
func (p *packet) key(fields []platform.Field) (string, bool) {
	key := ""
	for _, f := range fields {
		value, ok := p.field(f)
		if !ok {
			return "", false
		}
		key += value
	}
	return key, true
}
