package extract

import (
	"net/netip"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// readWSD states what a device announces of itself. Answers that speak of
// several, or of addresses that are not the sender's, are those of a proxy.
func (x *Extractor) readWSD(v *dissect.View, b []byte, way flows.Way) bool {
	m := &x.decoders.wsd
	if !m.Decode(b) {
		return false
	}
	switch m.Action {
	case dissect.WSDHello, dissect.WSDBye:
	case dissect.WSDProbeMatches, dissect.WSDResolveMatches:
		if m.Matches != 1 {
			return true
		}
	default:
		return true // questions say what is looked for
	}
	w := x.source(v, way)
	if !offers(m, w) {
		return true
	}
	if m.Action == dissect.WSDBye {
		x.yes(w, fact.WSDLeaves)
	}
	x.say(w, fact.WSDTypes, &m.Types)
	for _, c := range [...]struct {
		class dissect.WSDClass
		name  string
	}{{dissect.WSDMedical, "sdc-provider"}, {dissect.WSDCamera, "camera"}, {dissect.WSDComputer, "computer"}, {dissect.WSDPrinter, "printer"}, {dissect.WSDScanner, "scanner"}, {dissect.WSDDevice, "device"}} {
		if m.Class&c.class != 0 {
			x.word(w, fact.WSDDevice, c.name)
		}
	}
	x.say(w, fact.WSDScopes, &m.Scopes)
	x.codes(w, fact.WSDCode, m.DeviceCode[:m.CodesLen])
	x.say(w, fact.WSDEndpoint, &m.Endpoint)
	for i := range m.Addresses[:m.AddrLen] {
		x.say(w, fact.WSDAddress, &m.Addresses[i])
	}
	return true
}

// offers reports whether a message may speak of its sender: of the addresses of
// the sender's family one is its own, if there are any.
func offers(m *dissect.WSDiscovery, w who) bool {
	others := false
	for _, ip := range m.IPs[:m.AddrLen] {
		a := netip.AddrFrom16(ip).Unmap()
		if a == w.ip {
			return true
		}
		others = others || a.Is4() == w.ip.Is4()
	}
	return !others
}

// codes states numbers of a nomenclature.
func (x *Extractor) codes(w who, kind fact.Kind, codes []uint32) {
	for _, c := range codes {
		x.number(w, kind, uint64(c))
	}
}

// metadata states what a device says of itself in the content of HTTP: in its
// answers, and in the reports that it sends. Other requests are of those who
// want something of it.
func (x *Extractor) metadata(w who, kind dissect.HTTPKind) {
	m := &x.decoders.sdc
	if kind == dissect.HTTPRequest && !m.Report {
		return
	}
	x.say(w, fact.DPWSMaker, &m.Manufacturer)
	x.say(w, fact.DPWSModel, &m.Model)
	x.say(w, fact.DPWSModelNumber, &m.ModelNumber)
	x.say(w, fact.DPWSFW, &m.Firmware)
	x.say(w, fact.DPWSSerial, &m.Serial)
	x.say(w, fact.SDCLot, &m.Lot)
	x.say(w, fact.SDCUDI, &m.UDI)
	x.codes(w, fact.SDCType, m.Codes[:m.CodesLen])
	x.word(w, fact.SDCMode, m.Mode.String())
	x.word(w, fact.SDCActivation, m.Activation.String())
	switch m.Patient {
	case dissect.SDCAssociated:
		x.word(w, fact.SDCInUse, "yes")
	case dissect.SDCNotAssociated:
		x.word(w, fact.SDCInUse, "no")
	}
}
