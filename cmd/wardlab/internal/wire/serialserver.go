package wire

import "net/netip"

// Ports at which serial device servers are asked who is there (protocols.md
// 2.16).
const (
	ADDPPort      = 2362
	MoxaPort      = 4800
	LantronixPort = 30718
)

// ADDPGroup is the group to which questions of Digi's go.
func ADDPGroup() netip.Addr { return netip.AddrFrom4([4]byte{224, 0, 5, 128}) }

// ADDPAnswer is the answer of a Digi server: items of a type and a length.
func ADDPAnswer(mac MAC, addr netip.Addr, name, product, firmware string, ports byte) []byte {
	var items be
	item := func(typ byte, v []byte) { items = items.u8(typ, byte(len(v))).bytes(v) }
	item(0x01, mac[:])
	item(0x02, v4(addr))
	item(0x04, []byte(name))
	item(0x08, []byte(firmware))
	item(0x0d, []byte(product))
	item(0x12, []byte{ports})
	return be(nil).bytes([]byte("DIGI")).u16(2).len16(items)
}

// MoxaAnswer is the answer of a Moxa server: a header, a block with product,
// model (low octet first), MAC and address, and its name.
func MoxaAnswer(transaction uint32, model uint16, mac MAC, addr netip.Addr, name string) []byte {
	block := be(nil).u32(0x00801051).u8(byte(model), byte(model>>8)).bytes(mac[:]).bytes(v4(addr))
	return be(nil).u8(0x81, 0).u16(uint16(8 + len(block) + len(name))).u32(transaction).bytes(block).bytes([]byte(name))
}

// AeroScoutPort is where an engine that locates radio tags listens (protocols.md
// 2.18).
const AeroScoutPort = 12092

// AeroScout is what a reader of tags notifies the engine of: a header, the reader's
// MAC, a vendor, and what tag it has heard.
func AeroScout(id uint16, reader MAC, tag []byte) []byte {
	body := be(nil).bytes(reader[:]).u16(1).bytes(tag)
	return be(nil).u8(0x7c, 0x83).u16(id).u8(0xd9, 0).u16(uint16(8 + len(body))).bytes(body)
}

// AeroScoutReceipt is the engine's answer.
func AeroScoutReceipt(id uint16) []byte { return be(nil).u8(0x7c, 0x83).u16(id).u8(0xd0, 0).u16(8) }

// LantronixAnswer is the answer of a Lantronix server: four octets that are
// known, and some that are not.
func LantronixAnswer() []byte { return append([]byte{0, 0, 0, 0xf7}, make([]byte, 26)...) }
