package dissect

// ICMP types that others ask for (RFC 792, RFC 4443).
const (
	ICMPEchoReply   = 0
	ICMPEcho        = 8
	ICMPv6Echo      = 128
	ICMPv6EchoReply = 129
)

const (
	icmpMin     = 4
	ndpHopLimit = 255 // RFC 4861 §7.1: the packet was not forwarded
)

func (v *View) icmp(b []byte) {
	if len(b) < icmpMin || v.Network != NetworkIPv4 {
		return
	}
	v.Transport, v.ICMPType, v.ICMPCode, v.Payload = TransportICMP, b[0], b[1], b[icmpMin:]
}

func (v *View) icmp6(b []byte) {
	if len(b) < icmpMin || v.Network != NetworkIPv6 {
		return
	}
	v.Transport, v.ICMPType, v.ICMPCode, v.Payload = TransportICMPv6, b[0], b[1], b[icmpMin:]
	// RFC 6980 §5: neighbour discovery is never fragmented.
	if v.HopLimit == ndpHopLimit && v.ICMPCode == 0 && v.Fragment == FragmentWhole {
		v.ndp(b)
	}
}
