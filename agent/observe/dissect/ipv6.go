package dissect

import "encoding/binary"

const (
	ipv6Len = 40
	// maxExtensions6 bounds the chain; hosts send at most four or so (RFC 8200
	// §4.1), longer ones are an evasion.
	maxExtensions6 = 8
)

// ipv6 reads the header (RFC 8200 §3).
func (v *View) ipv6(b []byte) {
	if len(b) < ipv6Len || b[0]>>4 != 6 {
		return
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	v.Network, v.HopLimit = NetworkIPv6, b[7]
	v.SrcIP, v.DstIP = [16]byte(b[8:24]), [16]byte(b[24:40])
	next := b[6]
	b = b[ipv6Len:]
	switch {
	case n == 0: // jumbogram, or left to the network card
	case n <= len(b):
		b = b[:n]
	default:
		v.Truncated = true
	}
	v.extensions(next, b)
}

// extensions walks the chain of extension headers to the transport.
func (v *View) extensions(next uint8, b []byte) {
	for range maxExtensions6 {
		v.Proto, v.Payload = next, b
		size := 0
		switch next {
		case protoHopByHop, protoRouting, protoDestOpts, protoMobility, protoHIP, protoShim6:
			if len(b) < 8 {
				return
			}
			size = (int(b[1]) + 1) * 8
		case protoAH: // RFC 4302 §2.2: in 4-byte units, minus 2
			if len(b) < 12 {
				return
			}
			size = (int(b[1]) + 2) * 4
		case protoFragment:
			if !v.fragment6(b) {
				return
			}
			size = 8
		case protoNone:
			v.Transport = TransportOther
			return
		default:
			v.transport(b)
			return
		}
		if size > len(b) {
			return
		}
		next, b = b[0], b[size:]
	}
}

// fragment6 reads a fragment header (RFC 8200 §4.5); it reports whether the
// chain goes on in this packet. A second fragment header ends it.
func (v *View) fragment6(b []byte) bool {
	if len(b) < 8 || v.Fragment != FragmentWhole {
		return false
	}
	part := binary.BigEndian.Uint16(b[2:])
	if part&0xfff9 == 0 { // atomic fragment: a whole datagram (RFC 6946)
		return true
	}
	v.FragID = binary.BigEndian.Uint32(b[4:])
	v.fragment(uint32(part&0xfff8), part&1 != 0, b[0], b[8:])
	v.Proto, v.Payload = b[0], b[8:]
	return v.FragOffset == 0
}
