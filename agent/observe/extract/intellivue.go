package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// readIntelliVue states what a monitor says of itself, and who collects from
// one. Only a connect indication is certain by its shape alone.
func (x *Extractor) readIntelliVue(v *dissect.View, way flows.Way, export bool) {
	m := &x.decoders.intellivue
	if !m.Decode(v.Payload) {
		return
	}
	w := x.source(v, way)
	switch m.Kind {
	case dissect.IntelliVueConnect:
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
	case dissect.IntelliVueAssociateAccept, dissect.IntelliVueDataResponse:
		// Only the monitor's word makes a collector: anyone can ask.
		if export {
			x.yes(x.target(v, way), fact.IVClient)
		}
	}
}
