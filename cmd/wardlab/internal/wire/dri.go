package wire

import "encoding/binary"

// Main types of a record of the GE/Datex computer interface (protocols.md 2.8).
const (
	DRIValues  = 0
	DRINetwork = 5
)

// Subrecords of the record of values.
const (
	DRIRequest   = 0 // asks for them
	DRIDisplayed = 1
)

// Subrecords of the network record.
const (
	DRIRegister = 0
	DRIPatient  = 6
)

// DRISub is a subrecord: its type and its data.
type DRISub struct {
	Type byte
	Data []byte
}

// DRI is one record as it goes over the serial line: a header of 40 octets,
// little-endian, the subrecords, the sum of all, and flags around.
func DRI(mainType uint16, number, level byte, seconds uint32, subs ...DRISub) []byte {
	const header, room, end = 40, 8, 0xff
	b := make([]byte, header)
	b[2], b[3], b[4] = number, level, 1 // of the first plug
	binary.LittleEndian.PutUint32(b[6:], seconds)
	binary.LittleEndian.PutUint16(b[14:], mainType)
	for i := range room {
		b[16+3*i+2] = end
		if i < len(subs) {
			binary.LittleEndian.PutUint16(b[16+3*i:], uint16(len(b)-header))
			b[16+3*i+2] = subs[i].Type
			b = append(b, subs[i].Data...)
		}
	}
	binary.LittleEndian.PutUint16(b, uint16(len(b)))
	return driFrame(append(b, sum8(b)))
}

// driFrame sets flags around a record and escapes what looks like one.
func driFrame(b []byte) []byte {
	const flag, escape = 0x7e, 0x7d
	out := []byte{flag}
	for _, c := range b {
		switch c {
		case flag:
			out = append(out, escape, 0x5e)
		case escape:
			out = append(out, escape, 0x5d)
		default:
			out = append(out, c)
		}
	}
	return append(out, flag)
}

// DRIRegistration is the data of a monitor's registration in the network.
func DRIRegistration(mac MAC, deviceType, level uint16) []byte {
	b := append([]byte{}, mac[:]...)
	b = binary.LittleEndian.AppendUint16(b, deviceType)
	return binary.LittleEndian.AppendUint16(b, level)
}

// sum8 is the sum of all octets.
func sum8(b []byte) (sum byte) {
	for _, c := range b {
		sum += c
	}
	return sum
}
