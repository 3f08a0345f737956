package policy

import "net/netip"

// group is a multicast or broadcast audience that wards need and that a plain
// allow-list of hosts would cut.
type group struct {
	Name      string
	Addrs     []netip.Addr // multicast groups, IPv4 and IPv6
	Broadcast bool         // also frames to ff:ff:ff:ff:ff:ff, whatever their IP address
	Services  []Service    // what is sent there; an allow entry may narrow it
	// Housekeeping groups are let through anyway and exist so that a policy may
	// say that it counts on them.
	Housekeeping bool
}

func udp(lo, hi uint16) Service { return Service{Proto: UDP, Lo: lo, Hi: hi} }

func addrs(list ...string) []netip.Addr {
	out := make([]netip.Addr, len(list))
	for i, s := range list {
		out[i] = netip.MustParseAddr(s)
	}
	return out
}

// groups are all named groups. Replies to such a question come by unicast from
// whoever answers and need an entry of their own ("any-internal", udp/3702).
func groups() []group {
	return []group{
		{Name: "mdns", Addrs: addrs("224.0.0.251", "ff02::fb"), Services: []Service{udp(5353, 5353)}},                          // RFC 6762
		{Name: "llmnr", Addrs: addrs("224.0.0.252", "ff02::1:3"), Services: []Service{udp(5355, 5355)}},                        // RFC 4795
		{Name: "ssdp", Addrs: addrs("239.255.255.250", "ff02::c"), Services: []Service{udp(1900, 1900)}},                       // UPnP
		{Name: "ws-discovery", Addrs: addrs("239.255.255.250", "ff02::c"), Services: []Service{udp(3702, 3702)}},               // SDC, ONVIF, WSD
		{Name: "ntp-multicast", Addrs: addrs("224.0.1.1", "ff02::101"), Services: []Service{udp(123, 123)}},                    // RFC 5905
		{Name: "ptp", Addrs: addrs("224.0.1.129", "224.0.0.107", "ff0e::181", "ff02::6b"), Services: []Service{udp(319, 320)}}, // IEEE 1588
		// Connect indication: the registered group and the older subnet broadcast.
		{Name: "intellivue", Addrs: addrs("224.0.23.63"), Broadcast: true, Services: []Service{udp(24005, 24005)}},
		{Name: "ge-unity", Broadcast: true, Services: []Service{udp(7000, 7001)}},
		{Name: "mindray", Broadcast: true, Services: []Service{udp(4600, 4600)}},
		{Name: "digi-addp", Addrs: addrs("224.0.5.128"), Services: []Service{udp(2362, 2362)}},
		{Name: "netbios", Broadcast: true, Services: []Service{udp(137, 138)}},
		{Name: "igmp", Housekeeping: true},
		{Name: "mld", Housekeeping: true},
		{Name: "all-hosts", Addrs: addrs("224.0.0.1", "ff02::1")}, // services: as the entry says
		{Name: "broadcast", Broadcast: true},                      // services: as the entry says
	}
}

// groupNamed finds a group.
func groupNamed(name string) (group, bool) {
	for _, g := range groups() {
		if g.Name == name {
			return g, true
		}
	}
	return group{}, false
}
