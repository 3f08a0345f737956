package ward

import (
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
)

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
}

// AddAddr gives the host's card an address, with the subnet's directed
// broadcast address.
func (h *Host) AddAddr(p netip.Prefix) error {
	return h.netlinkDo("add address "+p.String(), func(l netlink.Link) error {
		n := ipNet(p)
		b := make(net.IP, 4)
		for i := range b {
			b[i] = n.IP.To4()[i] | ^n.Mask[i]
		}
		return netlink.AddrReplace(l, &netlink.Addr{IPNet: n, Broadcast: b})
	})
}

// DelAddr takes it away.
func (h *Host) DelAddr(p netip.Prefix) error {
	return h.netlinkDo("delete address "+p.String(), func(l netlink.Link) error {
		return netlink.AddrDel(l, &netlink.Addr{IPNet: ipNet(p)})
	})
}

// DefaultRoute sends everything else to via, multicast too.
func (h *Host) DefaultRoute(via netip.Addr) error {
	return h.netlinkDo("default route", func(l netlink.Link) error {
		return netlink.RouteReplace(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: via.AsSlice(),
			Dst: &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}})
	})
}

// SetMAC changes the card's address, as anybody can.
func (h *Host) SetMAC(m cast.MAC) error {
	return h.netlinkDo("set mac "+m.String(), func(l netlink.Link) error {
		return netlink.LinkSetHardwareAddr(l, m[:])
	})
}

// SetMTU changes the card's MTU, octets.
func (h *Host) SetMTU(mtu int) error {
	return h.netlinkDo("set mtu", func(l netlink.Link) error { return netlink.LinkSetMTU(l, mtu) })
}

// RouteMTU makes TCP believe in a path MTU towards to, and announce a segment
// size, in spite of the card's; 0 and 0 takes the route away again.
func (h *Host) RouteMTU(to netip.Addr, mtu, mss int) error {
	return h.netlinkDo("route to "+to.String(), func(l netlink.Link) error {
		r := &netlink.Route{LinkIndex: l.Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: ipNet(netip.PrefixFrom(to, 32))}
		if mtu == 0 {
			return netlink.RouteDel(r)
		}
		r.MTU, r.AdvMSS = mtu, mss
		return netlink.RouteReplace(r)
	})
}

// Neighbour tells the host for good which card an address has.
func (h *Host) Neighbour(a netip.Addr, m cast.MAC) error {
	return h.netlinkDo("neighbour "+a.String(), func(l netlink.Link) error {
		return netlink.NeighSet(&netlink.Neigh{LinkIndex: l.Attrs().Index, Family: netlink.FAMILY_V4,
			State: netlink.NUD_PERMANENT, IP: a.AsSlice(), HardwareAddr: m[:]})
	})
}
