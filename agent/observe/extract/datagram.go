package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// datagram reads the data of one UDP datagram, each by itself, with the
// dissectors that its first bytes and its ports call for, until one knows it.
func (x *Extractor) datagram(v *dissect.View, way flows.Way) {
	if len(v.Payload) == 0 {
		return
	}
	for proto, next := dissect.RecogniseDatagram(v, 0); proto != 0; proto, next = dissect.RecogniseDatagram(v, next) {
		b := v.Payload
		if n := proto.Window(); n > 0 && len(b) > n {
			b = b[:n]
		}
		if x.known(proto, v, b, way) {
			return
		}
	}
}

// known reads b, as much of a datagram as is looked at, as of a protocol. It
// reports whether it was.
func (x *Extractor) known(proto dissect.Protocol, v *dissect.View, b []byte, way flows.Way) bool {
	switch proto {
	case dissect.ProtocolDHCPv4:
		return x.readDHCP(v, way)
	case dissect.ProtocolMDNS:
		return x.readMDNS(v, way)
	case dissect.ProtocolDNS:
		return x.readDNS(v, way)
	case dissect.ProtocolHL7, dissect.ProtocolHL7Bare:
		return x.readHL7Datagram(v, b, way)
	case dissect.ProtocolIntelliVue:
		return x.readIntelliVue(v, b, way)
	case dissect.ProtocolUnity:
		return x.readUnity(v, b, way)
	case dissect.ProtocolMindray:
		return x.readMindray(v, b, way)
	case dissect.ProtocolADDP:
		return x.readADDP(v, b, way)
	case dissect.ProtocolMoxa:
		return x.readMoxa(v, b, way)
	case dissect.ProtocolLantronix:
		return x.readLantronix(v, b, way)
	case dissect.ProtocolAeroScout:
		return x.readAeroScout(v, b, way)
	case dissect.ProtocolWSDiscovery:
		return x.readWSD(v, b, way)
	}
	return false
}
