package extract

import (
	"hash/maphash"
	"net/netip"
	"strconv"

	"github.com/wardkeeper/wardkeeper/agent/fact"
	"github.com/wardkeeper/wardkeeper/agent/observe/dissect"
	"github.com/wardkeeper/wardkeeper/agent/observe/flows"
)

// devices are the messages of medical devices being read.
type devices struct {
	unity   dissect.Unity
	mindray dissect.Mindray
	dri     dissect.DRI
	phd     dissect.PHD
	addp    dissect.ADDP
}

const portUnity = 7000

// readUnity states which host is a monitor of the GE Unity network, and who
// takes its data: who asked it, since the answers come from another port than was
// asked. A message must name its sender, a RWHAT may also be told by its port.
func (x *Extractor) readUnity(v *dissect.View, b []byte, way flows.Way) bool {
	m := &x.decoders.devices.unity
	if !m.Decode(b) {
		return false
	}
	w := x.source(v, way)
	named := w.ip.Is4() && w.ip.As4() == m.IP
	switch {
	case !named && (m.Kind != dissect.UnityRWHAT || v.DstPort != portUnity):
		return false
	case m.Kind == dissect.UnityRWHAT:
		x.yes(w, fact.UnityRWHAT)
		x.text = x.text[:0]
		for i, s := range m.Services[:m.ServicesLen] {
			if i > 0 {
				x.text = append(x.text, ',')
			}
			x.text = strconv.AppendUint(append(strconv.AppendUint(x.text, uint64(s.ID), 10), '/'), uint64(s.Port), 10)
		}
		x.state(w, fact.UnityServices, x.text)
	case m.Kind == dissect.UnityAlarm:
		x.word(w, fact.UnitySends, "alarm")
	case m.Kind == dissect.UnityRequest && w.ours:
		x.decoders.unity.add(x.pair(v.SrcAddr(), v.DstAddr()))
	case m.Kind == dissect.UnityVitals:
		x.word(w, fact.UnitySends, "vitals")
		if x.answered || x.decoders.unity.has(x.pair(v.DstAddr(), v.SrcAddr())) {
			x.yes(x.target(v, way), fact.UnityClient)
		}
	}
	return true
}

// pair is a number for two hosts in their order.
func (x *Extractor) pair(a, b netip.Addr) uint64 {
	from, to := a.As16(), b.As16()
	x.scratch = append(append(x.scratch[:0], from[:]...), to[:]...)
	return maphash.Bytes(x.seed, x.scratch)
}

// readMindray states what the header of an indication says.
func (x *Extractor) readMindray(v *dissect.View, b []byte, way flows.Way) bool {
	m := &x.decoders.devices.mindray
	if !m.Decode(b) {
		return false
	}
	w := x.source(v, way)
	x.yes(w, fact.MindrayIndicates)
	x.say(w, fact.HL7App, &m.App)
	x.say(w, fact.HL7Facility, &m.Facility)
	x.say(w, fact.HL7Version, &m.Version)
	return true
}

// readDRI states what kind of monitor speaks over a serial line, and what it
// sends.
func (x *Extractor) readDRI(c *flows.Conn, b []byte) (used int, p dissect.Progress) {
	return begun(eachFrame(b, func(b []byte) (int, dissect.Progress) {
		m := &x.decoders.devices.dri
		p := m.DecodeStream(b)
		if p != dissect.Done || m.Record == dissect.DRIRequest { // who asks is no monitor
			return m.Next, p
		}
		w := sender(c)
		x.word(w, fact.DRIRecord, m.Record.String())
		x.number(w, fact.DRILevel, uint64(m.Level))
		if m.Registered {
			x.number(w, fact.DRIDevice, uint64(m.DeviceType))
			x.text = appendMAC(x.text[:0], m.MAC)
			x.state(w, fact.DRIMAC, x.text)
		}
		return m.Next, p
	}))
}

// begun takes a stream for the protocol's where a frame was, whatever follows.
func begun(used int, p dissect.Progress) (int, dissect.Progress) {
	if p == dissect.No && used > 0 {
		p = dissect.Done
	}
	return used, p
}

// readPHD states what a personal health device says of itself, and who manages
// such devices.
func (x *Extractor) readPHD(c *flows.Conn, b []byte) (used int, p dissect.Progress) {
	return begun(eachFrame(b, func(b []byte) (int, dissect.Progress) {
		m := &x.decoders.devices.phd
		p := m.DecodeStream(b)
		if p == dissect.Done {
			x.personal(sender(c), m)
		}
		return m.Next, p
	}))
}

// personal states what one message of a personal health device says.
func (x *Extractor) personal(w who, m *dissect.PHD) {
	switch {
	case m.Manager:
		x.yes(w, fact.PHDManager)
		return
	case m.Kind == dissect.PHDReport:
		x.yes(w, fact.PHDReports)
	}
	if !m.SystemID.IsZero() {
		x.text = appendHex(x.text[:0], m.SystemID[:])
		x.state(w, fact.PHDSystem, x.text)
	}
	if m.Config != 0 {
		x.number(w, fact.PHDConfig, uint64(m.Config))
	}
	x.say(w, fact.PHDMaker, &m.Manufacturer)
	x.say(w, fact.PHDModel, &m.Model)
	x.say(w, fact.PHDSerial, &m.Serial)
	x.say(w, fact.PHDFW, &m.Firmware)
	for _, profile := range m.Profiles[:m.ProfilesLen] {
		x.number(w, fact.PHDProfile, uint64(profile))
	}
}

// readADDP states what a Digi serial device server says of itself.
func (x *Extractor) readADDP(v *dissect.View, b []byte, way flows.Way) bool {
	m := &x.decoders.devices.addp
	if !m.Decode(b) {
		return false
	}
	if !m.Response {
		return true
	}
	w := x.source(v, way)
	x.word(w, fact.SerialServer, "digi")
	x.say(w, fact.ADDPProduct, &m.Product)
	x.say(w, fact.ADDPFW, &m.Firmware)
	if m.Ports != 0 {
		x.number(w, fact.ADDPPorts, uint64(m.Ports))
	}
	return true
}

// readAeroScout states who hears radio tags and who locates them: the engine is
// known by its port, and takes what readers notify it of.
func (x *Extractor) readAeroScout(v *dissect.View, b []byte, way flows.Way) bool {
	var m dissect.AeroScout
	if !m.Decode(b) {
		return false
	}
	switch w := x.source(v, way); {
	case v.SrcPort == portAeroScout || v.SrcPort == portAeroScoutOld:
		x.word(w, fact.RTLSEngine, "aeroscout")
	case m.Kind == dissect.AeroScoutNotification:
		x.word(w, fact.RTLSReader, "aeroscout")
	}
	return true
}

const portAeroScout, portAeroScoutOld = 12092, 12091

// readMoxa states what a Moxa serial device server says of itself.
func (x *Extractor) readMoxa(v *dissect.View, b []byte, way flows.Way) bool {
	var m dissect.Moxa
	if !m.Decode(b) {
		return false
	}
	w := x.source(v, way)
	x.word(w, fact.SerialServer, "moxa")
	x.text = appendHex(x.text[:0], []byte{byte(m.Model >> 8), byte(m.Model)})
	x.state(w, fact.MoxaModel, x.text)
	return true
}

// readLantronix states that a host answers as a Lantronix serial device server.
// Four bytes and a port are little to go by: its MAC must be of the maker's too.
func (x *Extractor) readLantronix(v *dissect.View, b []byte, way flows.Way) bool {
	var m dissect.Lantronix
	if !m.Decode(b) {
		return false
	}
	oui := [3]byte(v.SrcMAC[:])
	if m.Response && v.SrcPort == portLantronix && (oui == [3]byte{0x00, 0x20, 0x4a} || oui == [3]byte{0x00, 0x80, 0xa3}) {
		x.word(x.source(v, way), fact.SerialServer, "lantronix")
	}
	return true
}

const portLantronix = 30718

// number states a number.
func (x *Extractor) number(w who, kind fact.Kind, n uint64) {
	x.text = strconv.AppendUint(x.text[:0], n, 10)
	x.state(w, kind, x.text)
}
