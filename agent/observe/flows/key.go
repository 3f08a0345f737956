package flows

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
)

// family says what the addresses of a key are.
type family uint8

const (
	familyIPv4 family = iota + 1
	familyIPv6
	familyEther
)

// key names a flow with its lower endpoint first. IPv4 addresses stand in the
// first four bytes, MAC addresses in the first six.
type key struct {
	a, b   [16]byte
	pa, pb uint16 // ports, ICMP type, EtherType
	vlan   uint16
	proto  uint8
	family family
	// device is the bit of the side that is a device by the frame's direction, 0
	// where that says nothing. So a frame from outside that claims to be from the
	// device is a flow of its own and gets no bytes into what the device says.
	device uint8
}

// key4 is the packed form of an IPv4 key: a map looks it up three times as
// fast as the long one.
type key4 struct {
	a, b         uint32
	pa, pb, vlan uint16
	proto        uint8
	device       uint8
}

func (k *key) short() key4 {
	return key4{
		a: binary.BigEndian.Uint32(k.a[:]), b: binary.BigEndian.Uint32(k.b[:]),
		pa: k.pa, pb: k.pb, vlan: k.vlan, proto: k.proto, device: k.device,
	}
}

// Types of ICMP and ICMPv6 that are the housekeeping of a network.
const (
	mldFirst, mldLast = 130, 132 // RFC 2710
	ndpFirst, ndpLast = 133, 137 // RFC 4861
	mldReport2        = 143      // RFC 3810

	protoIGMP      = 2
	etherTypeEAPOL = 0x888e
)

// keyOf makes the key of a frame and tells which side sent it: 0 for a, 1 for
// b. It is false for the housekeeping that is no conversation, and for parts
// of a datagram.
func keyOf(v *dissect.View) (k key, side int, ok bool) {
	k.vlan = v.VLAN
	if !v.IsIP() {
		return keyEther(v, k)
	}
	if v.Fragment != dissect.FragmentWhole || v.Proto == protoIGMP {
		return k, 0, false
	}
	k.proto, k.family = v.Proto, familyIPv4
	if v.Network == dissect.NetworkIPv6 {
		k.family = familyIPv6
	}
	k.pa, k.pb = v.SrcPort, v.DstPort
	switch v.Transport {
	case dissect.TransportNone:
		return k, 0, false
	case dissect.TransportICMP:
		k.pa = icmpRequest(v.ICMPType)
		k.pb = k.pa
	case dissect.TransportICMPv6:
		t := v.ICMPType
		if t >= mldFirst && t <= ndpLast || t == mldReport2 {
			return k, 0, false
		}
		if t == dissect.ICMPv6EchoReply {
			t = dissect.ICMPv6Echo
		}
		k.pa, k.pb = uint16(t), uint16(t)
	}
	k.a, k.b = v.SrcIP, v.DstIP
	side = k.sort()
	return k, side, true
}

// keyEther makes the key of other protocols, such as EtherCAT or GOOSE.
func keyEther(v *dissect.View, k key) (key, int, bool) {
	if v.Network != dissect.NetworkOther || !v.HasSrcMAC || !v.HasDstMAC {
		return k, 0, false
	}
	switch v.EtherType {
	case 0, 0x0800, 0x86dd, 0x0806, dissect.EtherTypeLLDP, etherTypeEAPOL: // malformed, or housekeeping
		return k, 0, false
	}
	k.family, k.pa, k.pb = familyEther, v.EtherType, v.EtherType
	copy(k.a[:], v.SrcMAC[:])
	copy(k.b[:], v.DstMAC[:])
	side := k.sort()
	return k, side, true
}

// sort puts the lower endpoint first and reports where the sender went.
func (k *key) sort() int {
	c := 0
	if k.family == familyIPv4 {
		if a, b := binary.BigEndian.Uint32(k.a[:]), binary.BigEndian.Uint32(k.b[:]); a != b {
			c = 1
			if a < b {
				c = -1
			}
		}
	} else {
		c = bytes.Compare(k.a[:], k.b[:])
	}
	if c < 0 || c == 0 && k.pa <= k.pb {
		return 0
	}
	k.a, k.b, k.pa, k.pb = k.b, k.a, k.pb, k.pa
	return 1
}

// addr is the address of a side, invalid for Ethernet.
func (k *key) addr(side int) netip.Addr {
	a := k.a
	if side == 1 {
		a = k.b
	}
	switch k.family {
	case familyIPv4:
		return netip.AddrFrom4([4]byte(a[:4]))
	case familyIPv6:
		return netip.AddrFrom16(a)
	}
	return netip.Addr{}
}

// service is what the server's side offers.
func (k *key) service(server int) fact.Service {
	port := k.pa
	if server == 1 {
		port = k.pb
	}
	switch k.family {
	case familyIPv4:
		return fact.Service{EtherType: 0x0800, Proto: k.proto, Port: port}
	case familyIPv6:
		return fact.Service{EtherType: 0x86dd, Proto: k.proto, Port: port}
	}
	return fact.Service{EtherType: k.pa}
}

// icmpRequest pairs a reply with its request (RFC 792).
func icmpRequest(t uint8) uint16 {
	switch t {
	case dissect.ICMPEchoReply:
		return dissect.ICMPEcho
	case 14, 16, 18: // timestamp, information, mask
		return uint16(t) - 1
	}
	return uint16(t)
}
