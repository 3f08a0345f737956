package dissect

import "encoding/binary"

const ipv4Min = 20

// ipv4 reads the header (RFC 791 §3.1). Options are passed over, the payload
// ends where the total length says, so that Ethernet padding is not data.
func (v *View) ipv4(b []byte) {
	if len(b) < ipv4Min || b[0]>>4 != 4 {
		return
	}
	hl, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if total == 0 { // left to the network card (segmentation offload)
		total = len(b)
	}
	if hl < ipv4Min || hl > len(b) || total < hl {
		return
	}
	if total <= len(b) {
		b = b[:total]
	} else {
		v.Truncated = true
	}
	v.Network, v.Proto, v.HopLimit = NetworkIPv4, b[9], b[8]
	copy(v.SrcIP[:4], b[12:16])
	copy(v.DstIP[:4], b[16:20])
	v.Payload = b[hl:]

	if part := binary.BigEndian.Uint16(b[6:]); part&0x3fff != 0 {
		v.FragID = uint32(binary.BigEndian.Uint16(b[4:]))
		v.fragment(uint32(part&0x1fff)*8, part&0x2000 != 0, v.Proto, b[hl:])
	}
	if v.FragOffset == 0 {
		v.transport(v.Payload)
	}
}

// fragment notes the part of a datagram that this packet carries.
func (v *View) fragment(offset uint32, more bool, proto uint8, data []byte) {
	v.Fragment = FragmentFirst
	if offset > 0 {
		v.Fragment = FragmentLater
	}
	v.FragOffset, v.FragMore, v.FragProto, v.FragData = offset, more, proto, data
}

// DecodeDatagram reads the transport of a datagram put together from its
// fragments. v is the view of one of them and keeps its addresses.
func (v *View) DecodeDatagram(b []byte) {
	proto := v.FragProto
	v.Fragment, v.FragID, v.FragOffset, v.FragMore, v.FragData = FragmentWhole, 0, 0, false, nil
	v.Transport, v.Payload, v.Proto, v.Truncated = TransportNone, b, proto, false
	if v.Network == NetworkIPv6 {
		v.extensions(proto, b)
		return
	}
	v.transport(b)
}

// transport reads what v.Proto says b is.
func (v *View) transport(b []byte) {
	v.Transport = TransportOther
	switch v.Proto {
	case protoTCP:
		v.tcp(b)
	case protoUDP:
		v.udp(b)
	case protoICMP:
		v.icmp(b)
	case protoICMPv6:
		v.icmp6(b)
	}
}

// IP protocol numbers (IANA).
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoTCP      = 6
	protoUDP      = 17
	protoRouting  = 43
	protoFragment = 44
	protoAH       = 51
	protoICMPv6   = 58
	protoNone     = 59
	protoDestOpts = 60
	protoMobility = 135
	protoHIP      = 139
	protoShim6    = 140
)
