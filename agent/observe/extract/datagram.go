package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// UDP ports that hint at a protocol; its shape decides.
const (
	portDNS        = 53
	portDHCPServer = 67
	portDHCPClient = 68
	portPXE        = 4011
	portMDNS       = 5353
	portIVAnnounce = 24005
	portIVExport   = 24105
)

// datagram reads the data of one UDP datagram, each by itself.
func (x *Extractor) datagram(v *dissect.View, way flows.Way) {
	either := func(port uint16) bool { return v.SrcPort == port || v.DstPort == port }
	switch {
	case len(v.Payload) == 0:
	case either(portDHCPServer) || either(portDHCPClient) || either(portPXE):
		x.readDHCP(v, way)
	case either(portMDNS):
		x.readMDNS(v, way)
	case v.SrcPort == portDNS:
		x.readDNS(v, way)
	case either(portIVAnnounce) || either(portIVExport) || v.Group():
		x.readIntelliVue(v, way, either(portIVExport))
	}
}
