package sim

import (
	"fmt"
	"net/netip"

	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/cast"
	"github.com/wardkeeper/wardkeeper/cmd/wardlab/internal/wire"
)

// arpScan asks for every address of the subnet, as a scanner does.
func (s *Stage) arpScan() {
	h := s.host(cast.Intruder)
	raw, err := h.Raw(wire.EtherARP)
	if err != nil {
		return
	}
	defer raw.Close()
	for a := s.Ward.Cast.Subnet.Addr().Next(); a != s.Ward.Cast.Broadcast(); a = a.Next() {
		p := wire.ARP{Op: wire.ARPRequest, SHA: h.MAC, SPA: h.Addr, TPA: a}
		if raw.Write(wire.Ethernet(wire.BroadcastMAC(), h.MAC, wire.EtherARP, p.Marshal())) != nil {
			return
		}
	}
}

// claims sends the forms in which an address is claimed: gratuitous request and
// reply to all, a reply to one victim's card, a request to it, and a frame whose
// ARP sender is another card than its Ethernet sender; for each server of a
// clinical device.
func (s *Stage) claims() error {
	h := s.host(cast.Intruder)
	raw, err := h.Raw(wire.EtherARP)
	if err != nil {
		return err
	}
	defer raw.Close()
	all, none := wire.BroadcastMAC(), wire.MAC{}
	pairs := []struct{ server, victim cast.Part }{
		{cast.PumpServer, cast.Pump}, {cast.Central, cast.Monitor}, {cast.PACS, cast.Ultrasound},
	}
	for _, p := range pairs {
		stolen, victim := s.host(p.server).Addr, s.host(p.victim)
		for _, c := range []struct {
			dst, src wire.MAC
			arp      wire.ARP
		}{
			{all, h.MAC, wire.ARP{Op: wire.ARPRequest, SHA: h.MAC, SPA: stolen, THA: none, TPA: stolen}},
			{all, h.MAC, wire.ARP{Op: wire.ARPReply, SHA: h.MAC, SPA: stolen, THA: all, TPA: stolen}},
			{wire.MAC(victim.MAC), h.MAC, wire.ARP{Op: wire.ARPReply, SHA: h.MAC, SPA: stolen, THA: victim.MAC, TPA: victim.Addr}},
			{wire.MAC(victim.MAC), h.MAC, wire.ARP{Op: wire.ARPRequest, SHA: h.MAC, SPA: stolen, THA: none, TPA: victim.Addr}},
			{wire.MAC(victim.MAC), h.MAC, wire.ARP{Op: wire.ARPReply, SHA: s.host(cast.Printer).MAC, SPA: stolen, THA: victim.MAC, TPA: victim.Addr}},
		} {
			if err := raw.Write(wire.Ethernet(c.dst, c.src, wire.EtherARP, c.arp.Marshal())); err != nil {
				return fmt.Errorf("intruder: claim %v: %w", netip.Addr(stolen), err)
			}
		}
	}
	return nil
}

func tcp(port uint16) string { return fmt.Sprintf("tcp/%d", port) }
func udp(port uint16) string { return fmt.Sprintf("udp/%d", port) }
