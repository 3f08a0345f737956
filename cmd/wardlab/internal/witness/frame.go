package witness

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

// frame is what is counted of a frame.
type frame struct {
	dst, src cast.MAC
	ip       bool
	from, to netip.Addr
	proto    byte
	dport    uint16
	later    bool // a later fragment: no ports
	arp      bool
	sha      cast.MAC
}

// decode reads a frame as a host's card sees it; ok is false for what is
// neither IPv4 nor ARP. One VLAN tag is looked through: a forged claim does not
// become harmless by a tag.
func decode(b []byte) (f frame, ok bool) {
	if len(b) < 14 {
		return frame{}, false
	}
	f.dst, f.src = cast.MAC(b[0:6]), cast.MAC(b[6:12])
	etherType, p := binary.BigEndian.Uint16(b[12:]), b[14:]
	if etherType == 0x8100 && len(p) >= 4 {
		etherType, p = binary.BigEndian.Uint16(p[2:]), p[4:]
	}
	switch etherType {
	case 0x0806:
		if len(p) < 28 {
			return frame{}, false
		}
		f.arp, f.sha = true, cast.MAC(p[8:14])
		f.from, f.to = netip.AddrFrom4([4]byte(p[14:18])), netip.AddrFrom4([4]byte(p[24:28]))
		return f, true
	case 0x0800:
		if len(p) < 20 || p[0]>>4 != 4 {
			return frame{}, false
		}
		header := int(p[0]&0xf) * 4
		if header < 20 || len(p) < header {
			return frame{}, false
		}
		f.ip, f.proto = true, p[9]
		f.from, f.to = netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20]))
		f.later = binary.BigEndian.Uint16(p[6:])&0x1fff != 0
		if t := p[header:]; !f.later && (f.proto == 6 || f.proto == 17) && len(t) >= 4 {
			f.dport = binary.BigEndian.Uint16(t[2:])
		}
		return f, true
	}
	return frame{}, false
}

// unicast reports whether the frame is addressed to one card.
func (f frame) unicast() bool { return f.dst[0]&1 == 0 }

// service names what the frame asks for: "tcp/23", "icmp", "udp fragment".
func (f frame) service() string {
	name := fmt.Sprintf("ip/%d", f.proto)
	switch f.proto {
	case 1:
		return "icmp"
	case 6:
		name = "tcp"
	case 17:
		name = "udp"
	}
	if f.later {
		return name + " fragment"
	}
	if f.proto == 6 || f.proto == 17 {
		return fmt.Sprintf("%s/%d", name, f.dport)
	}
	return name
}
