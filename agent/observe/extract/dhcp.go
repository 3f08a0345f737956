package extract

import (
	"net/netip"
	"strconv"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

const (
	bootRequest = 1
	bootReply   = 2

	portDHCPServer = 67
)

// readDHCP states what a client says of itself, and who answers as a server.
func (x *Extractor) readDHCP(v *dissect.View, way flows.Way) bool {
	m := &x.decoders.dhcp
	if !m.Decode(v.Payload) {
		return false
	}
	w := x.source(v, way)
	switch m.Op {
	case bootReply:
		if v.SrcPort == portDHCPServer && m.RelayIP == [4]byte{} {
			x.yes(w, fact.DHCPServer)
		}
	case bootRequest:
		if !x.client(&w, m, way) {
			x.stats.Foreign++
			return true
		}
		x.request(w, m)
	}
	return true
}

// client makes w the client of a request: the hardware address in the message.
// On a ward port a device speaks for itself only, so that it cannot lend its
// host name to another. That goes for what claims to be relayed too: the clients
// of a relay are not on the port, and anyone can write a relay's address.
func (x *Extractor) client(w *who, m *dissect.DHCPv4, way flows.Way) bool {
	if m.ClientMAC != [6]byte{} && m.ClientMAC != w.mac {
		if way == flows.FromDevice {
			return false
		}
		w.mac = m.ClientMAC
	}
	w.ip = unicast(netip.AddrFrom4(m.ClientIP))
	return true
}

func (x *Extractor) request(w who, m *dissect.DHCPv4) {
	x.say(w, fact.DHCPHostname, &m.Hostname)
	x.say(w, fact.DHCPVendorClass, &m.VendorClass)
	x.say(w, fact.DHCPMUD, &m.MUDURL)
	if !m.FQDN.IsZero() {
		x.text = m.FQDN.AppendTo(x.text[:0])
		x.state(w, fact.DHCPFQDN, x.text)
	}
	x.text = x.text[:0]
	for i, code := range m.PRL[:m.PRLLen] {
		if i > 0 {
			x.text = append(x.text, ',')
		}
		x.text = strconv.AppendUint(x.text, uint64(code), 10)
	}
	x.state(w, fact.DHCPPRL, x.text)
}
