package classify

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/rules"
)

// observation is a concluded fact.
type observation struct {
	kind  fact.Kind
	value string
}

// derive concludes what no single fact says. Behind a router's MAC stand many
// hosts, so nothing is put together there.
func derive(d *device.Device, internal []netip.Prefix) []observation {
	var out []observation
	where := addresses(d.IPs, internal)
	if where != "" {
		out = append(out, observation{rules.Addresses, where})
	}
	if where == forwards {
		return out
	}
	if v := hl7Devices(d); v != "" {
		out = append(out, observation{rules.HL7Devices, v})
	}
	return append(out, dicom(d)...)
}

// Values of rules.Addresses.
const (
	forwards = "forwards"
	foreign  = "foreign"
)

// maker names who bought the MAC block. A locally administered address has
// none, and 00:00:00 (Xerox's) is what unset addresses begin with.
func (c *Classifier) maker(d *device.Device) (v rules.Vendor, owner string) {
	if d.MAC.Local() || [3]byte(d.MAC[:3]) == [3]byte{} {
		return v, ""
	}
	if c.opt.Registry != nil {
		owner = c.opt.Registry.Vendor(d.MAC)
	}
	for i := range d.Facts {
		if d.Facts[i].Kind == fact.OUIVendor && owner == "" {
			owner = d.Facts[i].Value
		}
	}
	if owner != "" {
		v, _ = c.opt.Rules.Vendors.ByRegistry(owner)
	}
	return v, owner
}

// addresses judges the source addresses of a device: "forwards" where they are
// of several networks, "foreign" where the only one is not of the site.
func addresses(ips []netip.Addr, internal []netip.Prefix) string {
	own, abroad := 0, 0
	var networks []netip.Prefix // of IPv6: a host has one provider
	for _, ip := range ips {
		ip = ip.Unmap()
		switch {
		case !ip.IsGlobalUnicast():
		case isInternal(ip, internal):
			own++
		case ip.Is4():
			abroad++
		default:
			p, err := ip.Prefix(32)
			if err == nil && !slices.Contains(networks, p) {
				networks = append(networks, p)
			}
		}
	}
	switch {
	case abroad > 1 || abroad == 1 && own > 0 || len(networks) > 1:
		return forwards
	case abroad == 1:
		return foreign
	}
	return ""
}

func isInternal(ip netip.Addr, internal []netip.Prefix) bool {
	for _, p := range internal {
		if p.Contains(ip) {
			return true
		}
	}
	return ip.IsPrivate()
}

// hidden tells which kinds of fact do not speak of the device itself: behind a
// router's MAC stand all the hosts it forwards for, and behind an HL7 gateway
// the devices whose data it sends.
func hidden(derived []observation) func(fact.Kind) bool {
	router := slices.Contains(derived, observation{rules.Addresses, forwards})
	gateway := slices.Contains(derived, observation{rules.HL7Devices, many})
	return func(k fact.Kind) bool {
		protocol, _, _ := strings.Cut(string(k), ".")
		switch protocol {
		case "http", "tls", "hl7", "dicom", "intellivue":
			return router || gateway && ofDevices(k)
		case "service":
			return router && k != fact.MulticastTo
		}
		return false
	}
}

// ofDevices are the HL7 fields that speak of the device whose data is sent.
func ofDevices(k fact.Kind) bool {
	switch k {
	case fact.HL7OBX3, fact.HL7Equipment, fact.HL7Device, fact.HL7UDI, fact.HL7Lot, fact.HL7Serial, fact.HL7DevType:
		return true
	}
	return false
}
