package extract

import (
	"bytes"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

const portDNS = 53

// readDNS states who answers questions.
func (x *Extractor) readDNS(v *dissect.View, way flows.Way) bool {
	m := &x.decoders.dns
	if v.SrcPort != portDNS || !m.Decode(v.Payload) {
		return false
	}
	if m.Response {
		x.yes(x.source(v, way), fact.DNSServer)
	}
	return true
}

// readMDNS states what a device announces of itself. Questions are left out:
// they say what it looks for, and known answers in them speak of others.
func (x *Extractor) readMDNS(v *dissect.View, way flows.Way) bool {
	m, r := &x.decoders.dns, &x.decoders.record
	if !m.Decode(v.Payload) {
		return false
	}
	if !m.Response {
		return true
	}
	w := x.source(v, way)
	for m.Next(v.Payload, r) {
		if r.Section == dissect.DNSQuestion {
			continue
		}
		x.text = r.Name.AppendTo(x.text[:0])
		if announces(x.text, r.Instance) {
			x.state(w, fact.MDNSName, x.text)
		}
		switch r.Type {
		case dissect.DNSTypePTR:
			if x.text = r.Target.AppendTo(x.text[:0]); !r.TargetInstance && bytes.HasPrefix(x.text, []byte("_")) {
				x.state(w, fact.MDNSPTR, x.text)
			}
		case dissect.DNSTypeTXT:
			for i := range r.TXT[:r.TXTLen] {
				if k := kindOfTXT(r.TXT[i].Key); k != "" {
					x.say(w, k, &r.TXT[i].Value)
				}
			}
		}
	}
	return true
}

// announces reports the names worth stating: services, and hosts of the local
// domain. The rest are reverse names, the index of services, and instances.
func announces(name []byte, instance bool) bool {
	switch {
	case instance || bytes.HasSuffix(name, []byte(".arpa")) || bytes.HasPrefix(name, []byte("_services")):
		return false
	case bytes.HasPrefix(name, []byte("_")):
		return true
	}
	return bytes.Count(name, []byte(".")) == 1 && bytes.HasSuffix(name, []byte(".local"))
}

// kindOfTXT tells what a TXT key speaks of; "" for what is not stated.
func kindOfTXT(k dissect.TXTKey) fact.Kind {
	switch k {
	case dissect.TXTMd, dissect.TXTMdl, dissect.TXTModel, dissect.TXTModelNumber, dissect.TXTAm, dissect.TXTRpMd, dissect.TXTTy,
		dissect.TXTProduct, dissect.TXTUSBModel:
		return fact.MDNSModel
	case dissect.TXTUSBMaker, dissect.TXTMfg, dissect.TXTManufacturer:
		return fact.MDNSMaker
	case dissect.TXTFv, dissect.TXTFw, dissect.TXTFirmwareVer, dissect.TXTVersion, dissect.TXTVs, dissect.TXTSrcvers, dissect.TXTOsvers:
		return fact.MDNSFW
	}
	return ""
}
