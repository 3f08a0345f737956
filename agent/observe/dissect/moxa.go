package dissect

import "encoding/binary"

// Moxa is the answer of a Moxa serial device server to the question who is
// there. Of its layout the first eight bytes and the place of the MAC are sure;
// the MAC must be one of the maker's.
//
// phi: never read: the name behind the block.
type Moxa struct {
	Model uint16 // hexadecimal digits as on the box: 0x5110
	MAC   [6]byte
}

// Layout, offsets in bytes.
const (
	moxaPort  = 4800
	moxaReply = 0x81
	moxaLen   = 2
	moxaModel = 12 // little-endian
	moxaMAC   = 14
	moxaLeast = 24
)

// Decode reads a UDP payload.
func (m *Moxa) Decode(b []byte) bool {
	*m = Moxa{}
	if len(b) < moxaLeast || b[0] != moxaReply || int(binary.BigEndian.Uint16(b[moxaLen:])) != len(b) {
		return false
	}
	mac := [6]byte(b[moxaMAC:])
	if oui := [3]byte(mac[:]); oui != [3]byte{0x00, 0x90, 0xe8} && oui != [3]byte{0x50, 0x0b, 0x88} {
		return false
	}
	m.Model, m.MAC = binary.LittleEndian.Uint16(b[moxaModel:]), mac
	return true
}
