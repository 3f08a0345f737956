package policy

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/strict"
)

// Roles tells the safety class of a role, and whether there is such a role.
type Roles func(device.Role) (device.SafetyClass, bool)

// nameOK is what peers and segments may be called. Without underscores, so that
// a hyphen can become one in the kernel's names and stay unique.
var nameOK = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Bounds of a policy: far above any ward, far below what would hurt.
const (
	maxSegments = 64
	maxPeers    = 256
	maxAllow    = 64
)

// Parse reads a policy; file only names it in errors, and known are the roles
// that there are, to offer the nearest of them for one that is mistyped.
func Parse(file string, data []byte, roles Roles, known ...device.Role) (*Policy, error) {
	var r raw
	if err := strict.Decode(file, data, &r); err != nil {
		return nil, err
	}
	s := newSource(file, data)
	p := &Policy{Version: r.Version, Default: Observe, Source: slices.Clone(data)}
	if p.Version < 1 {
		return nil, s.errorf(strict.Line(data, "version"), "version %d: want a number from 1", r.Version)
	}
	if len(r.Segment) > maxSegments || len(r.Peers) > maxPeers {
		return nil, s.errorf(1, "%d segments and %d peers: want at most %d and %d", len(r.Segment), len(r.Peers), maxSegments, maxPeers)
	}
	if r.Default.Mode != "" {
		m, err := ParseMode(r.Default.Mode)
		if err != nil || m == Enforce {
			return nil, s.errorf(s.value(s.header("[default]", 0), r.Default.Mode),
				`default: mode %q: want "observe" or "stage"; what no segment names is never enforced`, r.Default.Mode)
		}
		p.Default = m
	}
	for _, step := range []func() error{
		func() error { return parsePeers(s, p, r) },
		func() error { return parseSegments(s, p, r, roles, known) },
		func() error { return parseAllows(s, p, r) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// nearest offers the name that was perhaps meant, as strict does for keys.
func nearest[T ~string](name string, known []T) string {
	list := make([]string, len(known))
	for i, k := range known {
		list[i] = string(k)
	}
	if near := strict.Nearest(name, list); near != "" {
		return fmt.Sprintf(" (nearest: %q)", near)
	}
	return ""
}

// free reports why a name cannot be taken, "" if it can.
func free(name string) string {
	_, isGroup := groupNamed(name)
	switch {
	case !nameOK.MatchString(name):
		return "want 1 to 32 of a-z 0-9 -"
	case isGroup, name == "any", name == "any-internal", name == defaultSegment:
		return "the name has a meaning of its own"
	}
	return ""
}

func parsePeers(s source, p *Policy, r raw) error {
	names := make([]string, 0, len(r.Peers))
	for n := range r.Peers {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		rp := r.Peers[n]
		if why := free(n); why != "" {
			return s.errorf(s.peer(n, ""), "peer %q: %s", n, why)
		}
		peer := Peer{Name: n, Clinical: rp.Clinical, Device: device.ID(rp.Device)}
		if rp.Device != "" {
			m, ok := MACOf(peer.Device)
			if !ok {
				return s.errorf(s.peer(n, rp.Device), "peer %q: device %q: want a device id, as show devices prints it", n, rp.Device)
			}
			peer.MAC = m
		} else if len(rp.Addresses) == 0 {
			return s.errorf(s.peer(n, ""), "peer %q: want addresses, or device for a peer on the ward", n)
		}
		var err error
		if peer.Addresses, err = parseAddresses(s, n, rp.Addresses, peer.Clinical || rp.Device != ""); err != nil {
			return err
		}
		if peer.Standby, err = parseAddresses(s, n, rp.Standby, peer.Clinical || rp.Device != ""); err != nil {
			return err
		}
		p.Peers = append(p.Peers, peer)
	}
	return inOnePlace(s, p)
}

// inOnePlace refuses an address on both sides of the uplink: frames of the one
// on the ward would be dropped as an intruder's.
func inOnePlace(s source, p *Policy) error {
	for _, near := range p.Peers {
		for _, far := range p.Peers {
			if near.Device == "" || far.Device != "" {
				continue
			}
			for _, n := range near.All() {
				if slices.Contains(far.All(), n) {
					return s.errorf(s.peer(near.Name, n.Addr().String()), "peer %q: address %q is on the ward, and peer %q has it behind the uplink", near.Name, n.Addr(), far.Name)
				}
			}
		}
	}
	return nil
}

// parseAddresses reads addresses and networks. single refuses networks: an
// exempt pair, or a device of the ward, is one address each.
func parseAddresses(s source, peer string, list []string, single bool) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, t := range list {
		n, err := netip.ParsePrefix(t)
		if err != nil {
			a, err := netip.ParseAddr(t)
			if err != nil || a.Zone() != "" {
				return nil, s.errorf(s.peer(peer, t), "peer %q: address %q: want an IP address or a network like 10.1.0.0/16", peer, t)
			}
			a = a.Unmap()
			n = netip.PrefixFrom(a, a.BitLen())
		}
		n = n.Masked()
		if single && !n.IsSingleIP() {
			return nil, s.errorf(s.peer(peer, t), "peer %q: address %q: a clinical peer, or one on the ward, has single addresses", peer, t)
		}
		if n.Addr().Is4In6() || n.Addr().IsMulticast() || n.IsSingleIP() && (n.Addr().IsUnspecified() || n.Addr().IsLoopback()) {
			return nil, s.errorf(s.peer(peer, t), "peer %q: address %q: no host has it", peer, t)
		}
		out = append(out, n)
	}
	return out, nil
}

// MACOf is the MAC in a device id, if the id is made of one.
func MACOf(id device.ID) (fact.MAC, bool) {
	m, err := fact.ParseMAC(strings.TrimPrefix(string(id), "local:"))
	return m, err == nil && device.IDOf(m) == id && !m.Group()
}
