package extract

import (
	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// maxFrames bounds the work on one piece of a stream.
const maxFrames = 64

// eachFrame reads frames one after the other. read reads the first one of b,
// states what it says and returns where the next one begins.
func eachFrame(b []byte, read func(b []byte) (next int, p dissect.Progress)) (used int, p dissect.Progress) {
	for range maxFrames {
		if used == len(b) {
			break
		}
		next, p := read(b[used:])
		if p != dissect.Done || next <= 0 {
			return used, p
		}
		used = min(used+next, len(b)) // a frame may end behind what is there
	}
	return used, dissect.Done
}

// readBCC states what a rack of B. Braun pumps says of them, and who asks it.
func (x *Extractor) readBCC(c *flows.Conn, b []byte) (used int, p dissect.Progress) {
	return eachFrame(b, func(b []byte) (int, dissect.Progress) {
		m := &x.decoders.bcc
		p := m.DecodeStream(b)
		if p != dissect.Done {
			return 0, p
		}
		w := sender(c)
		if m.Request != 0 {
			x.yes(w, fact.BCCClient)
		}
		x.say(w, fact.BCCVersion, &m.Version)
		state := dissect.BCCState(0)
		for i := range m.Pumps[:m.PumpsLen] {
			pump := &m.Pumps[i]
			x.say(w, fact.BCCModel, &pump.Model)
			x.say(w, fact.BCCNumber, &pump.Number)
			x.say(w, fact.BCCTypeNumber, &pump.TypeNumber)
			x.say(w, fact.BCCSerial, &pump.Serial)
			state = max(state, pump.State)
		}
		x.word(w, fact.BCCState, state.String())
		return m.Next, p
	})
}

// readMedibus states what a Dräger device says of itself, and who collects from
// it. Both sides ask each other for an identity and for data; only the device has
// any.
func (x *Extractor) readMedibus(c *flows.Conn, b []byte) (used int, p dissect.Progress) {
	return eachFrame(b, func(b []byte) (int, dissect.Progress) {
		m := &x.decoders.medibus
		p := m.DecodeStream(b)
		if p != dissect.Done {
			return 0, p
		}
		w := sender(c)
		x.say(w, fact.MedibusModel, &m.Model)
		x.say(w, fact.MedibusID, &m.ID)
		x.say(w, fact.MedibusVersion, &m.Version)
		switch {
		case m.Collects():
			x.yes(w, fact.MedibusClient)
		case m.Standby:
			x.word(w, fact.MedibusState, "standby")
		case m.Texts:
			x.word(w, fact.MedibusState, "operating")
		case m.HasData:
			x.yes(w, fact.MedibusDevice)
		}
		return m.Next, p
	})
}

// readSerial states the numbers of devices whose serial port is on the network.
func (x *Extractor) readSerial(c *flows.Conn, b []byte) (used int, p dissect.Progress) {
	return eachFrame(b, func(b []byte) (int, dissect.Progress) {
		m := &x.decoders.serial
		p := m.DecodeStream(b)
		if p != dissect.Done {
			return 0, p
		}
		w := sender(c)
		switch m.Line {
		case dissect.AsenaIdentity:
			x.say(w, fact.AsenaSerial, &m.Serial)
		case dissect.AsenaProtocol:
			x.say(w, fact.AsenaProtocol, &m.Version)
		case dissect.AS50Command:
			x.decoders.as50.add(c.ID)
			return len(b), p // what follows has no form that is known
		case dissect.AS50Ack: // says little without the question
			if x.decoders.as50.has(c.ID) {
				x.yes(w, fact.AS50Device)
			}
			return len(b), p
		case dissect.PB840Report:
			x.say(w, fact.PB840ID, &m.Serial)
			return len(b), p // what follows is not read
		case dissect.MasimoReport:
			x.say(w, fact.MasimoSerial, &m.Serial)
			return len(b), p
		}
		return m.Next, p
	})
}
