package dissect

import "encoding/binary"

// ADDP is the answer of a Digi serial device server to the question who is
// there (Advanced Digi Discovery Protocol).
//
// phi: never read: the name that somebody gave the box, and every item that is
// not named below.
type ADDP struct {
	Response bool
	MAC      [6]byte
	Product  Text
	Firmware Text
	Ports    uint8 // serial ports
}

// Layout: magic, type, length of the items, then items of a byte for the kind,
// a byte for the length, and a value. Offsets in bytes.
const (
	addpType     = 4
	addpLength   = 6
	addpItems    = 8
	addpResponse = 2

	addpMAC      = 0x01
	addpFirmware = 0x08
	addpProduct  = 0x0d
	addpPorts    = 0x12
)

// isADDP recognises what follows the magic.
func isADDP(b []byte) bool {
	if len(b) < addpItems {
		return false
	}
	kind := binary.BigEndian.Uint16(b[addpType:])
	return kind >= 1 && kind <= 16 && int(binary.BigEndian.Uint16(b[addpLength:])) == len(b)-addpItems
}

// Decode reads a UDP payload. A response without a MAC is none, nor is one whose
// items do not fill it: where a length lies no item is what it seems.
func (m *ADDP) Decode(b []byte) bool {
	*m = ADDP{}
	if len(b) < addpItems || !isADDPMagic(b) || !isADDP(b) {
		return false
	}
	m.Response = binary.BigEndian.Uint16(b[addpType:]) == addpResponse
	if !m.Response {
		return true
	}
	for b = b[addpItems:]; len(b) > 0; b = b[2+int(b[1]):] {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			*m = ADDP{}
			return false
		}
		v := b[2 : 2+int(b[1])]
		switch {
		case b[0] == addpMAC && len(v) == 6:
			m.MAC = [6]byte(v)
		case b[0] == addpFirmware:
			m.Firmware.setOnce(v)
		case b[0] == addpProduct:
			m.Product.setOnce(v)
		case b[0] == addpPorts && len(v) == 1:
			m.Ports = v[0]
		}
	}
	return m.MAC != [6]byte{}
}

func isADDPMagic(b []byte) bool {
	switch string(b[:4]) {
	case "DIGI", "DVKT", "DGDP":
		return true
	}
	return false
}
