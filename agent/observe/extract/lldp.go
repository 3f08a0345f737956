package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// lldpMAC is the chassis id subtype of a MAC address (802.1AB §8.5.2.2).
const lldpMAC = 4

func (x *Extractor) readLLDP(v *dissect.View, way flows.Way) {
	m := &x.decoders.lldp
	if !m.Decode(v.Payload) {
		return
	}
	w := x.source(v, way)
	x.say(w, fact.LLDPSysName, &m.SystemName)
	x.say(w, fact.LLDPSysDescr, &m.SystemDesc)
	x.say(w, fact.LLDPMaker, &m.Manufacturer)
	x.say(w, fact.LLDPModel, &m.Model)
	x.say(w, fact.LLDPSerial, &m.Serial)
	x.say(w, fact.LLDPFW, &m.Firmware)
	x.say(w, fact.LLDPFW, &m.Software)
	if m.ChassisSubtype == lldpMAC {
		x.text = appendMAC(x.text[:0], m.ChassisMAC)
		x.state(w, fact.LLDPChassisMAC, x.text)
	}
	x.text = appendCapabilities(x.text[:0], m.Enabled)
	x.state(w, fact.LLDPCaps, x.text)
}

// appendCapabilities names the bits of 802.1AB table 8-4.
func appendCapabilities(b []byte, bits uint16) []byte {
	for i, name := range [...]string{"other", "repeater", "bridge", "wlan", "router", "telephone", "docsis", "station"} {
		if bits&(1<<i) == 0 {
			continue
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = append(b, name...)
	}
	return b
}
