package wire

import (
	"encoding/binary"
	"net/netip"
)

// UDP ports of Philips Data Export, and the group of its connect indications.
const (
	PhilipsIndicate = 24005
	PhilipsData     = 24105
)

// PhilipsGroup is the multicast address of connect indications.
func PhilipsGroup() netip.Addr { return netip.AddrFrom4([4]byte{224, 0, 23, 63}) }

// Attribute identifiers (Philips Data Export Interface, IEEE 11073-10201).
const (
	attrSysID     = 0x0984
	attrSysType   = 0x0986
	attrModel     = 0x0928
	attrProdSpec  = 0x092D
	attrLocale    = 0x0937
	attrNom       = 0x0920
	attrNetAddr   = 0xF100
	attrProtocols = 0xF101
)

// MonitorIdentity is what a monitor says of itself.
type MonitorIdentity struct {
	MAC     MAC
	Addr    netip.Addr
	Mask    netip.Addr
	Model   string // "866064"
	Serial  string // "DE00000000"
	SW      string // "L.01.18"
	Part    string // of the software: "S-M8003-1402A"
	Invoke  uint16 // counts the indications
	EventMS uint32 // the monitor's relative time, 1/8 ms
}

// be is a byte builder in network order.
type be []byte

func (b be) u8(v ...byte) be      { return append(b, v...) }
func (b be) u16(v uint16) be      { return binary.BigEndian.AppendUint16(b, v) }
func (b be) u32(v uint32) be      { return binary.BigEndian.AppendUint32(b, v) }
func (b be) bytes(v []byte) be    { return append(b, v...) }
func (b be) len16(body []byte) be { return append(b.u16(uint16(len(body))), body...) }

// label is a VariableLabel: length, characters, a NUL, and another where the
// length would be odd.
func label(s string) []byte {
	s += "\x00"
	if len(s)%2 == 1 {
		s += "\x00"
	}
	return be(nil).len16([]byte(s))
}

// attribute is one AVA: id, length, value.
func attribute(id uint16, value []byte) []byte { return be(nil).u16(id).len16(value) }

// attributes is an AttributeList: count, length, AVAs.
func attributes(avas ...[]byte) []byte {
	var body be
	for _, a := range avas {
		body = body.bytes(a)
	}
	return be(nil).u16(uint16(len(avas))).len16(body)
}

// ConnectIndication is the datagram with which a monitor makes itself known: an
// MDS event report of type NOM_NOTI_MDS_CONNECT_INDIC (0x0D17).
func ConnectIndication(m MonitorIdentity) []byte {
	mac, addr, mask := m.MAC, v4(m.Addr), v4(m.Mask)
	var specs be
	spec := func(typ, component uint16, s string) {
		specs = specs.u16(typ).u16(component).bytes(label(s))
	}
	// Types: 1 serial, 2 part, 3 hardware, 4 software revision, 5 protocol.
	// Components: 8 product, 0x50 main board, 0x58 application software.
	spec(1, 0x08, m.Serial)
	spec(2, 0x08, m.Model)
	spec(3, 0x08, "A.00.03")
	spec(5, 0x78, "--------")
	spec(2, 0x58, m.Part)
	spec(4, 0x58, m.SW)

	var protocols be
	for _, p := range [][4]uint16{{1, 3, 24000, 0x4000}, {2, 3, 24000, 0x4000}, {1, 1, PhilipsData, 0}, {5, 1, PhilipsData, 0}, {10, 1, 24012, 0}} {
		protocols = protocols.u16(p[0]).u16(p[1]).u16(p[2]).u16(p[3])
	}

	list := attributes(
		attribute(attrNom, []byte{0, 3, 0, 0}),
		attribute(attrSysType, []byte{0, 1, 0x11, 0x4D}), // 1-wide partition, multi-parameter monitor
		attribute(attrLocale, []byte{6, 8, 6, 8, 0, 0x0F, 0, 0x0B}),
		attribute(attrNetAddr, be(nil).bytes(mac[:]).bytes(addr).bytes(mask)),
		attribute(attrProtocols, be(nil).u16(5).len16(protocols)),
		// EUI-64 with FFFF in the middle, as Philips makes it.
		attribute(attrSysID, be(nil).len16([]byte{mac[0], mac[1], mac[2], 0xFF, 0xFF, mac[3], mac[4], mac[5]})),
		attribute(attrModel, append(label("Philips"), label(m.Model)...)),
		attribute(attrProdSpec, be(nil).u16(6).len16(specs)),
	)
	// Managed object: class 0x23 composite single-bed MDS, context 0, handle 0;
	// then event time and type.
	event := be(nil).u16(0x0023).u16(0).u16(0).u32(m.EventMS).u16(0x0D17).len16(list)
	command := be(nil).u16(m.Invoke).u16(0).len16(event) // 0: event report
	return be(nil).u32(0x00000100).u16(1).len16(command) // nomenclature 1.0, ROIV
}
