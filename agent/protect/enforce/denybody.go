package enforce

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/wardkeeper/wardkeeper/agent/device"
	"github.com/wardkeeper/wardkeeper/agent/event"
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/protect/policy"
	"github.com/wardkeeper/wardkeeper/platform"
)

// Words of event.Deny.
const (
	fromDevice = "from-device"
	toDevice   = "to-device"
)

// deny says what a sample means: which device's side refused it, who is the
// other end, and what service it was about.
func (d *Denies) deny(e platform.LogEntry) (event.Deny, event.Class, bool) {
	r, ok := policy.ParsePrefix(e.Prefix)
	if !ok {
		return event.Deny{}, 0, false
	}
	body := event.Deny{Segment: r.Segment, Service: service(e), Port: e.In, Direction: fromDevice, Verdict: "denied"}
	switch {
	case r.Quarantine:
		body.Verdict = "quarantined"
	case r.Mode == policy.Stage:
		body.Verdict = "would-deny"
	}
	self, peer, peerIP := d.device(e.SrcMAC, e.Src), fact.MAC(e.DstMAC), e.Dst
	switch {
	case r.Claimed(): // the sender says it is somebody else
		body.Verdict, peerIP = "claimed-address", e.Src
	case r.Dir == policy.From:
		body.Direction = toDevice
		self, peer, peerIP = d.device(e.DstMAC, e.Dst), e.SrcMAC, e.Src
	}
	body.PeerMAC, body.Peer = peer, peer.String()
	if peerIP.IsValid() && !peerIP.IsUnspecified() {
		body.Peer = peerIP.String()
	}
	if other := d.device(peer, netip.Addr{}); other != nil {
		body.PeerDevice = other.ID
	}
	class := event.Ordinary
	if self != nil {
		body.Device, body.Role = self.ID, self.Identity.Role
		if c := self.Identity.Class; c == device.LifeSustaining || c == device.Clinical {
			class = event.Alert
		}
	}
	if r.Claimed() {
		body.PeerMAC, body.PeerDevice = e.SrcMAC, ""
		class = event.Alert
		if self == nil {
			body.Device = device.IDOf(e.SrcMAC)
		}
	}
	return body, class, true
}

// device finds the device with that MAC; of a frame to a group, that with the
// address.
func (d *Denies) device(m fact.MAC, addr netip.Addr) *device.Device {
	snap := d.inventory.Snapshot()
	if !d.mapped || d.seq != snap.Seq {
		d.mapped, d.seq, d.index = true, snap.Seq, make(map[fact.MAC]*device.Device, len(snap.Devices))
		for i := range snap.Devices {
			d.index[snap.Devices[i].MAC] = &snap.Devices[i]
		}
	}
	if !m.Group() || !addr.IsValid() {
		return d.index[m]
	}
	for _, dev := range d.index {
		if slices.Contains(dev.IPs, addr) {
			return dev
		}
	}
	return nil
}

// IP protocols with ports, and bits of TCP flags.
const (
	protoTCP = 6
	protoUDP = 17
	tcpSYN   = 2
	tcpACK   = 16
)

// service names the serving side's port. Of a packet that opens nothing it is a
// guess: the port that clients do not use.
func service(e platform.LogEntry) string {
	s := fact.Service{EtherType: e.EtherType, Proto: e.Proto, Port: e.SrcPort} // ICMP: the type
	switch {
	case e.Fragment: // its ports were in the first one
		name, _, numbered := strings.Cut(s.String(), "/")
		if numbered && name != "ip" && name != "ether" {
			return name + "/fragment"
		}
	case e.Proto == protoTCP && e.TCPFlags&(tcpSYN|tcpACK) == tcpSYN:
		s.Port = e.DstPort
	case e.Proto == protoTCP && e.TCPFlags&(tcpSYN|tcpACK) == tcpSYN|tcpACK:
		s.Port = e.SrcPort
	case e.Proto == protoTCP || e.Proto == protoUDP:
		const clients = 1024 // ports below are of services
		if s.Port = e.DstPort; e.SrcPort < clients && e.DstPort >= clients {
			s.Port = e.SrcPort
		}
	}
	return s.String()
}
