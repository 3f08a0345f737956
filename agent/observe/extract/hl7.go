package extract

import (
	"strconv"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// readHL7 reads MLLP frames one after the other.
func (x *Extractor) readHL7(c *flows.Conn, b []byte, final bool) (used int, p dissect.Progress) {
	m := &x.decoders.hl7
	for range maxFrames {
		if used == len(b) {
			return used, dissect.Done
		}
		p = m.DecodeStream(b[used:])
		if p == dissect.No || p == dissect.NeedMore && !final {
			return used, p
		}
		x.message(sender(c), receiver(c), !c.FromServer && c.Answered, m)
		x.word(sender(c), fact.MindraySends, dissect.MindrayClassOf(b[used:]).String())
		if p == dissect.NeedMore || m.Next <= 0 {
			break
		}
		used += m.Next
	}
	return used, dissect.Done
}

// readBareHL7 reads a message without MLLP.
func (x *Extractor) readBareHL7(c *flows.Conn, b []byte) dissect.Progress {
	m := &x.decoders.hl7
	p := m.DecodeBare(b)
	if p == dissect.Done {
		x.message(sender(c), receiver(c), !c.FromServer && c.Answered, m)
		x.word(sender(c), fact.MindraySends, dissect.MindrayClassOf(b).String())
	}
	return p
}

// readHL7Datagram reads a message that came in one datagram. Whether whom it was
// sent to takes such messages nobody can see.
func (x *Extractor) readHL7Datagram(v *dissect.View, b []byte, way flows.Way) bool {
	m := &x.decoders.hl7
	if m.DecodeStream(b) != dissect.Done && m.DecodeBare(b) != dissect.Done {
		return false
	}
	x.message(x.source(v, way), who{}, false, m)
	return true
}

// metric is the depth of a measured value in OBX-4; above it stand devices.
const metric = 4

// message states what one message says of its sender, and that its receiver
// takes such messages where it is the listener.
func (x *Extractor) message(w, to who, listens bool, m *dissect.HL7) {
	if m.Empty {
		return
	}
	if m.Ack.Refused() {
		x.stats.HL7Refused++
	}
	x.say(w, fact.HL7App, &m.SendingApp)
	x.say(w, fact.HL7Facility, &m.SendingFacility)
	x.say(w, fact.HL7Type, &m.MessageType)
	x.say(w, fact.HL7Version, &m.Version)
	x.say(w, fact.HL7Profile, &m.Profile)
	if listens {
		x.say(to, fact.HL7Receives, &m.MessageType)
	}
	for _, code := range m.Codes[:m.CodesLen] {
		if code.Depth < metric {
			x.text = strconv.AppendUint(x.text[:0], uint64(code.Code), 10)
			x.state(w, fact.HL7OBX3, x.text)
		}
	}
	for i := range m.Devices[:m.DevicesLen] {
		x.say(w, fact.HL7Equipment, &m.Devices[i])
	}
	for i := range m.Parts[:m.PartsLen] {
		p := &m.Parts[i]
		x.say(w, fact.HL7Device, &p.Device)
		x.say(w, fact.HL7UDI, &p.UDI)
		x.say(w, fact.HL7Lot, &p.Lot)
		x.say(w, fact.HL7Serial, &p.Serial)
		x.say(w, fact.HL7DevType, &p.DeviceType)
	}
	for i := range m.Software[:m.SoftwareLen] {
		s := &m.Software[i]
		x.say(w, fact.HL7SoftMaker, &s.Vendor)
		x.say(w, fact.HL7SoftVersion, &s.Version)
		x.say(w, fact.HL7SoftProduct, &s.Product)
		x.say(w, fact.HL7SoftBinary, &s.Binary)
		x.say(w, fact.HL7SoftDate, &s.Installed)
	}
	x.word(w, fact.HL7PCD, m.PCD.String())
	x.word(w, fact.HL7EquState, m.Equipment.String())
	x.word(w, fact.HL7PumpState, m.Pump.String())
	if m.Alarm {
		x.yes(w, fact.HL7Alarm)
	}
}
