package wire

// PHDPort is where managers of personal health devices listen, by an open
// implementation of them (protocols.md 2.5).
const PHDPort = 6024

// PHDOximeter is MDC_DEV_SPEC_PROFILE_PULS_OXIM.
const PHDOximeter = 4100

// PHDIdentity is what a personal health device says of itself.
type PHDIdentity struct {
	System                         [8]byte
	Config                         uint16
	Maker, Model, Serial, Firmware string
	Profile                        uint16
}

// apdu is a message: its choice, its length, its content.
func apdu(choice uint16, content []byte) []byte { return be(nil).u16(choice).len16(content) }

// phdInformation is what both sides of an association say (the optional parts
// of it are empty).
func phdInformation(system uint32, id [8]byte, config uint16) []byte {
	b := be(nil).u32(0x80000000).u16(0x8000).u32(0x80000000).u32(0).u32(system).len16(id[:]).u16(config)
	return b.u16(1).u8(1, 0).u32(0) // data requests, no options
}

// PHDAssociate asks a manager for an association.
func PHDAssociate(p PHDIdentity) []byte {
	list := be(nil).u16(0x5079).len16(phdInformation(0x00800000, p.System, p.Config))
	return apdu(0xe200, be(nil).u32(0x80000000).u16(1).len16(list))
}

// PHDAccept is the manager's answer.
func PHDAccept(manager [8]byte) []byte {
	return apdu(0xe300, be(nil).u16(0).u16(0x5079).len16(phdInformation(0x80000000, manager, 0)))
}

// phdData is a message about an object: an octet string around all.
func phdData(invoke, choice uint16, content []byte) []byte {
	return apdu(0xe700, be(nil).len16(be(nil).u16(invoke).u16(choice).len16(content)))
}

// PHDGet asks for the attributes of the device, object 0.
func PHDGet(invoke uint16) []byte { return phdData(invoke, 0x0103, be(nil).u16(0).u32(0)) }

// PHDAttributes answers with them.
func PHDAttributes(invoke uint16, p PHDIdentity) []byte {
	var specs be
	for _, s := range []struct {
		typ  uint16
		text string
	}{{1, p.Serial}, {5, p.Firmware}} {
		specs = specs.u16(s.typ).u16(0).bytes(label(s.text))
	}
	list := attributes(
		attribute(attrSysID, be(nil).len16(p.System[:])),
		attribute(attrModel, append(label(p.Maker), label(p.Model)...)),
		attribute(attrProdSpec, be(nil).u16(2).len16(specs)),
		attribute(2628, be(nil).u16(p.Config)),
		attribute(2650, be(nil).u16(1).len16(be(nil).u16(p.Profile).u16(1))),
	)
	return phdData(invoke, 0x0203, be(nil).u16(0).bytes(list))
}

// PHDScan reports values, and for whom: a scan report for a person.
func PHDScan(invoke uint16, person string, values ...uint16) []byte {
	var scan be
	for _, v := range values {
		scan = scan.u16(v)
	}
	scan = scan.len16([]byte(person))
	return phdData(invoke, 0x0101, be(nil).u16(0).u32(0xffffffff).u16(0x0d1d).len16(scan))
}

// PHDReceived confirms a report.
func PHDReceived(invoke uint16) []byte {
	return phdData(invoke, 0x0201, be(nil).u16(0).u32(0).u16(0x0d1d).u16(0))
}
