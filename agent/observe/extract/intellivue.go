package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

const portIVExport = 24105

// readIntelliVue states what a monitor says of itself, and who collects from
// one. The header of a data message is not certain by its shape alone, the result of
// a poll is.
func (x *Extractor) readIntelliVue(v *dissect.View, b []byte, way flows.Way) bool {
	m := &x.decoders.intellivue
	if !m.Decode(b) {
		return false
	}
	w := x.source(v, way)
	switch m.Kind {
	case dissect.IntelliVueConnect, dissect.IntelliVueCreate:
		if m.Kind == dissect.IntelliVueCreate {
			x.collector(v, way, fact.IVClient)
			x.word(w, fact.IVMode, m.Mode.String())
		} else {
			x.word(w, fact.IVSends, "indication")
		}
		x.say(w, fact.IVModel, &m.Model)
		x.say(w, fact.IVMaker, &m.Manufacturer)
		x.say(w, fact.IVSerial, &m.Serial)
		x.say(w, fact.IVFW, &m.Software)
		if m.TypeCode != 0 {
			x.text = appendHex(x.text[:0], []byte{byte(m.TypeCode >> 8), byte(m.TypeCode)})
			x.state(w, fact.IVType, x.text)
		}
		if !m.SystemID.IsZero() {
			x.text = appendHex(x.text[:0], m.SystemID[:])
			x.state(w, fact.IVSystem, x.text)
		}
	// Only the monitor's word makes a collector: anyone can ask.
	case dissect.IntelliVueAssociateAccept:
		x.collector(v, way, fact.IVClient)
	case dissect.IntelliVueDataResponse:
		polled := m.Mode != 0 || m.Sends != 0 || m.Patient != 0 // whose many lengths agree
		if polled || v.SrcPort == portIVExport || v.DstPort == portIVExport {
			x.collector(v, way, fact.IVClient)
		}
		x.word(w, fact.IVMode, m.Mode.String())
		x.word(w, fact.IVSends, m.Sends.String())
		x.word(w, fact.IVInUse, m.Patient.String())
	}
	return true
}
