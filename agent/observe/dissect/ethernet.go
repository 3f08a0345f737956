package dissect

import "encoding/binary"

// EtherTypes (IEEE registry).
const (
	etherIPv4  = 0x0800
	etherARP   = 0x0806
	etherVLAN  = 0x8100 // 802.1Q
	etherIPv6  = 0x86dd
	etherQinQ  = 0x88a8 // 802.1ad
	etherQinQ1 = 0x9100 // pre-standard outer tags
	etherQinQ2 = 0x9200

	// EtherTypeLLDP marks an LLDP frame (IEEE 802.1AB).
	EtherTypeLLDP = 0x88cc

	etherMin = 0x0600 // below: a length (IEEE 802.3 §3.2.6)
	maxTags  = 4
)

// Cooked headers (LINKTYPE_LINUX_SLL and _SLL2 of the tcpdump registry).
const (
	cookedLen  = 16
	cooked2Len = 20

	cookedLLC = 4 // protocol: an 802.2 frame
)

// LLC is the 802.2 header, with the SNAP part where there is one.
type LLC struct {
	DSAP, SSAP uint8
	OUI        [3]byte // of SNAP
	PID        uint16  // of SNAP
}

func (v *View) ethernet(b []byte) {
	if len(b) < 14 {
		return
	}
	v.DstMAC, v.SrcMAC = [6]byte(b[0:6]), [6]byte(b[6:12])
	v.HasDstMAC, v.HasSrcMAC = true, true
	v.typed(binary.BigEndian.Uint16(b[12:]), b[14:])
}

// cooked reads packet type, ARPHRD, address length, address (8), protocol.
func (v *View) cooked(b []byte) {
	if len(b) < cookedLen {
		return
	}
	v.cookedSource(binary.BigEndian.Uint16(b[4:]), b[6:14])
	v.cookedType(binary.BigEndian.Uint16(b[14:]), b[cookedLen:])
}

// cooked2 reads protocol, reserved (2), interface (4), ARPHRD (2), packet
// type, address length, address (8).
func (v *View) cooked2(b []byte) {
	if len(b) < cooked2Len {
		return
	}
	v.cookedSource(uint16(b[11]), b[12:20])
	v.cookedType(binary.BigEndian.Uint16(b), b[cooked2Len:])
}

func (v *View) cookedSource(n uint16, addr []byte) {
	if n == 6 {
		v.SrcMAC, v.HasSrcMAC = [6]byte(addr), true
	}
}

func (v *View) cookedType(proto uint16, b []byte) {
	if proto == cookedLLC {
		v.llc(b)
		return
	}
	if proto >= etherMin {
		v.typed(proto, b)
	}
}

// null reads BSD loopback: an address family in the writer's byte order, so
// that the version nibble behind it is the better witness.
func (v *View) null(b []byte) {
	if len(b) > 4 {
		v.rawIP(b[4:])
	}
}

func (v *View) rawIP(b []byte) {
	if len(b) == 0 {
		return
	}
	switch b[0] >> 4 {
	case 4:
		v.typed(etherIPv4, b)
	case 6:
		v.typed(etherIPv6, b)
	}
}

// tag notes one VLAN tag.
func (v *View) tag(tci uint16) {
	switch v.VLANs {
	case 0:
		v.VLAN = tci & 0x0fff
	case 1:
		v.InnerVLAN = tci & 0x0fff
	}
	v.VLANs++
}

// typed reads what an EtherType (or 802.3 length) stands in front of.
func (v *View) typed(t uint16, b []byte) {
	for t == etherVLAN || t == etherQinQ || t == etherQinQ1 || t == etherQinQ2 {
		if len(b) < 4 || v.VLANs >= maxTags {
			v.EtherType, v.Payload = t, b
			return
		}
		v.tag(binary.BigEndian.Uint16(b))
		t, b = binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	if t < etherMin {
		if int(t) < len(b) {
			b = b[:t] // the rest is padding
		}
		v.llc(b)
		return
	}
	v.network(t, b)
}

// llc reads 802.2; SNAP with OUI 0 is an EtherType by another name (RFC 1042).
func (v *View) llc(b []byte) {
	v.Network = NetworkLLC
	if len(b) < 3 {
		return
	}
	v.LLC.DSAP, v.LLC.SSAP = b[0], b[1]
	if b[0] != 0xaa || b[1] != 0xaa || b[2] != 3 || len(b) < 8 {
		v.Payload = b[3:]
		return
	}
	v.LLC.OUI, v.LLC.PID = [3]byte(b[3:6]), binary.BigEndian.Uint16(b[6:])
	if v.LLC.OUI == ([3]byte{}) && v.LLC.PID >= etherMin {
		v.network(v.LLC.PID, b[8:])
		return
	}
	v.Payload = b[8:]
}

func (v *View) network(t uint16, b []byte) {
	v.Network, v.EtherType, v.Payload = NetworkOther, t, b
	switch t {
	case etherIPv4:
		v.ipv4(b)
	case etherIPv6:
		v.ipv6(b)
	case etherARP:
		v.arp(b)
	}
}
