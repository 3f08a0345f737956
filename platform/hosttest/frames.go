package hosttest

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// Frames are built from the innermost part outwards. The builders write sound
// headers; a test breaks them by changing bytes.

// MAC is the n-th device's address.
func MAC(n byte) [6]byte { return [6]byte{2, 0, 0, 0, 0, n} }

// Broadcast is the address of all devices.
func Broadcast() [6]byte { return [6]byte{255, 255, 255, 255, 255, 255} }

// Ethernet builds a frame.
func Ethernet(dst, src [6]byte, etherType uint16, payload []byte) []byte {
	b := slices.Concat(dst[:], src[:])
	return append(binary.BigEndian.AppendUint16(b, etherType), payload...)
}

// Tag puts an IEEE 802.1Q tag around what a frame carries.
func Tag(frame []byte, tpid, tci uint16) []byte {
	b := slices.Clone(frame[:12])
	b = binary.BigEndian.AppendUint16(b, tpid)
	b = binary.BigEndian.AppendUint16(b, tci)
	return append(b, frame[12:]...)
}

// IPv4 builds a packet (RFC 791); fragment is the flags and offset field.
func IPv4(src, dst string, proto uint8, fragment uint16, payload []byte) []byte {
	b := make([]byte, 20, 20+len(payload))
	b[0], b[8], b[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(payload)))
	binary.BigEndian.PutUint16(b[4:], 1)
	binary.BigEndian.PutUint16(b[6:], fragment)
	copy(b[12:], netip.MustParseAddr(src).AsSlice())
	copy(b[16:], netip.MustParseAddr(dst).AsSlice())
	binary.BigEndian.PutUint16(b[10:], ^sum(b))
	return append(b, payload...)
}

// sum adds up 16-bit words as RFC 1071 does.
func sum(b []byte) uint16 {
	var s uint32
	for i := 0; i+1 < len(b); i += 2 {
		s += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// IPv6 builds a packet (RFC 8200) whose payload begins with header next.
func IPv6(src, dst string, next uint8, payload []byte) []byte {
	b := make([]byte, 8, 40+len(payload))
	b[0], b[6], b[7] = 0x60, next, 64
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	b = append(b, netip.MustParseAddr(src).AsSlice()...)
	b = append(b, netip.MustParseAddr(dst).AsSlice()...)
	return append(b, payload...)
}

// Options is an 8-byte IPv6 extension header of options (PadN) in front of
// header next.
func Options(next uint8, payload []byte) []byte {
	return append([]byte{next, 0, 1, 4, 0, 0, 0, 0}, payload...)
}

// Fragment is an IPv6 fragment header in front of header next; fragment is the
// offset and M flag field.
func Fragment(next uint8, fragment uint16, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{next, 0}, fragment)
	return append(append(b, 0, 0, 0, 1), payload...)
}

// UDP builds a datagram without a checksum.
func UDP(sport, dport uint16, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	return append(append(b, 0, 0), payload...)
}

// TCP flags.
const (
	FIN = 0x01
	SYN = 0x02
	RST = 0x04
	ACK = 0x10
)

// TCP builds a segment without a checksum.
func TCP(sport, dport uint16, flags uint8) []byte {
	b := binary.BigEndian.AppendUint16(nil, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	return append(b, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 1, 0, 0, 0, 0, 0)
}

// ICMP builds the beginning of an ICMP or ICMPv6 message without a checksum.
func ICMP(kind, code uint8, body []byte) []byte {
	return append([]byte{kind, code, 0, 0, 0, 0, 0, 0}, body...)
}

// ARP builds an ARP packet (RFC 826): op 1 asks, 2 answers.
func ARP(op uint16, senderHW [6]byte, sender string, targetHW [6]byte, target string) []byte {
	b := []byte{0, 1, 8, 0, 6, 4}
	b = binary.BigEndian.AppendUint16(b, op)
	b = append(b, senderHW[:]...)
	b = append(b, netip.MustParseAddr(sender).AsSlice()...)
	b = append(b, targetHW[:]...)
	return append(b, netip.MustParseAddr(target).AsSlice()...)
}
