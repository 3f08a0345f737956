package enforce

import (
	"net/netip"

	"github.com/wardkeeper/wardkeeper/agent/fact"
)

// What quarantine lets through besides: DHCP (RFC 2131), ARP and 802.1X.
const (
	dhcpServer = 67
	dhcpClient = 68
	etherARP   = 0x0806
	etherEAPOL = 0x888e
)

// Spared reports that frames of a conversation pass although the device is cut
// off: those of its exempt pairs, unless the interlock took them, and what any
// quarantine lets through. It is for who looks whether a device has gone silent.
func (t *Task) Spared(mac fact.MAC, peer netip.Addr, s fact.Service) bool {
	switch {
	case s.EtherType == etherARP, s.EtherType == etherEAPOL:
		return true
	case s.Proto == protoUDP && (s.Port == dhcpServer || s.Port == dhcpClient):
		return true
	}
	c := t.now.Load()
	if c == nil || !peer.IsValid() {
		return false
	}
	for _, o := range t.book.all() {
		if o.MAC == mac && o.Interlock {
			return false
		}
	}
	for _, p := range c.Pairs {
		if p.Addr == peer && p.MAC == mac {
			return true
		}
	}
	return false
}
