package policy

import (
	"encoding/binary"
	"net/netip"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// frame is a frame under construction, from the outside in. It is written from
// the RFCs, not from the rules.
type frame struct {
	src, dst  fact.MAC
	vlans     []uint16 // tags, outermost first
	etherType uint16
	body      []byte // of frames that are not IP

	ip      [2]netip.Addr // from, to
	proto   uint8
	options int    // bytes of IPv4 options
	offset  uint16 // of a fragment, in 8 bytes
	more    bool
	frag    bool    // IPv6: with a fragment header even at offset 0
	ext     []uint8 // IPv6 extension headers before the fragment's
	payload []byte  // transport header and on
	length  int     // IPv4: a total length that lies, 0 for the true one
}

func (f frame) bytes() []byte {
	b := append(append([]byte(nil), f.dst[:]...), f.src[:]...)
	for _, v := range f.vlans {
		b = binary.BigEndian.AppendUint16(b, 0x8100)
		b = binary.BigEndian.AppendUint16(b, v)
	}
	b = binary.BigEndian.AppendUint16(b, f.etherType)
	switch {
	case f.body != nil:
		b = append(b, f.body...)
	case f.etherType == etherIPv4:
		b = append(b, f.ipv4()...)
	case f.etherType == etherIPv6:
		b = append(b, f.ipv6()...)
	}
	for len(b) < 60 {
		b = append(b, 0)
	}
	return b
}

func (f frame) ipv4() []byte {
	size := 20 + f.options
	b := make([]byte, size)
	b[0] = 0x40 | byte(size/4)
	total := size + len(f.payload)
	if f.length != 0 {
		total = f.length
	}
	binary.BigEndian.PutUint16(b[2:], uint16(total))
	binary.BigEndian.PutUint16(b[4:], 0x4242)
	fo := f.offset
	if f.more {
		fo |= 0x2000
	}
	binary.BigEndian.PutUint16(b[6:], fo)
	b[8], b[9] = 64, f.proto
	copy(b[12:], f.ip[0].AsSlice())
	copy(b[16:], f.ip[1].AsSlice())
	for i := 20; i < size; i++ {
		b[i] = 1 // no operation
	}
	var sum uint32
	for i := 0; i < size; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum))
	return append(b, f.payload...)
}

func (f frame) ipv6() []byte {
	var ext []byte
	chain := append([]uint8(nil), f.ext...)
	if f.frag || f.offset > 0 || f.more {
		chain = append(chain, 44)
	}
	for i, h := range chain {
		next := f.proto
		if i+1 < len(chain) {
			next = chain[i+1]
		}
		if h == 44 {
			fo := f.offset << 3
			if f.more {
				fo |= 1
			}
			ext = append(ext, next, 0, byte(fo>>8), byte(fo), 0, 0, 0, 7)
			continue
		}
		ext = append(ext, next, 0, 1, 4, 0, 0, 0, 0) // PadN
	}
	b := make([]byte, 40)
	b[0] = 0x60
	binary.BigEndian.PutUint16(b[4:], uint16(len(ext)+len(f.payload)))
	b[6] = f.proto
	if len(chain) > 0 {
		b[6] = chain[0]
	}
	b[7] = 255
	copy(b[8:], f.ip[0].AsSlice())
	copy(b[24:], f.ip[1].AsSlice())
	return append(append(b, ext...), f.payload...)
}

// Bits of TCP flags.
const (
	fin, syn, rst, psh, ack = 1, 2, 4, 8, 16
)

func tcpBytes(from, to uint16, flags byte) []byte {
	b := make([]byte, 20, 24)
	binary.BigEndian.PutUint16(b, from)
	binary.BigEndian.PutUint16(b[2:], to)
	b[12], b[13] = 0x50, flags
	return append(b, "data"...)
}

func udpBytes(from, to uint16) []byte {
	b := make([]byte, 8, 24)
	binary.BigEndian.PutUint16(b, from)
	binary.BigEndian.PutUint16(b[2:], to)
	binary.BigEndian.PutUint16(b[4:], 24)
	return append(b, "data data data d"...)
}

func icmpBytes(kind byte, rest ...byte) []byte {
	b := append([]byte{kind, 0, 0, 0, 0, 0, 0, 0}, rest...)
	for len(b) < 32 {
		b = append(b, 0)
	}
	return b
}

// ip is an IP frame between two hosts.
func ip(srcMAC, srcIP, dstMAC, dstIP string, proto uint8, payload []byte) frame {
	a, b := netip.MustParseAddr(srcIP), netip.MustParseAddr(dstIP)
	et := uint16(etherIPv4)
	if b.Is6() {
		et = etherIPv6
	}
	return frame{src: mac(srcMAC), dst: mac(dstMAC), etherType: et, ip: [2]netip.Addr{a, b}, proto: proto, payload: payload}
}

// arp is an ARP packet (RFC 826): op 1 asks, 2 answers.
func arp(srcMAC, dstMAC string, op byte, senderMAC, senderIP, targetIP string) frame {
	s, t := netip.MustParseAddr(senderIP).As4(), netip.MustParseAddr(targetIP).As4()
	m := mac(senderMAC)
	body := append([]byte{0, 1, 8, 0, 6, 4, 0, op}, m[:]...)
	body = append(append(body, s[:]...), 0, 0, 0, 0, 0, 0)
	return frame{src: mac(srcMAC), dst: mac(dstMAC), etherType: etherARP, body: append(body, t[:]...)}
}

// nd is a neighbour solicitation or advertisement (RFC 4861 §4.3, §4.4).
func nd(srcMAC, srcIP, dstMAC, dstIP string, kind byte, target string) frame {
	t := netip.MustParseAddr(target).As16()
	return ip(srcMAC, srcIP, dstMAC, dstIP, protoICMP6, append([]byte{kind, 0, 0, 0, 0x60, 0, 0, 0}, t[:]...))
}

// ether is a frame that is neither IP nor ARP.
func ether(srcMAC, dstMAC string, etherType uint16) frame {
	return frame{src: mac(srcMAC), dst: mac(dstMAC), etherType: etherType, body: make([]byte, 46)}
}

func (f frame) vlan(ids ...uint16) frame    { f.vlans = ids; return f }
func (f frame) withOptions(n int) frame     { f.options = n; return f }
func (f frame) withExt(list ...uint8) frame { f.ext = list; return f }
func (f frame) first() frame                { f.more, f.frag = true, true; return f }
func (f frame) atomic() frame               { f.frag = true; return f }
func (f frame) lying(total int) frame       { f.length = total; return f }

// later makes it a later fragment, whose payload an attacker may choose to look
// like a transport header.
func (f frame) later() frame { f.offset, f.frag = 185, true; return f }

// packet is the tuple of the frame, as Explain wants it; false for frames whose
// headers lie, or that have two tags.
func (f frame) packet(in, out string) (Packet, bool) {
	p := Packet{In: in, Out: out, SrcMAC: f.src, DstMAC: f.dst, EtherType: f.etherType, Src: f.ip[0], Dst: f.ip[1], Proto: f.proto}
	if len(f.vlans) > 1 {
		return Packet{In: in, Out: out, SrcMAC: f.src, DstMAC: f.dst, EtherType: 0x8100}, true
	}
	if f.length != 0 {
		return p, false
	}
	if f.etherType == etherARP {
		p.Src, _ = netip.AddrFromSlice(f.body[14:18])
		p.Dst, _ = netip.AddrFromSlice(f.body[24:28])
	}
	if f.body != nil {
		return p, true
	}
	if f.offset > 0 {
		p.LaterFragment = true
		return p, true
	}
	switch f.proto {
	case protoTCP:
		p.Opens = f.payload[13]&(syn|ack) == syn
		fallthrough
	case protoUDP:
		p.SrcPort, p.DstPort = binary.BigEndian.Uint16(f.payload), binary.BigEndian.Uint16(f.payload[2:])
	case protoICMP, protoICMP6:
		p.SrcPort = uint16(f.payload[0])
		if f.proto == protoICMP6 && f.payload[0] == 136 {
			p.NDTarget, _ = netip.AddrFromSlice(f.payload[8:24])
		}
	}
	return p, true
}
