package dissect

import "encoding/binary"

// AeroScout is a message between a reader of radio tags, as access points are, and
// the engine that locates them (protocols.md §2.18): of it only that there is one.
//
// phi: never read: everything behind the header, above all addresses: who wears a
// tag is a person, and where it is, is where they are.
type AeroScout struct {
	Kind AeroScoutKind
}

// AeroScoutKind is the kind of a message.
type AeroScoutKind uint8

// The kinds, numbered as on the wire.
const (
	AeroScoutReceipt      AeroScoutKind = 0xd0
	AeroScoutNotification AeroScoutKind = 0xd9
)

const aeroScoutHeader = 8 // magic (2), id (2), code, subcode, length of all (2); bytes

// Decode reads a UDP payload.
func (m *AeroScout) Decode(b []byte) bool {
	*m = AeroScout{}
	if !isAeroScout(b) {
		return false
	}
	m.Kind = AeroScoutKind(b[4])
	return true
}

// isAeroScout recognises a message by its magic, its code and its length.
func isAeroScout(b []byte) bool {
	if len(b) < aeroScoutHeader || b[0] != 0x7c || b[1] != 0x83 || int(binary.BigEndian.Uint16(b[6:])) != len(b) {
		return false
	}
	kind := AeroScoutKind(b[4])
	return kind == AeroScoutNotification || kind == AeroScoutReceipt && len(b) == aeroScoutHeader
}
