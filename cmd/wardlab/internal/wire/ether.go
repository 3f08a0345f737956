package wire

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// EtherTypes that the lab writes or counts.
const (
	EtherIPv4 = 0x0800
	EtherARP  = 0x0806
)

// MAC is an Ethernet address.
type MAC = [6]byte

// BroadcastMAC returns ff:ff:ff:ff:ff:ff.
func BroadcastMAC() MAC {
	const b = 0xff
	return MAC{b, b, b, b, b, b}
}

// Ethernet puts the 14-octet header in front of payload and pads the frame to
// the 60 octets which a network card sends at least (IEEE 802.3 3.2.8).
func Ethernet(dst, src MAC, etherType uint16, payload []byte) []byte {
	f := make([]byte, 0, max(60, 14+len(payload)))
	f = append(f, dst[:]...)
	f = append(f, src[:]...)
	f = binary.BigEndian.AppendUint16(f, etherType)
	f = append(f, payload...)
	for len(f) < 60 {
		f = append(f, 0)
	}
	return f
}

// ARP operations (RFC 826).
const (
	ARPRequest = 1
	ARPReply   = 2
)

// ARP is an Ethernet/IPv4 ARP packet.
type ARP struct {
	Op       uint16
	SHA, THA MAC
	SPA, TPA netip.Addr
}

// Marshal is the packet without its Ethernet header (RFC 826: htype 1, ptype
// 0800, hlen 6, plen 4).
func (a ARP) Marshal() []byte {
	p := []byte{0, 1, 8, 0, 6, 4}
	p = binary.BigEndian.AppendUint16(p, a.Op)
	p = append(p, a.SHA[:]...)
	p = append(p, v4(a.SPA)...)
	p = append(p, a.THA[:]...)
	return append(p, v4(a.TPA)...)
}

// errARP says that bytes are no Ethernet/IPv4 ARP packet.
var errARP = errors.New("no ethernet/ipv4 arp packet")

// ParseARP reads a packet that follows an Ethernet header.
func ParseARP(b []byte) (ARP, error) {
	if len(b) < 28 || binary.BigEndian.Uint16(b) != 1 || binary.BigEndian.Uint16(b[2:]) != EtherIPv4 || b[4] != 6 || b[5] != 4 {
		return ARP{}, errARP
	}
	return ARP{
		Op:  binary.BigEndian.Uint16(b[6:]),
		SHA: MAC(b[8:14]), SPA: netip.AddrFrom4([4]byte(b[14:18])),
		THA: MAC(b[18:24]), TPA: netip.AddrFrom4([4]byte(b[24:28])),
	}, nil
}

// v4 is the address's four octets; 0.0.0.0 for the zero Addr.
func v4(a netip.Addr) []byte {
	if !a.Is4() {
		return []byte{0, 0, 0, 0}
	}
	b := a.As4()
	return b[:]
}

// UDP4 makes a whole IPv4 packet with a UDP datagram, for hosts which have no
// address yet and must write their own (RFC 791, RFC 768).
func UDP4(src, dst netip.AddrPort, payload []byte) []byte {
	u := binary.BigEndian.AppendUint16(nil, src.Port())
	u = binary.BigEndian.AppendUint16(u, dst.Port())
	u = binary.BigEndian.AppendUint16(u, uint16(8+len(payload)))
	u = append(u, 0, 0)
	u = append(u, payload...)
	pseudo := append(append([]byte{}, v4(src.Addr())...), v4(dst.Addr())...)
	pseudo = append(pseudo, 0, 17)
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(u)))
	sum := checksum(append(pseudo, u...))
	if sum == 0 {
		sum = 0xffff // RFC 768: a computed zero is sent as all ones
	}
	binary.BigEndian.PutUint16(u[6:], sum)
	return ipv4(src.Addr(), dst.Addr(), 17, u)
}

func ipv4(src, dst netip.Addr, proto byte, payload []byte) []byte {
	h := []byte{0x45, 0}
	h = binary.BigEndian.AppendUint16(h, uint16(20+len(payload)))
	h = append(h, 0, 0, 0, 0, 64, proto, 0, 0)
	h = append(h, v4(src)...)
	h = append(h, v4(dst)...)
	binary.BigEndian.PutUint16(h[10:], checksum(h))
	return append(h, payload...)
}

// checksum is the Internet checksum (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// Echo is an ICMP echo request (RFC 792) with an identifier and a number.
func Echo(id, seq uint16) []byte {
	b := be(nil).u8(8, 0, 0, 0).u16(id).u16(seq).bytes([]byte("abcdefghijklmnopqrstuvwabcdefghi"))
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
}
