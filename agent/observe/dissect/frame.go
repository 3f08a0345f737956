package dissect

import "net/netip"

// Link says what the first bytes of a frame are.
type Link uint8

// Links.
const (
	LinkEthernet Link = iota + 1
	LinkCooked        // Linux SLL, 16-byte pseudo header
	LinkCooked2       // Linux SLL2, 20-byte pseudo header
	LinkRawIP         // the IP header
	LinkNull          // 4-byte address family in either byte order
)

// FrameHeader is what the capture knows of a frame beside its bytes.
type FrameHeader struct {
	Link Link
	// TCI and TPID are the outer VLAN tag where the kernel took it out of the
	// frame; TPID 0 means that it took none out.
	TCI, TPID uint16
}

// Network is the protocol above the link.
type Network uint8

// Networks.
const (
	NetworkOther Network = iota + 1 // View.EtherType says which
	NetworkLLC                      // IEEE 802.2, without an EtherType
	NetworkARP
	NetworkIPv4
	NetworkIPv6
)

// Transport is the protocol above IP, as far as it could be read.
type Transport uint8

// Transports.
const (
	TransportNone   Transport = iota + 1 // no IP, cut short, or a later fragment
	TransportOther                       // View.Proto says which
	TransportTCP                         //
	TransportUDP                         //
	TransportICMP                        // of IPv4
	TransportICMPv6                      //
)

// Fragment tells whether the IP packet is a part of a datagram.
type Fragment uint8

// Fragments.
const (
	FragmentWhole Fragment = iota + 1
	FragmentFirst          // has the transport header, usually
	FragmentLater          // has no transport header
)

// View is one frame's headers. Its slices borrow the frame's bytes: they are
// good until the frame is. Decode never fails: what it cannot read is None or
// Other, and everything after it is zero.
type View struct {
	// Link layer. A cooked frame knows the source alone, raw IP neither.
	HasSrcMAC, HasDstMAC bool
	SrcMAC, DstMAC       [6]byte
	VLANs                uint8  // number of tags
	VLAN, InnerVLAN      uint16 // ids of the first two tags
	EtherType            uint16 // of the innermost header, 0 for LLC
	LLC                  LLC    // valid where Network is NetworkLLC

	// Network layer.
	Network      Network
	ARP          ARP      // valid where Network is NetworkARP
	SrcIP, DstIP [16]byte // IPv4: the first four bytes
	Proto        uint8    // IP protocol, after IPv6 extension headers
	HopLimit     uint8
	Truncated    bool // the capture kept less than the packet's length
	Fragment     Fragment
	FragID       uint32
	FragOffset   uint32 // bytes
	FragMore     bool
	FragProto    uint8  // what FragData begins with
	FragData     []byte // this fragment's part of the datagram

	// Transport layer.
	Transport          Transport
	SrcPort, DstPort   uint16
	TCP                TCP // valid where Transport is TransportTCP
	ICMPType, ICMPCode uint8
	NDP                NDP // valid where NDP.Type is not zero
	// Payload is what follows the last header that was read: of TCP and UDP the
	// data, of NetworkOther everything after the EtherType.
	Payload []byte
}

// Decode reads the frame b.
func (v *View) Decode(h FrameHeader, b []byte) {
	*v = View{Network: NetworkOther, Transport: TransportNone, Fragment: FragmentWhole}
	if h.TPID != 0 {
		v.tag(h.TCI)
	}
	switch h.Link {
	case LinkEthernet:
		v.ethernet(b)
	case LinkCooked:
		v.cooked(b)
	case LinkCooked2:
		v.cooked2(b)
	case LinkRawIP:
		v.rawIP(b)
	case LinkNull:
		v.null(b)
	}
}

// IsIP reports whether the addresses are valid.
func (v *View) IsIP() bool { return v.Network == NetworkIPv4 || v.Network == NetworkIPv6 }

// SrcAddr is the IP source, invalid without IP.
func (v *View) SrcAddr() netip.Addr { return v.addr(&v.SrcIP) }

// DstAddr is the IP destination, invalid without IP.
func (v *View) DstAddr() netip.Addr { return v.addr(&v.DstIP) }

func (v *View) addr(a *[16]byte) netip.Addr {
	switch v.Network {
	case NetworkIPv4:
		return netip.AddrFrom4([4]byte(a[:4]))
	case NetworkIPv6:
		return netip.AddrFrom16(*a)
	}
	return netip.Addr{}
}

// Group reports whether the frame goes to a multicast or broadcast address.
func (v *View) Group() bool {
	if v.HasDstMAC {
		return v.DstMAC[0]&1 != 0
	}
	return v.DstGroupIP()
}

// DstGroupIP reports an IP multicast destination, or 255.255.255.255.
func (v *View) DstGroupIP() bool {
	switch v.Network {
	case NetworkIPv4:
		return v.DstIP[0]&0xf0 == 0xe0 || [4]byte(v.DstIP[:4]) == [4]byte{255, 255, 255, 255}
	case NetworkIPv6:
		return v.DstIP[0] == 0xff
	}
	return false
}
